import { kFold } from '../tune/tune.ts'
import type { TrainConfiguration } from './options.ts'
import type { Prepared } from './preparing.ts'
import { allButTest, type Parts } from './splitting.ts'

/** All rows but the test's in folds: each is validated with once. Classes have their shares, groups stay together. */
export function foldsOf(
  { parts, roles, truthAt, target }: Prepared,
  { seed = 7, group }: Pick<TrainConfiguration, 'seed' | 'group'>,
  folds: number,
): Pick<Parts, 'training' | 'validation'>[] {
  const rows = allButTest(parts)
  const labels = (of: (row: number) => number) => Array.from(rows, of)
  const split = kFold(rows.length, {
    folds,
    seed,
    ...(target.task === 'class' && { stratify: labels(truthAt) }),
    ...(group !== undefined && { groups: labels(row => roles.divider!.values[row]!) }),
  })
  const taken = (places: Int32Array) => Uint32Array.from(places, place => rows[place]!)
  return split.map(({ train, test }) => ({ training: taken(train), validation: taken(test) }))
}
