import type { ParametersOf, Trial } from '../../src/tune/tune.ts'
import { lossesOf, type networks, readTable } from './tables.ts'

const wine = await readTable('wine')

/** For threads: the last loss of a network after three epochs. */
export default async ({ parameters, seed }: Trial<ParametersOf<typeof networks>>): Promise<number> =>
  (await lossesOf(wine, parameters, seed, 3)).at(-1)!
