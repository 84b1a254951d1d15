#!/usr/bin/env node
import { codeOf } from '../formats/files.ts'
import { version } from '../version.ts'
import {
  arrays,
  ending,
  exitCodes,
  given,
  images,
  list,
  number,
  reading,
  running,
  tables,
  training,
} from './arguments.ts'
import { addSearches } from './searches.ts'
import { heedOutput, note, UsageError } from './terminal.ts'

const { Command: Program, CommanderError } = await import('commander')

const program = new Program('lockstep')
  .description('Trains neural networks on tables and arrays, on all cores of this machine.')
  .version(version)
  .showHelpAfterError('(--help shows all options)')
  .addHelpText('after', exitCodes)

training(running(reading(program.command('train'))))
  .argument('[DATA]', `${tables}, ${arrays}, ${images}, or a text`)
  .summary('train a network on data, and write it to a folder')
  .description(
    'Trains a network on a table or on arrays and writes a folder: model.json (TensorFlow.js ' +
      'reads it), preprocessing, metrics, checkpoints, configuration.',
  )
  .option('--out <FOLDER>', 'default: the name of DATA with .model')
  .option('--resume', 'go on from the checkpoints in --out')
  .option('--dashboard [PORT]', 'show training in a browser of this machine while it goes on', number)
  .addHelpText(
    'after',
    `
Examples:
  lockstep train penguins.json --target Species
  lockstep train flights.parquet --target delay --time date --max-seconds 600
  lockstep train fashion-mnist --out clothes        # a folder of IDX files
  lockstep train flowers --size 96 --augment        # a folder with one of images for each class
  lockstep train novel.txt --text --max-seconds 300
  lockstep train visits.csv --target cost --group patient --hidden 256,64 --out costs
  lockstep train wine.csv --target cultivar --model net.js
  lockstep train --config costs/configuration.json --seed 8 --out again
  lockstep train flights.parquet --target delay --dashboard
  lockstep train flights.parquet --target delay --max-memory 512MiB
${exitCodes}`,
  )
  .action(
    ending(async (data, options) =>
      (await import('./train.ts')).train({ ...given(options), ...(data !== undefined && { data }) }),
    ),
  )

running(reading(program.command('evaluate')))
  .argument('<MODEL>', 'the folder that train wrote')
  .argument('<DATA>', 'data of the same kind, with what is predicted')
  .option('--labels <NAME>', 'of arrays: the file of labels, or the array of an .npz')
  .option('--threshold <P>', 'probability from which on the second of two classes is predicted', number)
  .summary('score a trained model on other data')
  .description(
    'Scores a trained model on other data: a table of any size, whose columns are matched by name, or arrays.',
  )
  .addHelpText('after', `\nExample:\n  lockstep evaluate penguins.model new.csv --json\n${exitCodes}`)
  .action(
    ending(async (model, data, options) =>
      (await import('./apply.ts')).evaluate(model, data, given(options)),
    ),
  )

running(reading(program.command('predict')))
  .argument('<MODEL>', 'the folder that train wrote')
  .argument('[DATA]', 'data of the same kind')
  .option('--prompt <TEXT>', 'of a model of text: what it is to continue')
  .option('--length <N>', 'characters that it writes (400)', number)
  .option('--temperature <T>', 'lower ones prefer what is likely (0.8)', number)
  .option('--seed <N>', 'decides what is drawn (1)', number)
  .option('--labels <NAME>', 'of an .npz: the array that is not to be predicted from')
  .option('--threshold <P>', 'probability from which on the second of two classes is predicted', number)
  .summary('predict from other data')
  .description(
    'Predicts the rows of a table of any size, in their order, columns matched by name, ' +
      'the samples of arrays, images; or writes a text.',
  )
  .option('--output <FILE>', '.csv, .jsonl or .parquet; default: the standard output')
  .option('--as <KIND>', 'csv, jsonl or parquet')
  .option('--keep <LIST>', 'columns of DATA that are repeated', list)
  .addHelpText(
    'after',
    `\nExamples:\n  lockstep predict penguins.model new.csv > predictions.csv\n  lockstep ` +
      `predict penguins.model new.jsonl --keep id --output predictions.jsonl\n` +
      `  lockstep predict novel.model --prompt "Call me" --length 200\n${exitCodes}`,
  )
  .action(
    ending(async (model, data, options) => (await import('./apply.ts')).predict(model, data, given(options))),
  )

reading(program.command('inspect'))
  .argument('<FILE>', 'a model, a checkpoint, a table, or arrays (.npy, .npz, .safetensors, IDX)')
  .summary('tell what a model, a checkpoint or a file of data holds')
  .addHelpText(
    'after',
    `\nExamples:\n  lockstep inspect penguins.csv\n  lockstep inspect penguins.model\n${exitCodes}`,
  )
  .action(ending(async (file, options) => (await import('./inspect.ts')).inspect(file, given(options))))

addSearches(program)

program
  .command('report')
  .argument('<MODEL>', 'the folder that train wrote, or the file of a search')
  .summary('write a page about a training or a search')
  .description('Writes one HTML file, which needs no other: how training went, what it came to, what to try.')
  .option('--output <FILE>', 'default: report.html in the folder, or the name of the file with .html')
  .option('--json', 'what the page shows, as one JSON object on the standard output')
  .addHelpText(
    'after',
    `\nExamples:\n  lockstep report penguins.model\n  lockstep report study.jsonl --output study.html\n${exitCodes}`,
  )
  .action(ending(async (path, options) => (await import('./report.ts')).report(path, options)))

/** Errors that tell what is wrong need no stack: those that are checked for, and the file system's. */
const isExpected = (error: unknown): error is Error =>
  error instanceof Error && (/: | must /.test(error.message) || codeOf(error) !== undefined)

for (const command of [program, ...program.commands]) command.exitOverride()
heedOutput()
try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else {
    note(isExpected(error) ? `lockstep: ${error.message}` : `lockstep: ${(error as Error)?.stack ?? error}`)
    process.exitCode = error instanceof UsageError ? 2 : 1
  }
}
