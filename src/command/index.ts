#!/usr/bin/env node
import type { Command } from 'commander'
import { oneOf } from '../errors.ts'
import { codeOf } from '../formats/files.ts'
import { columnTypes } from '../tables/fields.ts'
import { version } from '../version.ts'
import { note, UsageError } from './terminal.ts'

const { Command: Program, CommanderError, InvalidArgumentError } = await import('commander')

const exitCodes = `
Exit codes: 0 done; 1 the data, the model or the training is at fault; 2 the command line is;
130 and 143 SIGINT or SIGTERM ended training, which is saved.`

const number = (text: string): number => {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.')
  return value
}
const list = (text: string): string[] => text.split(',')
const numbers = (text: string): number[] => (text === '' ? [] : list(text).map(number))
const workers = (text: string): number | 'auto' => (text === 'auto' ? text : number(text))
const types = (text: string): Record<string, string> =>
  Object.fromEntries(
    list(text).map(one => {
      const at = one.lastIndexOf('=')
      if (at < 1) throw new InvalidArgumentError('It must be written COLUMN=TYPE,COLUMN=TYPE.')
      try {
        return [one.slice(0, at), oneOf('types', one.slice(0, at), one.slice(at + 1), columnTypes)]
      } catch (error) {
        throw new InvalidArgumentError((error as Error).message)
      }
    }),
  )

/** Options about the file that is read. */
const reading = (command: Command): Command =>
  command
    .option('--format <NAME>', 'csv, tsv, jsonl or parquet; told by the ending unless given')
    .option('--delimiter <CHARACTER>', 'of CSV; told by the first line unless given')
    .option('--no-header', 'the first line of CSV holds no names; columns are column1, column2 …')
    .option('--skip-ragged', 'set rows with too few or too many fields aside, and count them')
    .option('--json', 'one JSON object on the standard output')

const running = (command: Command): Command =>
  command.option('--workers <N>', 'threads, or auto (results do not depend on it)', workers)

/** What commander makes of --no-header is left out where it was not given: a configuration may say otherwise. */
function given(options: Record<string, unknown>): Record<string, unknown> {
  const { header, ...rest } = options
  return header === false ? { ...rest, header } : rest
}

const program = new Program('lockstep')
  .description('Trains neural networks on tables and arrays, on all cores of this machine.')
  .version(version)
  .showHelpAfterError('(--help shows all options)')
  .addHelpText('after', exitCodes)

/** Ends with the code that the command resolves with. */
const ending =
  <A extends unknown[]>(act: (...args: A) => Promise<number>) =>
  async (...args: A): Promise<void> => {
    process.exitCode = await act(...args)
  }

running(reading(program.command('train')))
  .argument('[DATA]', 'a table (.csv, .tsv, .jsonl, .parquet), or arrays: .npz, .npy, IDX, a folder of them')
  .summary('train a network on data, and write it to a folder')
  .description(
    'Trains a network on a table or on arrays and writes a folder: model.json (TensorFlow.js ' +
      'reads it), preprocessing, metrics, checkpoints, configuration.',
  )
  .option('--target <COLUMN>', 'of a table: the column to predict')
  .option('--labels <NAME>', 'of arrays: the file of labels, or the array of an .npz')
  .option('--out <FOLDER>', 'default: the name of DATA with .model')
  .option('--task <KIND>', 'class or regression; told by the target unless given')
  .option('--types <LIST>', 'types that are not to be guessed: zip=category,size=number', types)
  .option('--ignore <LIST>', 'columns that are not to be used', list)
  .option('--group <COLUMN>', 'rows of one value of it stay in one part')
  .option('--time <COLUMN>', 'the latest rows by it are the test')
  .option('--validation <SHARE>', 'of rows that decide when to stop (0.15)', number)
  .option('--test <SHARE>', 'of rows that are only scored (0.15)', number)
  .option('--balance', 'rare classes weigh more')
  .option('--hidden <LIST>', 'units of the hidden layers: 256,64', numbers)
  .option('--filters <LIST>', 'of the convolutions for images: 32,64,128', numbers)
  .option('--augment', 'mirror, move and zoom images a little in training')
  .option('--dropout <RATE>', 'after each hidden layer', number)
  .option('--l2 <FACTOR>', "of the weights' squares in the loss", number)
  .option('--learning-rate <RATE>', 'of Adam', number)
  .option('--batch-size <N>', 'rows a step', number)
  .option('--epochs <N>', 'at most', number)
  .option('--patience <N>', 'epochs without a better validation loss before it stops', number)
  .option('--seed <N>', 'decides every random choice (7)', number)
  .option('--max-seconds <N>', 'train no longer', number)
  .option('--resume', 'go on from the checkpoints in --out')
  .option('--config <FILE>', 'the configuration.json of a training, to repeat it; options here go before it')
  .addHelpText(
    'after',
    `
Examples:
  lockstep train penguins.csv --target species
  lockstep train flights.parquet --target delay --time date --max-seconds 600
  lockstep train fashion-mnist --out clothes        # a folder of IDX files
  lockstep train visits.csv --target cost --group patient --hidden 256,64 --out costs
  lockstep train --config costs/configuration.json --seed 8 --out again
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
  .argument('<DATA>', 'data of the same kind')
  .option('--labels <NAME>', 'of an .npz: the array that is not to be predicted from')
  .summary('predict from other data')
  .description(
    'Predicts the rows of a table of any size, in their order, columns matched by name, or the samples of arrays.',
  )
  .option('--output <FILE>', '.csv or .jsonl; default: the standard output')
  .option('--as <KIND>', 'csv or jsonl')
  .option('--keep <LIST>', 'columns of DATA that are repeated', list)
  .addHelpText(
    'after',
    `\nExamples:\n  lockstep predict penguins.model new.csv > predictions.csv\n  lockstep ` +
      `predict penguins.model new.jsonl --keep id --output predictions.jsonl\n${exitCodes}`,
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

/** Errors that tell what is wrong need no stack: those that are checked for, and the file system's. */
const isExpected = (error: unknown): error is Error =>
  error instanceof Error && (/: /.test(error.message) || codeOf(error) !== undefined)

for (const command of [program, ...program.commands]) command.exitOverride()
try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else {
    note(isExpected(error) ? `lockstep: ${error.message}` : `lockstep: ${(error as Error)?.stack ?? error}`)
    process.exitCode = error instanceof UsageError ? 2 : 1
  }
}
