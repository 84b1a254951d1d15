// Networks whose training is measured. Plain data: processes of other languages read it as JSON.
import type { Model } from 'lockstep'

/** Name of a layer's maker with its options; or layers whose output is added to their input. */
export type Part =
  | readonly [string, Readonly<Record<string, unknown>>]
  | { readonly residual: readonly Part[] }

export interface Workload {
  readonly name: string
  /** Shape of one sample. */
  readonly input: readonly number[]
  /** Inputs are numbers of this many things rather than measurements. */
  readonly vocabulary?: number
  /** Every step of a sequence has a target of its own. */
  readonly targetPerStep?: true
  readonly layers: readonly Part[]
  readonly loss: 'meanSquaredError' | 'sparseCategoricalCrossentropy'
  readonly optimizer: 'sgd' | 'adam' | 'adamw'
  readonly batchSize: number
  /** Samples of an epoch. */
  readonly samples: number
  /** Leaves that Lockstep trains one after the other, so that what is alive at once stays near the cores. */
  readonly leaves?: number
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
]

const same = { kernelSize: 3, padding: 'same', useBias: false }
const separable = (strides: number): readonly Part[] => [
  ['separableConv2d', { ...same, filters: 64, strides }],
  ['batchNormalization', {}],
  ['activation', { activation: 'relu' }],
]

/** A block of GPT-2: 4 heads of 32, normalisation before each part. */
const transformer: readonly Part[] = [
  {
    residual: [
      ['layerNormalization', {}],
      ['multiHeadAttention', { numHeads: 4, keyDim: 32, useCausalMask: true }],
    ],
  },
  {
    residual: [
      ['layerNormalization', {}],
      ['dense', { units: 512, activation: 'gelu' }],
      ['dense', { units: 128 }],
    ],
  },
]

/** Networks of the other kinds of layers. */
export const layerWorkloads: readonly Workload[] = [
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
  {
    name: 'GPT 4×128, context 64, adamw 32',
    input: [64],
    vocabulary: 80,
    targetPerStep: true,
    layers: [
      ['embedding', { inputDim: 80, outputDim: 128 }],
      ['positionEmbedding', {}],
      ...Array.from({ length: 4 }, () => transformer).flat(),
      ['layerNormalization', {}],
      ['dense', { units: 80, activation: 'softmax' }],
    ],
    loss: 'sparseCategoricalCrossentropy',
    optimizer: 'adamw',
    batchSize: 32,
    samples: 128,
    leaves: 4,
    asked: { torch: 1.2, tfjs: 20 },
  },
  {
    name: 'embedding 20000×128 of 200, adam 32',
    input: [200],
    vocabulary: 20_000,
    layers: [['embedding', { inputDim: 20_000, outputDim: 128 }], ['globalAveragePooling1d', {}], softmax],
    loss: 'sparseCategoricalCrossentropy',
    optimizer: 'adam',
    batchSize: 32,
    samples: 1024,
    asked: { torch: 1, tfjs: 20 },
  },
  {
    name: 'separable 32×32×32 64 64 10 adam 32',
    input: [32, 32, 32],
    layers: [...separable(1), ...separable(2), ['globalAveragePooling2d', {}], softmax],
    loss: 'sparseCategoricalCrossentropy',
    optimizer: 'adam',
    batchSize: 32,
    samples: 256,
    asked: { torch: 1, tfjs: 20 },
  },
]

const product = (sizes: readonly number[]) => sizes.reduce((result, n) => result * n, 1)

/** Shape of one sample's target, which TensorFlow.js wants with an axis for the class. */
export const targetShape = ({ input, targetPerStep }: Workload): number[] =>
  targetPerStep ? [...input, 1] : [1]

/**
 * Samples x (n, …input) in [−0.5, 0.5), or numbers below the vocabulary, and targets y (n, …targetShape): class numbers, or twice
 * the first input plus one. Inputs of both signs keep relu units alive: the moments of dead ones fade into denormal numbers,
 * which slow every trainer down.
 */
export function dataOf(workload: Workload, samples: number): { x: Float32Array; y: Float32Array } {
  const { input, loss, vocabulary } = workload
  const size = product(input)
  const x = new Float32Array(samples * size)
  for (let i = 0; i < x.length; i++) {
    x[i] = vocabulary ? Math.floor(((i * 7919) % 100_003) % vocabulary) : ((i * 7919) % 1009) / 1009 - 0.5
  }
  const y = new Float32Array(samples * product(targetShape(workload)))
  for (let i = 0; i < y.length; i++) y[i] = loss === 'meanSquaredError' ? 2 * x[i * size]! + 1 : (i * 7) % 10
  return { x, y }
}

type Maker = (config: Readonly<Record<string, unknown>>) => { apply(x: unknown): unknown }

/** What Lockstep and TensorFlow.js have in common. */
interface Library<Network> {
  readonly layers: object
  readonly train: object
  input(options: { shape: number[] }): unknown
  model(options: never): Network
}

/** The workload's compiled model, in Lockstep or in TensorFlow.js; `more` are options of compile. */
export function buildModel<Network extends { compile(options: never): void } = Model>(
  library: Library<Network>,
  { input, layers, loss, optimizer }: Workload,
  more: object = {},
): Network {
  const makers = library.layers as Record<string, Maker>
  const chain = (x: unknown, parts: readonly Part[]): unknown =>
    parts.reduce((value: unknown, part) => {
      if (!('residual' in part)) return makers[part[0]]!(part[1]).apply(value)
      return makers.add!({}).apply([value, chain(value, part.residual)])
    }, x)
  const inputs = library.input({ shape: [...input] })
  const model = library.model({ inputs, outputs: chain(inputs, layers) } as never)
  const optimizers = library.train as Record<string, (rate: number) => unknown>
  const rate = optimizer === 'sgd' ? 0.01 : 1e-3
  model.compile({ optimizer: optimizers[optimizer]!(rate), loss, ...more } as never)
  return model
}
