import { inRange } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import { addPositions, sinePositions } from '../ops/position.ts'
import { pow } from '../training/elementary.ts'
import type { InitializerIdentifier } from '../training/initializers.ts'
import { type Builder, defineLayer } from './define.ts'

function checkSequence(refuse: Builder['refuse'], x: Value): readonly [time: number, features: number] {
  if (x.shape.length !== 2 || x.shape.includes(0))
    refuse(`the input must have shape [time, features], got [${x.shape}]; reshape it`)
  return x.shape as [number, number]
}

/**
 * y = x + p: a learned vector for each position is added to every sample, (time, features) → the same. (KerasHub's
 * layer of this name returns p alone, to be added.)
 */
export const positionEmbedding = defineLayer(
  'PositionEmbedding',
  { initializer: 'glorotUniform' as InitializerIdentifier },
  () => {},
  ({ g, weight, refuse }, x, { initializer }) => {
    return addPositions(g, x, weight('embeddings', checkSequence(refuse, x), { initializer }))
  },
  'passes',
)

/**
 * y = x + p with p(i, j) = sin(i·f) for even j, cos(i·f) for odd j, f = maxWavelength^(−2·⌊j / 2⌋ / features):
 * (time, features) → the same. Nothing is learnt. Source: Vaswani et al., "Attention Is All You Need" (2017),
 * section 3.5. (KerasHub's layer of this name returns p alone, to be added.)
 */
export const sinePositionEncoding = defineLayer(
  'SinePositionEncoding',
  {
    /** Wavelength of the slowest sine, over 2π. */
    maxWavelength: 10000,
  },
  (where, { maxWavelength }) => inRange(where, 'maxWavelength', maxWavelength, '(0, Infinity)'),
  ({ g, refuse }, x, { maxWavelength }) => {
    const shape = checkSequence(refuse, x)
    return addPositions(g, x, sinePositions(g, shape, pow(maxWavelength, -2 / shape[1])))
  },
  'passes',
)
