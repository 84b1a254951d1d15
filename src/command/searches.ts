import type { Command } from 'commander'
import {
  arrays,
  counts,
  ending,
  exitCodes,
  given,
  images,
  list,
  number,
  numbers,
  reading,
  running,
  tables,
  training,
} from './arguments.ts'

/** learning-rate,width as learningRate, width. */
const parameters = (text: string): string[] =>
  list(text).map(name => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()))

const onData = (command: Command): Command =>
  training(running(reading(command))).argument('[DATA]', `${tables}, ${arrays}, or ${images}`)

/** Options and data in one object. */
const together = (data: string | undefined, options: Record<string, unknown>) => ({
  ...given(options),
  ...(data !== undefined && { data }),
})

/** Commands that train many networks to learn from their comparison. */
export function addSearches(program: Command): void {
  onData(program.command('tune'))
    .summary('search for the best settings of a network, and train it')
    .description(
      'Searches for learning rate, schedule, optimizer, depth, width, dropout, weight decay, batch size, and noise on columns ' +
        'or filters and augmentation of images; of texts for rate, dropout, blocks and their width: for all that no option ' +
        'fixes. Then trains the best, as train does. The test part has no say in the search.',
    )
    .option('--out <FOLDER>', 'of the model; default: the name of DATA with .model')
    .option('--trials <N>', 'networks that are tried (50; of a grid all)', number)
    .option('--sampler <NAME>', 'tpe, random or grid (tpe)')
    .option('--pruner <NAME>', 'which trials end early: hyperband, halving, median or none (hyperband)')
    .option('--folds <N>', 'a trial is the mean over so many folds (1: the validation part decides)', number)
    .option('--search <LIST>', 'what is searched: learning-rate,width …', parameters)
    .option('--parallel <N>', 'trials side by side, a thread each, or auto (the study is the same)', counts)
    .option('--lag <N>', 'trial n knows of the trials 0 … n − lag (8)', number)
    .option('--study <FILE>', 'goes on if it is there; default: the name of --out with .study.jsonl')
    .addHelpText(
      'after',
      `
--max-seconds ends the search; the best so far is trained to its end.
Examples:
  lockstep tune wine.csv --target cultivar
  lockstep tune cars.csv --target mpg --trials 100 --folds 5 --max-seconds 600 --out cars
  lockstep tune cars.csv --target mpg --sampler grid --search learning-rate,dropout
  lockstep tune cars.csv --target mpg --optimizer adam --hidden 64,32
  lockstep tune flowers --search learning-rate,augment,dropout --max-seconds 3600
${exitCodes}`,
    )
    .action(ending(async (data, options) => (await import('./tune.ts')).tune(together(data, options))))

  onData(program.command('lr'))
    .summary('learning-rate range test: rate against loss, and a suggested rate')
    .description(
      'Trains the standard network of train, with a learning rate that rises exponentially from step to step, until the loss ' +
        'grows (L. Smith 2017). Suggested is a tenth of the rate at which the smoothed loss is lowest.',
    )
    .option('--from <RATE>', 'the first rate (1e-6)', number)
    .option('--to <RATE>', 'the last one (10)', number)
    .option('--updates <N>', 'steps of the rate, as many passes as it takes (200)', number)
    .option('--output <FILE>', 'a page with the picture: .html')
    .addHelpText(
      'after',
      `
Examples:
  lockstep lr wine.csv --target cultivar
  lockstep lr cars.csv --target mpg --optimizer momentum --batch-size 128 --output rates.html
  lockstep lr fashion-mnist
  lockstep lr novel.txt --text
${exitCodes}`,
    )
    .action(ending(async (data, options) => (await import('./lr.ts')).lr(together(data, options))))

  onData(program.command('learning-curve'))
    .summary('score over the number of rows; or variants of a network, side by side')
    .description(
      'Trains the standard network of train on more and more rows, several times each, and says whether more data will help. ' +
        'With --compare it trains a network that does nothing against overfitting, and variants of it, on all rows.',
    )
    .option('--sizes <N>', 'numbers of rows, each twice the one before (5)', number)
    .option('--repeats <N>', 'trainings of each kind, with other seeds (3)', number)
    .option(
      '--compare <LIST>',
      'dropout, l2 (of columns), weight-decay, augmentation (of columns noise), smaller, larger, ensemble, no-stopping',
      list,
    )
    .option('--output <FILE>', 'a page with the picture: .html')
    .addHelpText(
      'after',
      `
--max-seconds ends it with what there is.
Examples:
  lockstep learning-curve wine.csv --target cultivar
  lockstep learning-curve cars.csv --target mpg --compare dropout,weight-decay,augmentation,smaller
  lockstep learning-curve flowers --compare augmentation,smaller --repeats 2
${exitCodes}`,
    )
    .action(
      ending(async (data, options) =>
        (await import('./learningCurve.ts')).learningCurveOf(together(data, options)),
      ),
    )

  program
    .command('bench')
    .summary('numbers of workers compared on this machine')
    .description(
      'Trains a network on made-up samples with 1, 2, 4 … workers in turns, and says which number is the fastest. ' +
        'Results of a training do not depend on it.',
    )
    .option('--network <NAME>', 'mlp, cnn, lstm, gpt, or the sizes of dense layers: 784-128-10 (mlp)')
    .option('--batch <N>', 'samples a step', number)
    .option('--workers <LIST>', 'what is compared: 1,2,4 (1, 2, 4 … cores)', numbers)
    .option('--rounds <N>', 'how often each is tried, in turns (5)', number)
    .option('--seed <N>', 'of the weights (7)', number)
    .option('--max-seconds <N>', 'begin no round after so many', number)
    .option('--json', 'one JSON object on the standard output')
    .addHelpText(
      'after',
      `
Examples:
  lockstep bench
  lockstep bench --network 784-128-10 --batch 32 --workers 1,2 --json
${exitCodes}`,
    )
    .action(ending(async options => (await import('./bench.ts')).bench(options)))
}
