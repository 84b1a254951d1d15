import type { Graph } from '../graph/graph.ts'
import type { Value } from '../graph/value.ts'
import { allOf } from '../ops/masks.ts'

/**
 * What becomes of the masks of a layer's inputs: its outputs take over that of the first (`passes`), or the steps
 * that all inputs count (`combines`), or none (`drops`), where `build` has not noted one itself; or they have what
 * `build` notes (`notes`).
 */
export type Masking = 'passes' | 'combines' | 'drops' | 'notes'

/** The outputs of a layer, with the masks that its inputs hand on to them. */
export function spreadMasks(
  g: Graph,
  masking: Exclude<Masking, 'notes'>,
  inputs: readonly Value[],
  outputs: readonly Value[],
): readonly Value[] {
  // An output that is an input as it came would keep the mask of the input.
  if (masking === 'drops') return outputs.map(y => (inputs.includes(y) ? g.view(y, y.shape) : y))
  const bare = outputs.filter(y => !g.masks.of(y))
  const taken = masking === 'passes' ? inputs.slice(0, 1) : inputs
  const masks = bare.length > 0 ? taken.flatMap(x => g.masks.of(x) ?? []) : []
  const mask = allOf(g, masks)
  for (const y of bare) if (mask) g.masks.set(y, mask)
  return outputs
}
