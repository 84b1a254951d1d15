import type { Command } from 'commander'
import { counts, ending, exitCodes, given, list, number, reading, running, training } from './arguments.ts'

/** learning-rate,width as learningRate, width. */
const parameters = (text: string): string[] =>
  list(text).map(name => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()))

const onTable = (command: Command): Command =>
  training(running(reading(command))).argument('[DATA]', 'a table: .csv, .tsv, .jsonl or .parquet')

/** Options and data in one object. */
const together = (data: string | undefined, options: Record<string, unknown>) => ({
  ...given(options),
  ...(data !== undefined && { data }),
})

/** Commands that train many networks to learn from their comparison. */
export function addSearches(program: Command): void {
  onTable(program.command('tune'))
    .summary('search for the best settings of a network for a table, and train it')
    .description(
      'Searches for learning rate, schedule, optimizer, depth, width, dropout, weight decay, noise and batch size: for all ' +
        'that no option fixes. Then trains the best, as train does. The test part has no say in the search.',
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
${exitCodes}`,
    )
    .action(ending(async (data, options) => (await import('./tune.ts')).tune(together(data, options))))
}
