import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import type { InitializerName } from '../src/training/initializers.ts'
import { noise, relativeError } from './bed.ts'
import { batchOf, numbers, type Recipe, twins, weightsOf } from './reference/tfjs.ts'

beforeAll(() => tf.setBackend('cpu'))

type AnyOptimizer = ReturnType<typeof ls.train.sgd>
function close(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string, limit = 2e-6): void {
  expect(relativeError(actual, expected), what).toBeLessThan(limit)
}

/** How far each weight moves. */
const movedFrom = (before: readonly Float32Array[], model: ls.Sequential | tf.LayersModel): Float32Array[] =>
  weightsOf(model).map((w, i) => w.map((value, j) => value - before[i]![j]!))

/**
 * A dense layer all of whose targets lie far below the predictions: no gradient is near 0, where Adam divides
 * rounding errors.
 */
function slope() {
  const recipe: Recipe = [['dense', { units: 18 }]]
  const x = batchOf(
    noise(40, 3).map(v => 1 + v / 2),
    [8, 5],
  )
  return { ...twins(recipe, [5]), x, y: batchOf(new Float32Array(8 * 18).fill(-9), [8, 18]) }
}

describe('optimizers', () => {
  const cases: [string, () => AnyOptimizer, () => tf.Optimizer][] = [
    ['sgd', () => ls.train.sgd(0.1), () => tf.train.sgd(0.1)],
    ['momentum', () => ls.train.momentum(0.1, 0.8), () => tf.train.momentum(0.1, 0.8)],
    ['nesterov', () => ls.train.momentum(0.1, 0.8, true), () => tf.train.momentum(0.1, 0.8, true)],
    ['rmsprop', () => ls.train.rmsprop(0.01), () => tf.train.rmsprop(0.01)],
    ['rmsprop with momentum', () => ls.train.rmsprop(0.01, 0.8, 0.5), () => tf.train.rmsprop(0.01, 0.8, 0.5)],
    [
      'rmsprop centered',
      () => ls.train.rmsprop(0.01, 0.8, 0.5, 1e-6, true),
      () => tf.train.rmsprop(0.01, 0.8, 0.5, 1e-6, true),
    ],
    ['adagrad', () => ls.train.adagrad(0.1), () => tf.train.adagrad(0.1)],
    ['adagrad from 0.5', () => ls.train.adagrad(0.1, 0.5), () => tf.train.adagrad(0.1, 0.5)],
    ['adadelta', () => ls.train.adadelta(), () => tf.train.adadelta()],
    ['adadelta of other rho', () => ls.train.adadelta(1, 0.8, 1e-4), () => tf.train.adadelta(1, 0.8, 1e-4)],
    ['adam', () => ls.train.adam(), () => tf.train.adam()],
    [
      'adam of other betas',
      () => ls.train.adam(0.05, 0.7, 0.9, 1e-3),
      () => tf.train.adam(0.05, 0.7, 0.9, 1e-3),
    ],
    ['adamax', () => ls.train.adamax(), () => tf.train.adamax()],
    [
      'adamax that decays',
      () => ls.train.adamax(0.05, 0.9, 0.999, 1e-7, 0.3),
      () => tf.train.adamax(0.05, 0.9, 0.999, 1e-7, 0.3),
    ],
    [
      'adamax of other betas',
      () => ls.train.adamax(0.05, 0.7, 0.9, 1e-6),
      () => tf.train.adamax(0.05, 0.7, 0.9, 1e-6),
    ],
  ]
  test.each(['Adadelta', 'Adagrad', 'Adam', 'Adamax', 'RMSProp', 'SGD'] as const)(
    '%s is known by name',
    name => {
      const { ours, theirs } = slope()
      for (const given of [name, name.toLowerCase() as 'sgd']) {
        ours.compile({ optimizer: given, loss: 'meanSquaredError' })
        theirs.compile({ optimizer: given, loss: 'meanSquaredError' })
        const { learningRate } = theirs.optimizer as unknown as { learningRate: number }
        expect([ours.optimizer.className, ours.learningRate]).toEqual([
          theirs.optimizer.getClassName(),
          learningRate,
        ])
      }
    },
  )

  test.each(cases)('%s moves weights as TensorFlow.js', async (_, optimizer, theirOptimizer) => {
    const { ours, theirs, x, y } = slope()
    const before = weightsOf(ours)
    ours.compile({ optimizer: optimizer(), loss: 'meanSquaredError' })
    theirs.compile({ optimizer: theirOptimizer(), loss: 'meanSquaredError' })
    for (let step = 0; step < 5; step++) {
      await ours.trainOnBatch(x.ours, y.ours)
      await theirs.trainOnBatch(x.theirs, y.theirs)
    }
    const expected = movedFrom(before, theirs)
    // Changes may be 100 times smaller than the weights, whose rounding they then show.
    movedFrom(before, ours).forEach((change, i) => close(change, expected[i]!, 'change', 1e-4))
    ours.dispose()
  })

  /** Gradients of a weight (4, 16) in the course of 20 steps, some of which are 0: at most 0.01. */
  function recordedGradients(): Float32Array[] {
    const [x, y] = [tf.tensor(noise(8, 5), [2, 4]), tf.tensor(noise(2, 6), [2, 1])]
    const w = tf.variable(tf.tensor(noise(64, 7), [4, 16]))
    const v = tf.variable(tf.tensor(noise(16, 8), [16, 1]))
    const recorded = Array.from({ length: 20 }, () => {
      const error = () => tf.sub(tf.matMul(tf.relu(tf.matMul(x, w)), v), y)
      const { grads } = tf.variableGrads(() => tf.mean(tf.square(error())) as tf.Scalar, [w, v])
      for (const each of [w, v]) each.assign(tf.sub(each, tf.mul(0.05, grads[each.name]!)))
      return grads[w.name]!.dataSync() as Float32Array
    })
    const largest = recorded.flatMap(g => [...g]).reduce((most, g) => Math.max(most, Math.abs(g)), 0)
    return recorded.map(g => g.map(value => (0.01 * value) / largest))
  }

  test.each(cases)(
    '%s moves weights by recorded gradients as TensorFlow.js',
    async (name, optimizer, theirOptimizer) => {
      const gradients = recordedGradients()
      expect(gradients.some(g => g.includes(0))).toBe(true)
      // Hinge of −64·g times the weight, as long as that stays below 1: its gradient is g, to the bit.
      const model = ls.sequential({
        layers: [ls.layers.dense({ units: 64, useBias: false, inputShape: [1] })],
      })
      const begin = noise(64, 9).map(w => w / 10)
      model.setWeights([begin])
      model.compile({ optimizer: optimizer(), loss: 'hinge' })
      const w = tf.variable(tf.tensor(begin, [1, 64]))
      // TensorFlow.js subtracts epsilon where TensorFlow adds it, and so takes the root of less than 0.
      const centered = () => tf.train.rmsprop(0.01, 0.8, 0.5, -1e-6, true)
      const theirs = name === 'rmsprop centered' ? centered() : theirOptimizer()
      for (const g of gradients) {
        const target = g.map(value => -64 * value)
        await model.trainOnBatch([[1]], ls.tensor(target, [1, 64]))
        theirs.applyGradients({ [w.name]: tf.tensor(g, [1, 64]) })
      }
      const moved = (end: ArrayLike<number>) => begin.map((value, i) => end[i]! - value)
      close(moved(weightsOf(model)[0]!), moved(w.dataSync()), 'change', 1e-4)
      model.dispose()
    },
  )

  /** How far one step moves the weights of `slope`. */
  async function stepOf(optimizer: AnyOptimizer): Promise<Float32Array[]> {
    const { ours, x, y } = slope()
    const before = weightsOf(ours)
    ours.compile({ optimizer, loss: 'meanSquaredError' })
    await ours.trainOnBatch(x.ours, y.ours)
    const moved = movedFrom(before, ours)
    ours.dispose()
    return moved
  }

  test('adamw is adam and a decay of the weights', async () => {
    const before = weightsOf(slope().ours)
    const plain = await stepOf(ls.train.adam({ learningRate: 0.1 }))
    const decayed = await stepOf(ls.train.adamw({ learningRate: 0.1, weightDecay: 0.3 }))
    decayed.forEach((change, i) => {
      const expected = plain[i]!.map((value, j) => value - 0.1 * 0.3 * before[i]![j]!)
      close(change, expected, 'adamw', 1e-5)
    })
  })

  test('clipping limits elements, norms, and the common norm', async () => {
    const gradients = await stepOf(ls.train.sgd({ learningRate: 1 }))
    const norm = (values: readonly number[]) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0))
    const norms = gradients.map(dw => norm([...dw]))
    const limits = {
      clipValue: 0.7,
      clipNorm: norms[1]! * 1.01,
      globalClipNorm: 0.5,
      unreached: norm(norms) * 1.01,
    }
    const wanted: [object, (x: number, i: number) => number][] = [
      [{ clipValue: limits.clipValue }, x => Math.min(Math.max(x, -0.7), 0.7)],
      [{ clipNorm: limits.clipNorm }, (x, i) => x * Math.min(1, limits.clipNorm / norms[i]!)],
      [{ globalClipNorm: limits.globalClipNorm }, x => (x * limits.globalClipNorm) / norm(norms)],
      [{ globalClipNorm: limits.unreached }, x => x],
    ]
    for (const [options, clipped] of wanted) {
      const found = await stepOf(ls.train.sgd({ learningRate: 1, ...options }))
      found.forEach((change, i) => {
        const expected = gradients[i]!.map(x => clipped(x, i))
        close(change, expected, JSON.stringify(Object.keys(options)))
      })
    }
  })
})

describe('regularizers', () => {
  const penalties = { l1: { l1: 0.02 }, l2: { l2: 0.03 }, l1l2: { l1: 0.01, l2: 0.05 } }
  test.each(Object.keys(penalties) as (keyof typeof penalties)[])('%s', async name => {
    const { className, config } = ls.regularizers[name](penalties[name])
    const penalty = { className, config }
    const recipe: Recipe = [
      ['conv2d', { filters: 17, kernelSize: 2, kernelRegularizer: penalty, biasRegularizer: penalty }],
      ['batchNormalization', { gammaRegularizer: penalty, betaRegularizer: penalty }],
      ['flatten'],
      ['dense', { units: 5, kernelRegularizer: penalty, biasRegularizer: penalty }],
    ]
    const { ours, theirs } = twins(recipe, [3, 3, 2])
    const [x, y] = [batchOf(noise(108, 1), [6, 3, 3, 2]), batchOf(noise(30, 2), [6, 5])]
    ours.compile({ optimizer: ls.train.sgd(0.05), loss: 'meanSquaredError' })
    theirs.compile({ optimizer: tf.train.sgd(0.05), loss: 'meanSquaredError' })
    const sum = ours.weights
      .flatMap((weight, i) => (weight.trainable ? [...weightsOf(ours)[i]!] : []))
      .reduce((total, w) => total + config.l1 * Math.abs(w) + config.l2 * w * w, 0)
    // Deviation: as in Keras evaluate adds the penalty, which TensorFlow.js adds in training only.
    const bare = (theirs.evaluate(x.theirs, y.theirs) as tf.Scalar).dataSync()[0]!
    close((ours.evaluate(x.ours, y.ours) as ls.Tensor).dataSync() as Float32Array, [bare + sum], 'evaluation')
    for (let step = 0; step < 5; step++) {
      const found = numbers(await ours.trainOnBatch(x.ours, y.ours))
      close(found, numbers(await theirs.trainOnBatch(x.theirs, y.theirs)), 'loss')
    }
    const expected = weightsOf(theirs)
    weightsOf(ours).forEach((w, i) => close(w, expected[i]!, ours.weights[i]!.name))
    ours.dispose()
  })
})

describe('initializers', () => {
  const kernels = [
    [150, 200],
    [3, 3, 20, 160],
  ] as const
  const square = [40, 40] as const
  const plain = ['zeros', 'ones', 'constant', 'identity']
  const options: Partial<Record<InitializerName, object>> = {
    constant: { value: -0.3 },
    identity: { gain: 1.5 },
    randomUniform: { minval: -0.2, maxval: 0.6 },
    randomNormal: { mean: 0.1, stddev: 0.4 },
    truncatedNormal: { mean: -0.1, stddev: 0.3 },
    varianceScaling: { scale: 3, mode: 'fanOut', distribution: 'uniform' },
    orthogonal: { gain: 2 },
  }

  /** A weight as a new layer of that shape has it. */
  function initialised(shape: readonly number[], initializer: object): Float32Array {
    const units = shape.at(-1)!
    const layer =
      shape.length === 2
        ? ls.layers.dense({ units, kernelInitializer: initializer as never, inputShape: [shape[0]!] })
        : ls.layers.conv2d({
            filters: units,
            kernelSize: shape.slice(0, 2),
            kernelInitializer: initializer as never,
            inputShape: [4, 4, shape[2]!],
          })
    const model = ls.sequential({ seed: 8, layers: [layer] })
    const [kernel] = weightsOf(model)
    model.dispose()
    return kernel!
  }

  /** Mean, deviation, and the quantiles 0, 5, 25, 50, 75, 95, 100 %. */
  function statistics(values: Float32Array): number[] {
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length
    const sorted = values.toSorted()
    const quantiles = [0.05, 0.25, 0.5, 0.75, 0.95].map(q => sorted[Math.floor(q * sorted.length)]!)
    return [mean, Math.sqrt(variance), ...quantiles]
  }

  test.each(Object.keys(ls.initializers) as InitializerName[])(
    '%s is distributed as in TensorFlow.js',
    name => {
      const fixed = plain.includes(name)
      const given = { ...options[name], ...(!fixed && { seed: 5 }) }
      const shapes = name === 'identity' || name === 'orthogonal' ? [square] : kernels
      for (const shape of shapes) {
        const theirs = (tf.initializers[name] as (o: object) => { apply(shape: number[]): tf.Tensor })(given)
        const expected = theirs.apply([...shape]).dataSync() as Float32Array
        const ours = initialised(shape, ls.initializers[name](given as never))
        if (fixed) expect(ours).toEqual(expected)
        else {
          const [found, wanted] = [statistics(ours), statistics(expected)]
          // Three deviations of a quantile of 30,000 numbers, and of 1600.
          const most = (name === 'orthogonal' ? 0.2 : 0.04) * wanted[1]!
          found.forEach((value, i) => expect(Math.abs(value - wanted[i]!)).toBeLessThan(most))
          if (!/^(random|orth)/.test(name)) {
            // Bounds are sharp: even distributions end there, normal ones are cut at two deviations.
            const end = (values: Float32Array) => values.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
            expect(Math.abs(end(ours) / end(expected) - 1)).toBeLessThan(0.002)
          }
        }
      }
    },
  )

  test('without a seed of their own, weights differ by layer and follow the seed of the model', () => {
    const make = (seed: number) => {
      const dense = () => ls.layers.dense({ units: 30, inputShape: [30], kernelInitializer: 'randomUniform' })
      return weightsOf(ls.sequential({ seed, layers: [dense(), dense()] })).filter((_, i) => i % 2 === 0)
    }
    const [a, b] = make(1) as [Float32Array, Float32Array]
    const correlation = a.reduce((sum, x, i) => sum + x * b[i]!, 0) / a.reduce((sum, x) => sum + x * x, 0)
    expect(Math.abs(correlation)).toBeLessThan(0.1)
    expect(make(1)).toEqual([a, b])
    expect(make(2)[0]).not.toEqual(a)
  })
})
