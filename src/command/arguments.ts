import { type Command, InvalidArgumentError, Option } from 'commander'
import { oneOf } from '../errors.ts'
import { columnTypes } from '../tables/fields.ts'

export const exitCodes = `
Exit codes: 0 done; 1 the data, the model or the training is at fault; 2 the command line is;
130 and 143 SIGINT or SIGTERM ended training, which is saved.`

/** What DATA may be. */
export const tables = 'a table (.csv, .tsv, .jsonl, .json, .parquet)'
export const arrays = 'arrays (.npz, .npy, IDX, a folder of them)'
export const images = 'a folder of images'

export const number = (text: string): number => {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.')
  return value
}
/** 2GB, 512 MiB, 1.5e9 are bytes. */
export const bytes = (text: string): number => {
  const [, count = '', prefix = '', binary] = /^\s*(\S*?)\s*(?:([kMGT]?)(i?)B)?\s*$/i.exec(text) ?? []
  const power = ['', 'k', 'm', 'g', 't'].indexOf(prefix.toLowerCase())
  if (!(Number(count) > 0)) throw new InvalidArgumentError('It must be bytes, as 2GB, 512MiB or 300000000.')
  return Number(count) * (binary ? 1024 : 1000) ** power
}
const threshold = (text: string): number | string => (/^[a-z]/.test(text) ? text : number(text))
export const list = (text: string): string[] => text.split(',')
export const numbers = (text: string): number[] => (text === '' ? [] : list(text).map(number))
export const counts = (text: string): number | 'auto' => (text === 'auto' ? text : number(text))
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
export const reading = (command: Command): Command =>
  command
    .option('--format <NAME>', 'csv, tsv, jsonl, json (a list) or parquet; told by the ending unless given')
    .option('--delimiter <CHARACTER>', 'of CSV; told by the first line unless given')
    .option('--no-header', 'the first line of CSV holds no names; columns are column1, column2 …')
    .option('--skip-ragged', 'set rows with too few or too many fields aside, and count them')
    .option('--json', 'one JSON object on the standard output')

export const running = (command: Command): Command =>
  command.option('--workers <N>', 'threads, or auto (results do not depend on it)', counts)

/** What commander makes of --no-header is left out where it was not given: a configuration may say otherwise. */
export function given(options: Record<string, unknown>): Record<string, unknown> {
  const { header, ...rest } = options
  return header === false ? { ...rest, header } : rest
}

/** Options about what is trained. */
export const training = (command: Command): Command =>
  command
    .option('--target <COLUMN>', 'of a table: the column to predict')
    .option('--labels <NAME>', 'of arrays: the file of labels, or the array of an .npz')
    .option('--task <KIND>', 'class or regression; told by the target unless given')
    .option('--types <LIST>', 'types that are not to be guessed: zip=category,size=number', types)
    .option('--ignore <LIST>', 'columns that are not to be used', list)
    .option('--group <COLUMN>', 'rows of one value of it stay in one part')
    .option('--time <COLUMN>', 'the latest rows by it are the test')
    .option('--validation <SHARE>', 'of rows that decide when to stop (0.15)', number)
    .option('--test <SHARE>', 'of rows that are only scored (0.15)', number)
    .option('--balance', 'rare classes weigh more')
    .option('--threshold <P>', 'of the second of two classes: a probability, balanced, or f1', threshold)
    .option('--hidden <LIST>', 'units of the hidden layers: 256,64; "" for a linear model', numbers)
    .option('--model <FILE>', 'a network: .js or .ts that makes it, or .json of a layers model')
    .option('--text', 'DATA is a text that is to be continued')
    .option('--blocks <N>', 'of attention, in a network for text', number)
    .option('--width <N>', 'of such a block: a multiple of 32', number)
    .option('--context <N>', 'characters that it sees (64)', number)
    .option('--steps <N>', 'updates that it is trained for', number)
    .option('--size <N>', 'of a folder of images: rows and columns that each is brought to (64)', number)
    .option('--filters <LIST>', 'of the convolutions for images: 32,64,128', numbers)
    .option('--augment', 'mirror, move and zoom images a little in training')
    .option('--dropout <RATE>', 'after each hidden layer', number)
    .option('--l2 <FACTOR>', "of the weights' squares in the loss", number)
    .option('--weight-decay <FACTOR>', 'of a weight that an update at rate 1 takes away', number)
    .option('--noise <DEVIATION>', 'added to the inputs, which are of deviation 1, in training', number)
    .option('--learning-rate <RATE>', 'of the optimizer', number)
    .option('--optimizer <NAME>', 'adam, momentum, rmsprop or lion (adam)')
    .option('--schedule <NAME>', 'how the rate falls: cosine, plateau, or constant')
    .option('--batch-size <N>', 'rows a step', number)
    .option('--leaves <N>', 'parts of such a step whose gradients are summed in a fixed order (1)', number)
    .option('--epochs <N>', 'at most', number)
    .option('--patience <N>', 'epochs without a better validation loss before it stops', number)
    .option(
      '--refit',
      'train again with the validation rows, which is done below 10,000 rows; --no-refit: do not',
    )
    .addOption(new Option('--no-refit').hideHelp())
    .option('--seed <N>', 'decides every random choice (7)', number)
    .option('--max-seconds <N>', 'train no longer', number)
    .option('--disk', 'of a table: keep encoded rows in a file; told by --max-memory unless given')
    .option('--max-memory <SIZE>', 'take no more for data and training: 2GB, 512MiB, bytes', bytes)
    .option(
      '--config <FILE>',
      'the configuration.json of a training, to repeat it; options here go before it',
    )

/** Ends with the code that the command resolves with. */
export const ending =
  <A extends unknown[]>(act: (...args: A) => Promise<number>) =>
  async (...args: A): Promise<void> => {
    process.exitCode = await act(...args)
  }
