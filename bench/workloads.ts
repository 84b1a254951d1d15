// Networks whose training is measured. Plain data: processes of other languages read it as JSON.
import type { Sequential } from 'lockstep'

export interface Workload {
  readonly name: string
  /** Shape of one sample. */
  readonly input: readonly number[]
  /** Name of the layer's maker, and its options. */
  readonly layers: readonly (readonly [string, Readonly<Record<string, unknown>>])[]
  readonly loss: 'meanSquaredError' | 'sparseCategoricalCrossentropy'
  readonly optimizer: 'sgd' | 'adam'
  readonly batchSize: number
  /** Samples of an epoch. */
  readonly samples: number
  /** Least ratios to peers that are asked for. */
  readonly asked: { readonly torch?: number; readonly tfjs?: number }
}

const relu = (units: number) => ['dense', { units, activation: 'relu' }] as const
const softmax = ['dense', { units: 10, activation: 'softmax' }] as const

function digits(
  hidden: readonly number[],
  rest: Pick<Workload, 'optimizer' | 'batchSize' | 'asked'>,
): Workload {
  const { optimizer, batchSize } = rest
  return {
    name: `784-${hidden.join('-')}-10 ${optimizer} ${batchSize}`,
    input: [784],
    layers: [...hidden.map(relu), softmax],
    loss: 'sparseCategoricalCrossentropy',
    samples: Math.max(8192, 32 * batchSize),
    ...rest,
  }
}

export const workloads: readonly Workload[] = [
  {
    name: '1-1 sgd 32',
    input: [1],
    layers: [['dense', { units: 1 }]],
    loss: 'meanSquaredError',
    optimizer: 'sgd',
    batchSize: 32,
    samples: 1 << 18,
    asked: { torch: 20 },
  },
  ...[32, 128].flatMap(batchSize =>
    (['sgd', 'adam'] as const).map(optimizer =>
      digits([128], { optimizer, batchSize, asked: { torch: 1.5 } }),
    ),
  ),
  digits([512, 512], { optimizer: 'adam', batchSize: 128, asked: { torch: 1.2, tfjs: 50 } }),
  digits([512, 512], { optimizer: 'adam', batchSize: 1024, asked: { torch: 1.05, tfjs: 50 } }),
  {
    name: '32-64-64-1 adam 256',
    input: [32],
    layers: [relu(64), relu(64), ['dense', { units: 1 }]],
    loss: 'meanSquaredError',
    optimizer: 'adam',
    batchSize: 256,
    samples: 1 << 17,
    asked: { torch: 3 },
  },
  {
    name: 'CNN adam 128',
    input: [28, 28, 1],
    layers: [
      ['conv2d', { filters: 32, kernelSize: 3, activation: 'relu' }],
      ['conv2d', { filters: 64, kernelSize: 3, activation: 'relu' }],
      ['maxPooling2d', { poolSize: 2 }],
      ['flatten', {}],
      relu(128),
      softmax,
    ],
    loss: 'sparseCategoricalCrossentropy',
    optimizer: 'adam',
    batchSize: 128,
    samples: 512,
    asked: { torch: 1.2, tfjs: 30 },
  },
  {
    name: 'LSTM 64×32 128 10 adam 64',
    input: [64, 32],
    layers: [['lstm', { units: 128 }], softmax],
    loss: 'sparseCategoricalCrossentropy',
    optimizer: 'adam',
    batchSize: 64,
    samples: 1024,
    asked: { torch: 1.5, tfjs: 20 },
  },
]

/**
 * Samples x (n, …input) in [−0.5, 0.5) and targets y (n): class numbers, or twice the first input plus one. Inputs of both
 * signs keep relu units alive: the moments of dead ones fade into denormal numbers, which slow every trainer down.
 */
export function dataOf({ input, loss }: Workload, samples: number): { x: Float32Array; y: Float32Array } {
  const size = input.reduce((product, n) => product * n, 1)
  const x = new Float32Array(samples * size)
  for (let i = 0; i < x.length; i++) x[i] = ((i * 7919) % 1009) / 1009 - 0.5
  const y = new Float32Array(samples)
  for (let i = 0; i < samples; i++) y[i] = loss === 'meanSquaredError' ? 2 * x[i * size]! + 1 : (i * 7) % 10
  return { x, y }
}

type Maker = (config: Record<string, unknown>) => never

/** What Lockstep and TensorFlow.js have in common. */
interface Library<Model> {
  readonly layers: object
  readonly train: object
  sequential(options: { layers: never[] }): Model
}

/** The workload's compiled model, in Lockstep or in TensorFlow.js. */
export function buildModel<Model extends { compile(options: never): void } = Sequential>(
  library: Library<Model>,
  { input, layers, loss, optimizer }: Workload,
): Model {
  const makers = library.layers as Record<string, Maker>
  const made = layers.map(([name, config], i) =>
    makers[name]!(i === 0 ? { ...config, inputShape: [...input] } : config),
  )
  const model = library.sequential({ layers: made })
  const optimizers = library.train as Record<string, (rate: number) => unknown>
  model.compile({ optimizer: optimizers[optimizer]!(optimizer === 'sgd' ? 0.01 : 1e-3), loss } as never)
  return model
}
