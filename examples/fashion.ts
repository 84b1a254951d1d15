// node examples/fashion.ts: a convolutional network tells ten kinds of clothes apart (Fashion-MNIST).
import * as ls from 'lockstep'
import { foundFashion } from './data.ts'
import { type Running, running, type Score, start } from './score.ts'

const { layers } = ls

const settings = {
  ...running,
  epochs: 12,
  batchSize: 128,
  /** Images that are trained on. */
  samples: 60_000,
  learningRate: 2e-3,
  /** Test accuracy that must be reached. */
  bound: 0.92,
}
type Settings = typeof settings & Running

/** A convolution whose statistics are normalised, then half the height and width. */
const convolution = (filters: number) => [
  layers.conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false, kernelInitializer: 'heNormal' }),
  layers.batchNormalization({ momentum: 0.9 }),
  layers.reLU({}),
  layers.maxPooling2d({ poolSize: 2 }),
]

/** Clothes look the same in a mirror, and a little to the side. */
const augmentation = () => [
  layers.randomFlip({ mode: 'horizontal', inputShape: [28, 28, 1] }),
  layers.randomTranslation({ heightFactor: 0.05, widthFactor: 0.05, fillMode: 'constant' }),
]

function build(seed: number): ls.Sequential {
  return ls.sequential({
    layers: [
      ...augmentation(),
      ...convolution(32),
      ...convolution(64),
      ...convolution(128),
      layers.flatten({}),
      layers.dropout({ rate: 0.3 }),
      layers.dense({ units: 256, activation: 'relu' }),
      layers.dropout({ rate: 0.3 }),
      layers.dense({ units: 10, activation: 'softmax' }),
    ],
    seed,
  })
}

const firstOf = ({ x, y }: { x: ls.Tensor; y: ls.Tensor }, count: number): [ls.Tensor, ls.Tensor] => {
  const [, ...shape] = x.shape
  const size = shape.reduce((product, n) => product * n, 1)
  return [
    new ls.Tensor(x.values.subarray(0, count * size), [count, ...shape], x.dtype, x.scale),
    new ls.Tensor(y.values.subarray(0, count), [count], y.dtype),
  ]
}

export async function fashion(options: Partial<Settings> = {}): Promise<readonly Score[]> {
  const { epochs, batchSize, samples, learningRate, bound, seed, workers, say } = { ...settings, ...options }
  const { train, test } = ls.datasets.fashionMnist(foundFashion())
  const model = build(seed)
  const decaySteps = epochs * Math.ceil(samples / batchSize)
  const rate = ls.schedules.cosine({ initialLearningRate: learningRate, decaySteps })
  model.compile({
    optimizer: ls.train.adamw({ learningRate: rate, weightDecay: 0.01 }),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
  })
  await model.fit(...firstOf(train, samples), {
    epochs,
    batchSize,
    seed,
    workers,
    callbacks: {
      onEpochEnd(epoch, logs) {
        say(`epoch ${epoch + 1}  loss ${logs!.loss!.toFixed(4)}  accuracy ${logs!.acc!.toFixed(4)}`)
      },
    },
  })
  const { acc } = await model.evaluateAsync(test.x, test.y)
  model.dispose()
  return [{ name: 'Fashion-MNIST: test accuracy', value: acc!, bound, better: 'atLeast' }]
}

await start(import.meta.url, fashion)
