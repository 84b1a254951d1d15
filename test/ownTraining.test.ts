import { describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise, relativeError } from './bed.ts'
import { caught } from './caught.ts'

const { ops } = ls
const rows = 24
const x = ls.tensor(noise(rows * 5, 3), [rows, 5])
const y = ls.tensor(noise(rows * 3, 4), [rows, 3])
type Compile = Parameters<ls.Sequential['compile']>[0]

function make(options: Partial<Compile>, penalty = 0): ls.Sequential {
  const kernelRegularizer = penalty > 0 ? ls.regularizers.l2({ l2: penalty }) : null
  const layers = [
    ls.layers.dense({ units: 18, activation: 'tanh', name: 'first', inputShape: [5], kernelRegularizer }),
    ls.layers.dense({ units: 3, name: 'second' }),
  ]
  const model = ls.sequential({ layers, seed: 2 })
  model.compile({ optimizer: ls.train.sgd(0.1), loss: 'meanSquaredError', ...options })
  return model
}

const weightsOf = (model: ls.Sequential | ls.Model) =>
  model.getWeights().map(w => (w.values as Float32Array).slice())
const close = (actual: Float32Array[], expected: Float32Array[], limit = 2e-6) =>
  actual.forEach((w, i) => expect(relativeError(w, expected[i]!)).toBeLessThan(limit))
const bitsOf = (model: ls.Sequential) =>
  weightsOf(model)
    .map(w => Buffer.from(w.buffer).toString('base64'))
    .join()

const squaredError = (yTrue: ls.Value, yPred: ls.Value) =>
  ops.mean(ops.square(ops.subtract(yPred, yTrue)), -1)

const fitOptions = { epochs: 3, batchSize: 8, seed: 5, workers: 1 } as const

describe('a loss of one’s own', () => {
  test('as a function trains as the one of ours does', async () => {
    const sampleWeight = Float32Array.from({ length: rows }, (_, i) => 0.5 + (i % 3))
    for (const more of [{}, { sampleWeight }, { accumulate: true }]) {
      const [own, ours] = await Promise.all(
        [squaredError, 'meanSquaredError' as const].map(async loss => {
          const model = make({ loss, leaves: 2 })
          const { history } = await model.fit(x, y, { ...fitOptions, ...more })
          return {
            history,
            weights: weightsOf(model),
            evaluated: (model.evaluate(x, y) as ls.Tensor).dataSync(),
          }
        }),
      )
      close(own!.weights, ours!.weights)
      expect(relativeError(own!.history.loss as number[], ours!.history.loss as number[])).toBeLessThan(1e-6)
      expect(relativeError(own!.evaluated, ours!.evaluated)).toBeLessThan(1e-6)
    }
  })

  test('of a whole sample is the mean over its elements', async () => {
    const models = [
      make({ loss: squaredError }),
      make({ loss: (yTrue, yPred) => ops.mean(ops.squaredDifference(yTrue, yPred)) }),
      make({ loss: (yTrue, yPred) => ops.squaredDifference(yTrue, yPred) }),
    ]
    for (const model of models) await model.trainOnBatch(x, y)
    for (const model of models.slice(1)) close(weightsOf(model), weightsOf(models[0]!))
  })

  test('gives the same bits on any number of workers', async () => {
    const robust = (yTrue: ls.Value, yPred: ls.Value) => ops.log(ops.add(squaredError(yTrue, yPred), 1))
    const bits = new Set<string>()
    for (const workers of [1, 2, 3]) {
      const model = make({ loss: robust, metrics: [robust] })
      const { history } = await model.fit(x, y, { ...fitOptions, workers })
      bits.add(`${bitsOf(model)} ${history.loss} ${history.robust}`)
    }
    expect(bits.size).toBe(1)
  })

  test('leaves masked steps out, as ours do', async () => {
    const steps = ls.tensor(
      noise(6 * 4 * 2, 9).map((v, i) => (i % 24 > 14 ? 0 : v)),
      [6, 4, 2],
    )
    const targets = ls.tensor(noise(6 * 4 * 3, 8), [6, 4, 3])
    const [own, ours] = [squaredError, 'meanSquaredError' as const].map(loss => {
      const layers = [ls.layers.masking({ inputShape: [4, 2] }), ls.layers.dense({ units: 3 })]
      const model = ls.sequential({ layers, seed: 4 })
      model.compile({ optimizer: ls.train.sgd(0.1), loss, metrics: [squaredError, 'meanSquaredError'] })
      return model
    })
    const [a, b] = [await own!.trainOnBatch(steps, targets), await ours!.trainOnBatch(steps, targets)]
    expect(relativeError(a as number[], b as number[])).toBeLessThan(1e-6)
    expect((a as number[])[1]).toBeCloseTo((a as number[])[2]!, 6)
    close(weightsOf(own!), weightsOf(ours!))
    const careless = (yTrue: ls.Value, yPred: ls.Value) => ops.mean(ops.squaredDifference(yTrue, yPred))
    own!.compile({ optimizer: 'sgd', loss: careless })
    expect(await caught(() => own!.trainOnBatch(steps, targets))).toBe(
      'RangeError: careless: of a masked prediction the steps must be kept, [4, …], got []; reduce its last axis only',
    )
  })

  test('takes options, class numbers, and its place among several outputs', async () => {
    const sparse = ls.defineLoss(
      'mySparse',
      { temperature: 1 },
      (yTrue, yPred, { temperature }) => {
        const chosen = ops.oneHot(ops.squeeze(yTrue, -1), yPred.shape.at(-1)!)
        return ops.neg(ops.sum(ops.multiply(chosen, ops.logSoftmax(ops.divide(yPred, temperature))), -1))
      },
      {
        sparse: true,
        check: (where, { temperature }) => {
          if (temperature <= 0)
            throw new RangeError(`${where}: temperature must be > 0, got ${temperature}; raise it`)
        },
      },
    )
    const classes = ls.tensor(
      Float32Array.from({ length: rows }, (_, i) => i % 3),
      [rows, 1],
    )
    const [own, ours] = [sparse, ls.losses.sparseCategoricalCrossentropy({ fromLogits: true })].map(loss =>
      make({ loss, metrics: ['accuracy'] }),
    )
    const losses = [await own!.trainOnBatch(x, classes), await ours!.trainOnBatch(x, classes)]
    expect(relativeError(losses[0] as number[], losses[1] as number[])).toBeLessThan(1e-6)
    close(weightsOf(own!), weightsOf(ours!))
    const warm = make({ loss: sparse({ temperature: 2 }) })
    expect(await warm.trainOnBatch(x, classes)).not.toBeCloseTo((losses[0] as number[])[0]!, 3)
    expect(await caught(() => sparse({ temperature: 0 }))).toBe(
      'RangeError: mySparse: temperature must be > 0, got 0; raise it',
    )
    expect(await caught(() => sparse({ temp: 1 } as never))).toContain('mySparse: unknown option "temp"')

    const input = ls.input({ shape: [5] })
    const outputs = ['a', 'b'].map(
      name => ls.layers.dense({ units: 3, name }).apply(input) as ls.SymbolicTensor,
    )
    const model = ls.model({ inputs: input, outputs, seed: 1 })
    model.compile({ optimizer: 'sgd', loss: { a: squaredError, b: sparse }, metrics: { a: squaredError } })
    const logs = await model.evaluateAsync(x, [y, classes])
    expect(Object.keys(logs)).toEqual(['loss', 'a_loss', 'b_loss', 'a_squaredError'])
    expect(logs.a_loss).toBeCloseTo(logs.a_squaredError!, 6)
  })
})

describe('a metric of one’s own', () => {
  test('as a function is called by its name, and equals ours', async () => {
    const model = make({ metrics: [squaredError, 'mse'] })
    const logs = await model.evaluateAsync(x, y, { batchSize: 7 })
    expect(Object.keys(logs)).toEqual(['loss', 'squaredError', 'mse'])
    expect(logs.squaredError).toBeCloseTo(logs.mse!, 6)
  })

  test('combines several sums, exactly over the epoch', async () => {
    const precision = ls.defineMetric(
      'myPrecision',
      { threshold: 0.5 },
      (yTrue, yPred, { threshold }) => {
        const chosen = ops.greater(yPred, threshold)
        return ops.stack([ops.sum(ops.multiply(chosen, yTrue)), ops.sum(chosen)], -1)
      },
      { width: 2, result: ([hits, chosen]) => (chosen! > 0 ? hits! / chosen! : 0) },
    )
    const labels = ls.tensor(
      noise(rows * 3, 4).map(v => Number(v > 0)),
      [rows, 3],
    )
    const metrics = [
      precision({ threshold: 0.1 }),
      precision({ name: 'other' }),
      ls.metrics.precision({ thresholds: 0.1 }),
    ]
    const logs = await make({ metrics }).evaluateAsync(x, labels, { batchSize: 5 })
    expect(logs.myPrecision).toBe(logs.precision)
    expect(logs.other).not.toBe(logs.precision)
    const root = ls.defineMetric('root', {}, squaredError, {
      result: ([sum], rows) => Math.sqrt(sum! / rows),
    })
    const errors = await make({ metrics: [root, 'rootMeanSquaredError'] }).evaluateAsync(x, y)
    expect(errors.root).toBeCloseTo(errors.rootMeanSquaredError!, 6)
  })
})

/** Adam, as its paper has it. */
const myAdam = ls.defineOptimizer(
  'MyAdam',
  {
    learningRate: 0.001,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-7,
  },
  {
    slots: { m: 0, v: 0 },
    update({ w, dw, rate, slots, correction }, { beta1, beta2, epsilon }) {
      const m = ops.add(ops.multiply(slots.m, beta1), ops.multiply(dw, 1 - beta1))
      const v = ops.add(ops.multiply(slots.v, beta2), ops.multiply(ops.square(dw), 1 - beta2))
      const size = ops.add(ops.sqrt(ops.divide(v, correction(beta2))), epsilon)
      const change = ops.divide(ops.divide(m, correction(beta1)), size)
      return { w: ops.subtract(w, ops.multiply(change, rate)), m, v }
    },
  },
)

describe('an optimizer of one’s own', () => {
  const cases: [string, object, object?][] = [
    ['alone', {}],
    ['with a schedule', { learningRate: ls.schedules.cosine({ initialLearningRate: 0.02, decaySteps: 6 }) }],
    ['with weight decay', { weightDecay: 0.1, excludeFromWeightDecay: ['bias'] }],
    ['with averages', { useEma: true, emaMomentum: 0.7 }],
    ['with clipping and factors', { globalClipNorm: 0.05, learningRateFactors: { first: 0.5 } }],
  ]
  test.each(cases)('%s does what ours does', async (_, options) => {
    const [own, ours] = [myAdam, ls.train.adam].map(maker =>
      make({ optimizer: maker({ learningRate: 0.01, ...options } as never), leaves: 2 }, 0.01),
    )
    for (const model of [own!, ours!]) await model.fit(x, y, fitOptions)
    close(weightsOf(own!), weightsOf(ours!), 1e-5)
  })

  test('may use the norm of a whole weight, to the same bits on any number of workers', async () => {
    const limit = 0.02
    const clipped = ls.defineOptimizer(
      'Clipped',
      { learningRate: 0.1 },
      {
        update({ w, dw, rate, norm }) {
          // Padding must not count, whatever it holds.
          const size = norm(ops.subtract(ops.add(dw, 1), 1))
          const factor = ops.divide(limit, ops.maximum(size, limit))
          return { w: ops.subtract(w, ops.multiply(ops.multiply(dw, factor), rate)) }
        },
      },
    )
    const bits = new Set<string>()
    const ours = make({ optimizer: ls.train.sgd({ learningRate: 0.1, clipNorm: limit } as never), leaves: 2 })
    await ours.fit(x, y, fitOptions)
    for (const workers of [1, 2, 3]) {
      const model = make({ optimizer: clipped(0.1), leaves: 2 })
      await model.fit(x, y, { ...fitOptions, workers })
      close(weightsOf(model), weightsOf(ours), 1e-5)
      bits.add(bitsOf(model))
    }
    expect(bits.size).toBe(1)
    const wrong = ls.defineOptimizer(
      'Wrong',
      { learningRate: 1 },
      { update: ({ w, norm }) => ({ w: norm(3 as never), ...w }) },
    )
    expect(await caught(() => make({ optimizer: wrong(1) }).trainOnBatch(x, y))).toContain(
      'Wrong: norm must be given what is made of w, dw and slots, got 3',
    )
  })

  test('gives the same bits on any number of workers', async () => {
    const bits = new Set<string>()
    for (const workers of [1, 2, 3]) {
      const model = make({ optimizer: myAdam({ learningRate: 0.01, weightDecay: 0.01 }) })
      await model.fit(x, y, { ...fitOptions, workers })
      bits.add(bitsOf(model))
    }
    expect(bits.size).toBe(1)
  })

  test('keeps the padding of weights at 0, whatever its formula makes of zeros', async () => {
    // dw / |dw| is 0 / 0 in the padding, which the penalty sums up.
    const signs = ls.defineOptimizer(
      'Signs',
      { learningRate: 0.01 },
      {
        update: ({ w, dw, rate }) => ({
          w: ops.subtract(w, ops.multiply(rate, ops.divide(dw, ops.abs(dw)))),
        }),
      },
    )
    const lion = ls.train.lion({ learningRate: 0.01, beta1: 0, beta2: 0 })
    const models = [signs(0.01), lion].map(optimizer => make({ optimizer }, 0.1))
    for (const model of models)
      for (let i = 0; i < 3; i++) expect(await model.trainOnBatch(x, y)).toBeGreaterThan(0)
    close(weightsOf(models[0]!), weightsOf(models[1]!))
  })

  test('may exchange its slots, count steps and leave slots as they are', async () => {
    const odd = ls.defineOptimizer(
      'Odd',
      { learningRate: 1 },
      {
        slots: { a: 1, b: 2, kept: 4 },
        update: ({ rate, slots: { a, b, kept }, step }) => ({
          w: ops.add(
            ops.multiply(ops.add(ops.multiply(a, 10), b), kept),
            ops.add(ops.multiply(step, 1000), ops.multiply(rate, 0)),
          ),
          a: b,
          b: a,
        }),
      },
    )
    const model = make({ optimizer: odd({ learningRate: 0.5 }) })
    const seen: number[] = []
    for (let i = 0; i < 3; i++) {
      await model.trainOnBatch(x, y)
      seen.push(weightsOf(model)[0]![0]!)
    }
    expect(seen).toEqual([1048, 2084, 3048])
  })

  const wrong: [string, (inputs: ls.UpdateInputs<'m'>) => unknown, string][] = [
    ['nothing', () => undefined, 'Wrong: update must return at least { w }, got undefined'],
    ['an unknown slot', ({ w }) => ({ w, n: w }), 'Wrong: update must return w and slots, got "n"'],
    ['a number', () => ({ w: 3 }), 'Wrong: update must return w in the shape [5,18], got 3'],
    [
      'a reduction',
      ({ w, dw }) => ({ w: ops.subtract(w, ops.sum(dw)) }),
      'ops.sum: it must be given values of samples, got those of an optimizer',
    ],
  ]
  test.each(wrong)('that returns %s is refused', async (_, update, message) => {
    const bad = ls.defineOptimizer(
      'Wrong',
      { learningRate: 0.1 },
      { slots: { m: 0 }, update: update as never },
    )
    const model = make({ optimizer: bad(0.1) })
    expect(await caught(() => model.trainOnBatch(x, y))).toContain(message)
  })
})

describe('what is refused', () => {
  const noGradient = (yTrue: ls.Value, yPred: ls.Value) => ops.equal(yTrue, yPred)
  const cases: [string, () => unknown, string][] = [
    [
      'a loss that returns a number',
      () => make({ loss: (() => 3) as never }),
      'loss: it must return a value, got 3',
    ],
    [
      'a loss without a gradient',
      () => make({ loss: noGradient }),
      'noGradient: a loss must have a gradient by yPred, got none',
    ],
    [
      'a metric that returns nothing',
      () => make({ metrics: [(() => undefined) as never] }),
      'metric: it must return a value, got undefined',
    ],
    [
      'a metric of too few sums',
      () => make({ metrics: [ls.defineMetric('two', {}, squaredError, { width: 2 })] }),
      'two: its last axis must hold 2 numbers, got []',
    ],
    [
      'a loss without a name',
      () => ls.defineLoss('', {}, squaredError),
      'defineLoss: name must be a word, got ""',
    ],
    [
      'a metric without a function',
      () => ls.defineMetric('m', {}, 1 as never),
      'defineMetric: it must be given a function, got 1',
    ],
    [
      'an optimizer without a rate',
      () => ls.defineOptimizer('O', {} as never, { update: () => ({}) as never }),
      'defineOptimizer: defaults must have learningRate',
    ],
    [
      'an optimizer without an update',
      () => ls.defineOptimizer('O', { learningRate: 1 }, {} as never),
      'defineOptimizer: update must be a function, got undefined',
    ],
    [
      'an unknown option of an optimizer',
      () => myAdam({ beta: 1 } as never),
      'MyAdam: unknown option "beta"',
    ],
    [
      'a wrong option of an optimizer',
      () => myAdam({ beta1: -1 }),
      'MyAdam: beta1 must be a number >= 0, got -1',
    ],
  ]
  test.each(cases)('%s', async (_, act, message) => expect(await caught(act)).toContain(message))
})
