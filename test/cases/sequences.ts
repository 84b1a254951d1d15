import { sizeOf } from '../../src/graph/value.ts'
import { Layer } from '../../src/layers/define.ts'
import { activate, activationNames } from '../../src/ops/activation.ts'
import { concat, crop } from '../../src/ops/moves.ts'
import { cross, type Example, makeLayer, of, weightSettings } from './example.ts'

const layerNormalization = of('layerNormalization')
const normExamples = cross(
  [{}, { center: false }, { scale: false }, { center: false, scale: false }, { epsilon: 0.1 }],
  [[5], [17], [3, 4, 8], [2, 3, 33]],
).map(([options, input]) => layerNormalization(options, input, { samples: 4 }))

const embedding = of('embedding')
const embeddingExamples = [1, 3, 4, 8, 16, 17, 33].map((outputDim, i) =>
  embedding({ inputDim: 1 + 2 * i, outputDim }, [1 + i], { integers: 1 + 2 * i }),
)

/** Steps, features, units: edges of tiles and panels, of the second block of samples, of nothing recurrent. */
const shapes = [
  [1, 3, 3],
  [2, 1, 1],
  [3, 4, 3],
  [4, 5, 5],
  [3, 8, 8],
  [5, 2, 7],
  [2, 17, 16],
  [3, 3, 17],
] as const
type RecurrentName = 'gru' | 'lstm' | 'simpleRNN'

/**
 * A recurrent layer whose initial states are parts of its input, tanh of the first features of the first steps, and
 * whose outputs, if there are several, lie side by side.
 */
export function seeded(
  name: RecurrentName,
  options: object,
  input: readonly number[],
  masked = false,
): Example {
  const given = { units: 3, returnState: true, ...options }
  const inner = makeLayer(name, given)
  const count = name === 'lstm' ? 2 : 1
  const layer = new (class extends Layer {
    override get weights() {
      return inner.weights
    }
  })(inner.className, { ...inner.config, seeded: true }, { name: inner.name }, ({ g }, [x]) => {
    const states = Array.from({ length: count }, (_, step) =>
      activate(g, g.view(crop(g, x!, [step, 0], [1, given.units]), [given.units]), 'tanh'),
    )
    const outputs = inner.buildAll(g, [x!, ...states])
    const flat = () => outputs.map(y => g.view(y, [sizeOf(y.shape)]))
    return outputs.length === 1 ? outputs : [concat(g, flat(), 0)]
  })
  const title = `${name} ${JSON.stringify(given)} [${input}] with states${masked ? ', masked' : ''}`
  const inputs = [input, ...Array<number[]>(count).fill([given.units])]
  return {
    title,
    layer,
    options: given,
    inner: { layer: inner, inputs },
    input,
    samples: 4,
    spread: 1,
    masked,
  }
}

/** Examples of all that a recurrent layer does with states. */
export const seededExamples = (name: RecurrentName, options: object, masked = false): Example[] => [
  seeded(name, options, [2, 3], masked),
  seeded(name, { ...options, returnSequences: true, units: 5 }, [4, 6], masked),
  seeded(name, { ...options, goBackwards: true, units: 17 }, [3, 17], masked),
  seeded(name, { ...options, returnSequences: true, goBackwards: true, returnState: false }, [5, 4], masked),
  seeded(name, { ...options, dropout: 0.3, recurrentDropout: 0.4 }, [4, 3], masked),
  seeded(name, { ...options, recurrentDropout: 0.4, returnSequences: true }, [4, 3], masked),
]

export const gated = { activation: 'tanh', recurrentActivation: 'sigmoid' }
const recurrentExamples = (name: RecurrentName, options: object = {}) => [
  ...shapes.flatMap(([time, features, units], i) =>
    [false, true].map(returnSequences => {
      const given = { ...options, units, returnSequences, useBias: i % 3 > 0, goBackwards: i % 2 > 0 }
      return of(name)(given, [time, features], { spread: 1 })
    }),
  ),
  of(name)({ ...options, units: 5 }, [2, 2], { samples: 50, spread: 1 }),
  of(name)({ ...options, units: 5, dropout: 0.3, recurrentDropout: 0.4 }, [4, 3], { samples: 4 }),
  ...activationNames.map(activation =>
    of(name)({ ...options, units: 3, activation, returnSequences: true }, [3, 2], { samples: 2, spread: 1 }),
  ),
  ...seededExamples(name, options),
  of(name)({ ...options, units: 3, unroll: true, ...weightSettings(name) }, [3, 2]),
]

const gatesOf = (name: 'gru' | 'lstm') =>
  activationNames.map(recurrentActivation =>
    of(name)({ units: 3, recurrentActivation }, [3, 2], { samples: 2, spread: 1 }),
  )

/** Examples of the layers that sequences are made for. */
export const sequences = {
  embedding: [
    ...embeddingExamples,
    embedding({ inputDim: 40, outputDim: 5 }, [3, 4], { integers: 40, samples: 2 }),
    embedding({ inputDim: 3, outputDim: 20, inputLength: 50 }, [50], { integers: 3 }),
    embedding({ inputDim: 5, outputDim: 3, ...weightSettings('embedding') }, [4], { integers: 5 }),
  ],
  gru: [
    ...recurrentExamples('gru', gated),
    ...recurrentExamples('gru', { ...gated, resetAfter: true }),
    of('gru')({ units: 4, implementation: 2 }, [5, 3]),
    ...gatesOf('gru'),
  ],
  layerNormalization: [
    ...normExamples,
    layerNormalization({ axis: 2 }, [3, 4]),
    layerNormalization(weightSettings('layerNormalization'), [2, 5]),
    layerNormalization({ axis: [-1] }, [40], { samples: 70 }),
  ],
  lstm: [
    ...recurrentExamples('lstm', gated),
    of('lstm')({ units: 4, unitForgetBias: true, implementation: 2 }, [5, 3]),
    ...gatesOf('lstm'),
  ],
  simpleRNN: recurrentExamples('simpleRNN'),
}
