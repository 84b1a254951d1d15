import * as tf from '@tensorflow/tfjs'
import * as ls from '../../../src/index.ts'
import { noise } from '../../bed.ts'
import { type Evidence, type Fault, flat, outcome } from './evidence.ts'

const [samples, features] = [6, 3]
const [x, y, w] = [noise(samples * features, 1), noise(samples, 2), noise(features, 3).map(Math.abs)]
const theirBatch = () => [tf.tensor(x, [samples, features]), tf.tensor(y, [samples, 1])] as const
const ourBatch = () => [ls.tensor(x, [samples, features]), ls.tensor(y, [samples, 1])] as const

/** A dense layer's predictions for kernel w, and the mean of something over the samples. */
const predicted = Array.from(y, (_, i) =>
  w.reduce((sum, weight, j) => sum + weight * x[i * features + j]!, 0),
)
const mean = (of: (i: number) => number) => predicted.reduce((sum, _, i) => sum + of(i) / samples, 0)
const errorOf = (i: number) => (predicted[i]! - y[i]!) ** 2

/** A dense layer of kernel w in both libraries, trained by an optimizer that both have. */
function models(options: object, optimizer: (train: typeof tf.train) => unknown) {
  const dense = () => ({ units: 1, useBias: false, inputShape: [features], ...options })
  const make = () => {
    const theirs = tf.sequential({ layers: [tf.layers.dense(dense())] })
    theirs.setWeights([tf.tensor(w, [features, 1])])
    theirs.compile({ optimizer: optimizer(tf.train) as tf.Optimizer, loss: 'meanSquaredError' })
    return theirs
  }
  const ours = ls.sequential({ layers: [ls.layers.dense(dense())] })
  ours.setWeights([ls.tensor(w, [features, 1])])
  ours.compile({ optimizer: optimizer(ls.train as never) as 'sgd', loss: 'meanSquaredError' })
  return { make, ours }
}

/** The kernel after a step, from its gradient. */
async function stepped(
  options: object,
  optimizer: (train: typeof tf.train) => unknown,
  rule: (weight: number, gradient: number) => number,
): Promise<Evidence> {
  const { make, ours } = models(options, optimizer)
  const theirs = make()
  await theirs.trainOnBatch(...theirBatch())
  await ours.trainOnBatch(...ourBatch())
  const evidence = {
    theirs: flat(theirs.getWeights()),
    expected: Array.from(w, (weight, j) =>
      rule(
        weight,
        mean(i => 2 * (predicted[i]! - y[i]!) * x[i * features + j]!),
      ),
    ),
    ours: ours.getWeights()[0]!.dataSync() as Float32Array,
  }
  ours.dispose()
  return evidence
}

async function activityRegularizer(): Promise<Evidence> {
  const { make, ours } = models({ activityRegularizer: 'l1l2' }, train => train.sgd(0))
  const evidence = {
    theirs: await outcome(async () => [(await make().trainOnBatch(...theirBatch())) as number]),
    expected: [mean(i => errorOf(i) + 0.01 * (Math.abs(predicted[i]!) + predicted[i]! ** 2))],
    ours: [(await ours.trainOnBatch(...ourBatch())) as number],
  }
  ours.dispose()
  return evidence
}

async function sampleWeight(): Promise<Evidence> {
  const { make, ours } = models({}, train => train.sgd(0))
  const weight = noise(samples, 5).map(Math.abs)
  const shared = { epochs: 1, batchSize: samples, shuffle: false, verbose: 0 }
  const evidence = {
    theirs: await outcome(async () => {
      const { history } = await make().fit(...theirBatch(), { ...shared, sampleWeight: tf.tensor(weight) })
      return history.loss as number[]
    }),
    expected: [mean(i => weight[i]! * errorOf(i))],
    ours: (await ours.fit(...ourBatch(), { ...shared, sampleWeight: ls.tensor(weight, [samples]) })).history
      .loss!,
  }
  ours.dispose()
  return evidence
}

/** Validation loss and metric of both outputs of a model: x itself, and 2x. */
async function validationNames(): Promise<Evidence> {
  const targets = [noise(4, 1), noise(4, 2)] as const
  const values = noise(4, 3)
  const compiled = { loss: 'meanSquaredError' as const, metrics: ['mae' as const] }
  const names = ['val_loss', 'val_a_loss', 'val_b_loss', 'val_a_mae', 'val_b_mae']
  const logsOf = (history: Record<string, unknown>) => names.map(name => (history[name] as number[])[0]!)
  const meanOf = (k: number, f: (distance: number) => number) =>
    values.reduce((sum, value, i) => sum + f((k + 1) * value - targets[k]![i]!) / 4, 0)
  const square = (d: number) => d * d
  const dense = (name: string) => ({ units: 1, useBias: false, name })
  const kernels = [1, 2]
  const input = tf.input({ shape: [1] })
  const theirs = tf.model({
    inputs: input,
    outputs: ['a', 'b'].map(name => tf.layers.dense(dense(name)).apply(input) as tf.SymbolicTensor),
  })
  theirs.setWeights(kernels.map(k => tf.tensor([k], [1, 1])))
  theirs.compile({ ...compiled, optimizer: tf.train.sgd(0) })
  const [tx, ...ty] = [values, ...targets].map(one => tf.tensor(one, [4, 1]))
  const { history } = await theirs.fit(tx!, ty, { validationData: [tx!, ty], verbose: 0 })
  const ownInput = ls.input({ shape: [1] })
  const ours = ls.model({
    inputs: ownInput,
    outputs: ['a', 'b'].map(name => ls.layers.dense(dense(name)).apply(ownInput)),
  })
  ours.setWeights(kernels.map(k => ls.tensor([k], [1, 1])))
  ours.compile({ ...compiled, optimizer: ls.train.sgd(0) })
  const [ox, ...oy] = [values, ...targets].map(one => ls.tensor(one, [4, 1]))
  const own = await ours.fit(ox!, oy, { validationData: [ox!, oy as never], verbose: 0 })
  ours.dispose()
  const losses = [meanOf(0, square), meanOf(1, square)] as const
  return {
    theirs: logsOf(history),
    expected: [losses[0] + losses[1], ...losses, meanOf(0, Math.abs), meanOf(1, Math.abs)],
    ours: logsOf(own.history),
  }
}

/** The loss of sequences whose padding (−1) is masked: x itself against targets of 0. */
async function maskedLoss(): Promise<Evidence> {
  const steps = [0.5, 2, -1, 3, -1, -1]
  const recipe = { maskValue: -1, inputShape: [3, 1] }
  const theirs = tf.sequential({
    layers: [tf.layers.masking(recipe), tf.layers.activation({ activation: 'linear' })],
  })
  theirs.compile({ optimizer: tf.train.sgd(0), loss: 'meanSquaredError' })
  const ours = ls.sequential({
    layers: [ls.layers.masking(recipe), ls.layers.activation({ activation: 'linear' })],
  })
  ours.compile({ optimizer: ls.train.sgd(0), loss: 'meanSquaredError' })
  const target = new Float32Array(6).fill(1)
  const found = ours.evaluate(ls.tensor(steps, [2, 3, 1]), ls.tensor(target, [2, 3, 1])) as ls.Tensor
  ours.dispose()
  return {
    theirs: flat(theirs.evaluate(tf.tensor(steps, [2, 3, 1]), tf.tensor(target, [2, 3, 1])) as tf.Tensor),
    expected: [(0.5 ** 2 + 1 + 2 ** 2) / 3],
    ours: found.dataSync() as Float32Array,
  }
}

/** Precision or recall of probabilities. */
function counted(name: 'precision' | 'recall', expected: number): Evidence {
  const [truth, scores] = [
    [1, 0, 1, 1],
    [0.9, 0.8, 0.3, 0.6],
  ]
  const model = ls.sequential({ layers: [ls.layers.activation({ activation: 'linear', inputShape: [1] })] })
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: [name] })
  const [, found] = model.evaluate(ls.tensor(scores!, [4, 1]), ls.tensor(truth!, [4, 1])) as ls.Tensor[]
  model.dispose()
  const theirs = tf.metrics[name](tf.tensor(truth!, [4, 1]), tf.tensor(scores!, [4, 1]))
  return { theirs: flat(theirs), expected: [expected], ours: found!.dataSync() as Float32Array }
}

/** R² of two columns of targets whose spreads differ. */
function manyColumns(): Evidence {
  const [truth, found] = [
    [1, 10, 2, 30, 4, 20],
    [1.5, 12, 2, 24, 3, 22],
  ] as const
  const scoreOf = (column: number) => {
    const own = truth.filter((_, i) => i % 2 === column)
    const average = own.reduce((sum, t) => sum + t / 3, 0)
    const spread = own.reduce((sum, t) => sum + (t - average) ** 2, 0)
    return 1 - truth.reduce((sum, t, i) => sum + (i % 2 === column ? (t - found[i]!) ** 2 : 0), 0) / spread
  }
  const model = ls.sequential({ layers: [ls.layers.activation({ activation: 'linear', inputShape: [2] })] })
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['r2Score'] })
  const [, ours] = model.evaluate(ls.tensor([...found], [3, 2]), ls.tensor([...truth], [3, 2])) as ls.Tensor[]
  model.dispose()
  return {
    theirs: flat(tf.metrics.r2Score(tf.tensor([...truth], [3, 2]), tf.tensor([...found], [3, 2]))),
    expected: [(scoreOf(0) + scoreOf(1)) / 2],
    ours: ours!.dataSync() as Float32Array,
  }
}

/** What a second draw from an initializer has in common with the first. */
function seedOfZero(): Evidence {
  const draw = () => flat(tf.initializers.randomNormal({ seed: 0 }).apply([4]))
  const weights = () => {
    const kernelInitializer = ls.initializers.randomNormal({ seed: 0 })
    const model = ls.sequential({
      layers: [ls.layers.dense({ units: 4, inputShape: [1], kernelInitializer })],
    })
    const values = model.getWeights()[0]!.dataSync() as Float32Array
    model.dispose()
    return values
  }
  const same = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    String(Array.from(a).join() === Array.from(b).join())
  return { theirs: same(draw(), draw()), expected: 'true', ours: same(weights(), weights()) }
}

/** The least of many draws from [0, 1), to one decimal. */
function boundOfZero(): Evidence {
  const least = (values: ArrayLike<number>) => Array.from(values).filter(value => value < 0).length
  const kernelInitializer = ls.initializers.randomUniform({ minval: 0, maxval: 1, seed: 4 })
  const model = ls.sequential({
    layers: [ls.layers.dense({ units: 400, inputShape: [1], kernelInitializer })],
  })
  const ours = [least(model.getWeights()[0]!.dataSync() as Float32Array)]
  model.dispose()
  const theirs = [least(flat(tf.initializers.randomUniform({ minval: 0, maxval: 1, seed: 4 }).apply([400])))]
  return { theirs, expected: [0], ours }
}

/** What becomes of a model with this activation when it is saved and read. */
async function savedActivation(): Promise<Evidence> {
  const dense = { units: 1, activation: 'gelu_new' as const, inputShape: [1] }
  const theirs = await outcome(async () => {
    const model = tf.sequential({ layers: [tf.layers.dense(dense)] })
    const [artifacts] = await new Promise<tf.io.ModelArtifacts[]>(resolve => {
      const handler = tf.io.withSaveHandler(async saved => {
        resolve([saved])
        return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
      })
      void model.save(handler)
    })
    const again = await tf.loadLayersModel(tf.io.fromMemory(artifacts!))
    return (again.layers.at(-1)!.getConfig().activation as string) ?? 'none'
  })
  const layer = ls.layers.dense(dense)
  return { theirs, expected: 'gelu_new', ours: String(layer.config.activation) }
}

/** Whether the callback can be made. */
async function restoredWeights(): Promise<Evidence> {
  const theirs = await outcome(() => {
    tf.callbacks.earlyStopping({ restoreBestWeights: true })
    return 'made'
  })
  const ours = await outcome(() => {
    ls.callbacks.earlyStopping({ restoreBestWeights: true })
    return 'made'
  })
  return { theirs, expected: 'made', ours }
}

const rate = 0.1

export const trainingFaults = {
  validationNames: {
    says: 'Validation of several outputs logs the numbers under the names of others: `val_loss` is the loss of the first output, and so on.',
    show: validationNames,
  },
  precision: {
    says: '`precision` of probabilities counts those that are exactly 1.',
    show: () => counted('precision', 2 / 3),
  },
  recall: {
    says: 'So does `recall`.',
    show: () => counted('recall', 2 / 3),
  },
  r2Score: {
    says: '`r2Score` of several columns is that of all their numbers thrown together.',
    show: manyColumns,
  },
  centeredRmsprop: {
    says: 'Centered `rmsprop` subtracts `epsilon` under the root.',
    show: () =>
      stepped(
        {},
        train => train.rmsprop(rate, 0.5, 0, 0.01, true),
        (weight, g) => weight - (rate * g) / Math.sqrt(0.5 * g * g - (0.5 * g) ** 2 + 0.01),
      ),
  },
  constraints: {
    says: 'Constraints are applied to weights that are set, not to what an optimizer makes of them.',
    show: () =>
      stepped(
        { kernelConstraint: 'nonNeg' },
        train => train.sgd(1),
        (weight, g) => Math.max(weight - g, 0),
      ),
  },
  activityRegularizer: {
    says: '`activityRegularizer` throws as soon as the layer is used.',
    show: activityRegularizer,
  },
  sampleWeight: { says: '`fit` throws for `sampleWeight`.', show: sampleWeight },
  maskedLoss: { says: 'Losses count masked steps.', show: maskedLoss },
  seedOfZero: { says: 'A `seed` of 0 is taken for none.', show: seedOfZero },
  boundOfZero: {
    says: '`randomUniform` takes a bound of 0 for none: ±0.05.',
    show: boundOfZero,
  },
  savedActivation: {
    says: 'A saved model with the activation `gelu_new` cannot be read.',
    show: savedActivation,
  },
  restoredWeights: { says: '`earlyStopping` throws for `restoreBestWeights`.', show: restoredWeights },
} satisfies Record<string, Fault>
