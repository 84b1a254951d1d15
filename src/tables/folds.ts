import { kFold } from '../tune/tune.ts'
import { allButTest } from './splitting.ts'
import type { Divided, TrialData } from './trying.ts'

/** All rows but the test's in folds: each is validated with once. Classes have their shares, groups stay together. */
export function foldsOf(
  { parts, truthAt, groupAt, target }: Pick<TrialData, 'parts' | 'truthAt' | 'groupAt' | 'target'>,
  seed: number,
  folds: number,
): Divided[] {
  const rows = allButTest(parts)
  const labels = (of: (row: number) => number) => Array.from(rows, of)
  const split = kFold(rows.length, {
    folds,
    seed,
    ...(truthAt && target.task === 'class' && { stratify: labels(truthAt) }),
    ...(groupAt && { groups: labels(groupAt) }),
  })
  const taken = (places: Int32Array) => Uint32Array.from(places, place => rows[place]!)
  return split.map(({ train, test }) => ({ training: taken(train), validation: taken(test) }))
}
