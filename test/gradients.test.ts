import { describe, expect, test } from 'vitest'
import { samples, sizeOf, type Value, write } from '../src/graph/value.ts'
import { defineLayer } from '../src/layers/define.ts'
import * as layers from '../src/layers/table.ts'
import { activate } from '../src/ops/activation.ts'
import { dense as denseOp } from '../src/ops/dense.ts'
import { losses } from '../src/training/losses.ts'
import type { Loss } from '../src/training/rowLosses.ts'
import { relativeError } from './bed.ts'
import { type Example, examples, masked } from './cases.ts'
import { drawFor, drawOf, type LossName, lossShapes, ofProbabilities, setupOf } from './reference/draw.ts'
import { logitLossReferences, lossReferences, type RowLoss } from './reference/losses.ts'
import { type Inputs, measure, type Setup } from './reference/measure.ts'
import { type Draw, gradientError, lossesOf, prove, wide } from './reference/prove.ts'

// The bounds asked for are 1e-5 and 1e-4; what float32 gives is below 2e-6 everywhere.
const forwardLimit = 5e-6
const gradientLimit = 1e-5
/** Between two orders of summation. */
const leavesLimit = 1e-6

/** The gradients of three leaves, in a plan with room for more samples, against those of one. */
function leavesError(setup: Setup, inputs: Inputs): number {
  const [one, three] = [1, 3].map(leaves => {
    const { gradients, dx } = measure({ ...setup, leaves, rows: setup.samples + 2 * (leaves - 1) }, inputs)
    return { ...gradients, dx }
  })
  return Math.max(...Object.entries(one!).map(([name, dw]) => relativeError(three![name as 'dx'], dw)))
}

/** Proves forward values and all gradients of the layers under a loss. */
function proveAll(setup: Setup, rowLoss: RowLoss, draw: Draw): void {
  const { inputs, forward, gradients, moved } = prove(setup, rowLoss, draw)
  expect(forward).toBeLessThan(forwardLimit)
  for (const [name, error] of Object.entries(gradients))
    expect(error, `gradient of ${name}`).toBeLessThan(gradientLimit)
  expect(moved).toBeLessThan(forwardLimit)
  expect(leavesError(setup, inputs)).toBeLessThan(leavesLimit)
}

describe.each([...Object.entries(examples), ...Object.entries(masked)])(
  '%s',
  (_, list: readonly Example[]) => {
    test.each(list.map(example => [example.title, example] as const))('%s', (_, example) => {
      const setup = setupOf(example)
      const draw = drawOf(example, setup)
      proveAll(setup, lossReferences.meanSquaredError, draw)
    })
  },
)

test('multiHeadAttention with biases, of which that of the key has no influence', () => {
  const layer = layers.multiHeadAttention({ numHeads: 2, keyDim: 3, useCausalMask: true })
  const setup = { layers: [layer], input: [5, 4], samples: 3, loss: losses.meanSquaredError }
  const { forward, gradients } = prove(
    setup,
    lossReferences.meanSquaredError,
    drawFor(setup, 'meanSquaredError'),
  )
  expect(forward).toBeLessThan(forwardLimit)
  const { [`${layer.name}/key/bias`]: _, ...others } = gradients
  expect(Object.keys(others)).toHaveLength(8)
  for (const [name, error] of Object.entries(others)) expect(error, name).toBeLessThan(gradientLimit)
})

const { activation, batchNormalization, conv2d, dense, dropout, flatten, globalAveragePooling2d } = layers
const { maxPooling2d, averagePooling2d, leakyReLU, reshape } = layers

describe.each(Object.keys(losses) as LossName[])('loss %s', name => {
  const probable = ofProbabilities(name)
  test.each(lossShapes(name).flatMap(shape => [false, true].map(weighted => [shape, weighted] as const)))(
    'of [%s], weighted %s',
    (input, weighted) => {
      const setup = { layers: [activation({ activation: 'linear' })], input, samples: 4, loss: losses[name] }
      const draw = drawFor(setup, name, { weighted, probable })
      proveAll(setup, lossReferences[name], draw)
    },
  )

  test('behind a dense layer of every activation', () => {
    const ends = probable ? (['softmax', 'sigmoid'] as const) : (['linear', 'tanh', 'relu', null] as const)
    for (const end of ends) {
      const setup = {
        layers: [dense({ units: 4, activation: end })],
        input: [6],
        samples: 5,
        loss: losses[name],
      }
      proveAll(setup, lossReferences[name], drawFor(setup, name, { weighted: true }))
    }
  })
})

describe('cross-entropy from logits', () => {
  const names = Object.keys(logitLossReferences) as (keyof typeof logitLossReferences)[]

  test.each(names)('%s is right and finite at ±1000', name => {
    const end = name.startsWith('binary') ? 'sigmoid' : 'softmax'
    const setup = { layers: [activation({ activation: end })], input: [2, 3], samples: 8, loss: losses[name] }
    const inputs = drawFor(setup, name)(3)
    inputs.x.forEach((x, i) => (inputs.x[i] = i % 5 === 4 ? x : 1000 * Math.sign(x)))
    const { losses: values, dx } = measure(setup, inputs)
    const inputs64 = wide(inputs, setup)
    const expected = () => lossesOf(setup, logitLossReferences[name], inputs64.x, inputs64, () => {})
    expect(relativeError(values, expected().values)).toBeLessThan(1e-6)
    expect(gradientError(() => expected().mean, inputs64.x.values, dx)).toBeLessThan(gradientLimit)
  })

  test.each(names)('%s of a reshaped output sees the new rows', name => {
    const end = name.startsWith('binary') ? 'sigmoid' : 'softmax'
    for (const last of [flatten({}), reshape({ targetShape: [2, 4, 2] })]) {
      const setup = {
        layers: [activation({ activation: end }), last],
        input: [4, 4],
        samples: 3,
        loss: losses[name],
      }
      proveAll(setup, lossReferences[name], drawFor(setup, name))
    }
  })
})

describe('layers together', () => {
  const stacks = {
    'convolutional network': [
      [conv2d({ filters: 5, kernelSize: 3, padding: 'same', activation: 'relu' }), batchNormalization({})],
      [maxPooling2d({}), conv2d({ filters: 17, kernelSize: 2 }), leakyReLU({}), batchNormalization({})],
      [averagePooling2d({ poolSize: 2, strides: 1 }), flatten({}), dense({ units: 9, activation: 'gelu' })],
      [dropout({ rate: 0 }), dense({ units: 3, activation: 'softmax' })],
    ].flat(),
    'global average': [
      conv2d({ filters: 8, kernelSize: 3, strides: 2, padding: 'same', activation: 'swish' }),
      globalAveragePooling2d({}),
      reshape({ targetShape: [2, 4] }),
      dense({ units: 4, activation: 'softmax' }),
      flatten({}),
    ],
    'layers that are computed again': [
      conv2d({ filters: 5, kernelSize: 3, padding: 'same', activation: 'gelu', recompute: true }),
      batchNormalization({ recompute: true }),
      conv2d({ filters: 4, kernelSize: 2, activation: 'tanh', recompute: true }),
      flatten({}),
      dense({ units: 3, activation: 'softmax', recompute: true }),
    ],
    'frozen layers': [
      dense({ units: 6, activation: 'tanh' }),
      dense({ units: 5, activation: 'relu', trainable: false }),
      batchNormalization({ trainable: false }),
      flatten({}),
      dense({ units: 3, activation: 'softmax' }),
    ],
  }
  test.each(Object.keys(stacks) as (keyof typeof stacks)[])('%s', name => {
    const setup = { layers: stacks[name], input: [6, 6, 2], samples: 4, loss: losses.categoricalCrossentropy }
    const draw = drawFor(setup, 'categoricalCrossentropy', { weighted: true })
    proveAll(setup, lossReferences.categoricalCrossentropy, draw)
  })

  test('a layer used twice gets the sum of both gradients', () => {
    const [twice, image] = [
      dense({ units: 5, activation: 'tanh' }),
      conv2d({ filters: 2, kernelSize: 3, padding: 'same' }),
    ]
    const shared = { input: [5], samples: 4, loss: losses.meanSquaredError, layers: [twice, twice, twice] }
    proveAll(shared, lossReferences.meanSquaredError, drawFor(shared, 'meanSquaredError'))
    const convolved = { ...shared, input: [4, 5, 2], layers: [image, image] }
    proveAll(convolved, lossReferences.meanSquaredError, drawFor(convolved, 'meanSquaredError'))
  })

  test('a prediction with two losses gets the sum of both gradients', () => {
    const { meanSquaredError, logcosh } = losses
    const both: Loss = {
      ...meanSquaredError,
      record(g, comparison) {
        logcosh.record(g, comparison)
        return meanSquaredError.record(g, comparison)
      },
    }
    const setup = { layers: [dense({ units: 3 })], input: [4], samples: 3, loss: both }
    const inputs = drawFor(setup, 'meanSquaredError')(1)
    const sums = ([meanSquaredError, logcosh] as Loss[]).map(loss => measure({ ...setup, loss }, inputs).dx)
    const dx = sums[0]!.map((value, i) => value + sums[1]![i]!)
    expect(relativeError(measure(setup, inputs).dx, dx)).toBeLessThan(1e-6)
  })
})

/** y = tanh(x) · (x·kernel) · x, three uses of x. */
const branches = defineLayer(
  'Branches',
  {},
  () => {},
  ({ g, weight }, x) => {
    const w = weight('kernel', [x.shape[0]!, x.shape[0]!], { initializer: 'zeros' })
    const elements = samples(sizeOf(x.shape))
    const multiply = (a: Value, b: Value): Value => {
      const y = g.batch('product', a.shape, a, b)
      g.call('multiply', elements, a, b, write(y))
      g.onBackward(y, dy => {
        g.contribute(a, da => g.call('multiply', elements, dy, b, da))
        g.contribute(b, db => g.call('multiply', elements, dy, a, db))
      })
      return y
    }
    return multiply(multiply(activate(g, x, 'tanh'), denseOp(g, x, w, undefined)), x)
  },
)

test('a value used three times gets the sum of all gradients', () => {
  const n = 5
  const setup = { layers: [branches({})], input: [n], samples: 3, loss: losses.meanSquaredError }
  const inputs = drawFor(setup, 'meanSquaredError')(1)
  const { y, dx, gradients } = measure(setup, inputs)
  const { x, target, weights, weight } = wide(inputs, setup)
  const [[name, w]] = Object.entries(weights) as [[string, Float64Array]]
  const predicted = () =>
    x.values.map((value, i) => {
      const row = x.values.subarray(i - (i % n), i - (i % n) + n)
      return Math.tanh(value) * value * row.reduce((sum, a, k) => sum + a * w[k * n + (i % n)]!, 0)
    })
  const f = () =>
    lossesOf(
      setup,
      lossReferences.meanSquaredError,
      { shape: x.shape, values: predicted() },
      { x, target, weights, weight },
      () => {},
    ).mean
  expect(relativeError(y, predicted())).toBeLessThan(forwardLimit)
  expect(gradientError(f, x.values, dx)).toBeLessThan(gradientLimit)
  expect(gradientError(f, w, gradients[name]!)).toBeLessThan(gradientLimit)
})
