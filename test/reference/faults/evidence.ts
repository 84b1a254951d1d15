import * as tf from '@tensorflow/tfjs'
import * as ls from '../../../src/index.ts'
import type { Layer } from '../../../src/layers/define.ts'
import { noise } from '../../bed.ts'
import type { Array64, Context } from '../arrays.ts'
import { references } from '../layers.ts'

/** Numbers, something to read, or the message of what was thrown. */
export type Outcome = ArrayLike<number> | string

/** What both libraries make of one thing, and what is right, in float64. */
export interface Evidence {
  readonly theirs: Outcome
  readonly expected: Outcome
  readonly ours: Outcome
}

/** A fault of TensorFlow.js. */
export interface Fault {
  /** What is wrong, as the page says it. */
  readonly says: string
  show(): Evidence | Promise<Evidence>
}

export type LayerName = keyof typeof references
type Factories<L> = Record<string, (options: object) => L>
type TheirLayer = tf.layers.Layer

export const ourLayer = (name: string, options: object): Layer =>
  (ls.layers as unknown as Factories<Layer>)[name]!(structuredClone(options))
export const theirLayer = (name: string, options: object): TheirLayer =>
  (tf.layers as unknown as Factories<TheirLayer>)[name]!(structuredClone(options))

/** The result, or what is thrown instead. */
export async function outcome(run: () => Outcome | Promise<Outcome>): Promise<Outcome> {
  try {
    return await run()
  } catch (error) {
    return (error as Error).message
  }
}

const sizeOf = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1)
export const flat = (y: tf.Tensor | tf.Tensor[]): ArrayLike<number> => [y].flat()[0]!.dataSync()
const context: Context = { training: false, observed: [], near() {}, becomes() {} }

type Weights = Readonly<Record<string, Float64Array>>

/** A layer in float64. */
function forward(name: LayerName, layer: Layer, x: Array64, weights: Weights): Array64 {
  const own = layer.weights.map(({ name: full }) => [full.slice(layer.name.length + 1), weights[full]!])
  return references[name](x, Object.fromEntries(own), layer.config as never, context)
}

/** Models of these layers in both libraries, with the same weights, and those in float64. */
function twins(recipe: readonly (readonly [LayerName, object])[], inputShape: readonly number[]) {
  const optionsOf = ([, options]: readonly [LayerName, object], i: number) =>
    i === 0 ? { ...options, inputShape } : options
  const layers = recipe.map((one, i) => ourLayer(one[0], optionsOf(one, i)))
  const ours = ls.sequential({ layers })
  const weights = Object.fromEntries(
    ours.weights.map(({ name, shape }, i) => [name, Float64Array.from(noise(sizeOf(shape), 40 + i))]),
  )
  const shaped = ours.weights.map(({ name, shape }) => ls.tensor(Float32Array.from(weights[name]!), shape))
  ours.setWeights(shaped)
  const give = () => {
    const model = tf.sequential({ layers: recipe.map((one, i) => theirLayer(one[0], optionsOf(one, i))) })
    model.setWeights(shaped.map(({ values, shape }) => tf.tensor([...values], [...shape])))
    return model
  }
  const predict64 = (x: Array64, w: Weights) =>
    recipe.reduce((value, [name], i) => forward(name, layers[i]!, value, w), x)
  return { ours, weights, give, predict64 }
}

/** What a layer makes of samples. */
export async function predicted(
  name: LayerName,
  options: object,
  input: readonly number[],
): Promise<Evidence> {
  const { ours, weights, give, predict64 } = twins([[name, options]], input)
  const values = noise(2 * sizeOf(input), 7)
  const shape = [2, ...input]
  const evidence = {
    theirs: await outcome(() => flat(give().layers[0]!.apply(tf.tensor(values, shape)) as tf.Tensor)),
    expected: predict64({ shape, values: Float64Array.from(values) }, weights).values,
    ours: ours.predict(ls.tensor(values, shape)).dataSync() as Float32Array,
  }
  ours.dispose()
  return evidence
}

/** The weights of a dense layer below a layer, after one step of gradient descent. */
export async function trained(name: LayerName, options: object, input: readonly number[]): Promise<Evidence> {
  const units = input.at(-1)!
  const recipe = [['dense', { units, useBias: false }] as const, [name, options] as const]
  const { ours, weights, give, predict64 } = twins(recipe, input)
  const shape = [2, ...input]
  const values = noise(2 * sizeOf(input), 7)
  const x = { shape, values: Float64Array.from(values) }
  const y = predict64(x, weights)
  const target = noise(y.values.length, 8)
  const [first] = Object.keys(weights) as [string]
  const lossOf = (w: Float64Array) =>
    predict64(x, { ...weights, [first]: w }).values.reduce(
      (sum, value, i) => sum + (value - target[i]!) ** 2,
      0,
    ) / y.values.length
  const kernel = weights[first]!
  const h = 1e-5
  const expected = kernel.map((w, i) => {
    const [above, below] = [w + h, w - h].map(moved => lossOf(kernel.with(i, moved)))
    return w - (above! - below!) / (2 * h)
  })
  const evidence = {
    theirs: await outcome(async () => {
      const theirs = give()
      theirs.compile({ optimizer: tf.train.sgd(1), loss: 'meanSquaredError' })
      await theirs.trainOnBatch(tf.tensor(values, shape), tf.tensor(target, [...y.shape]))
      return flat(theirs.getWeights())
    }),
    expected,
    ours: await outcome(async () => {
      ours.compile({ optimizer: ls.train.sgd(1), loss: 'meanSquaredError' })
      await ours.trainOnBatch(ls.tensor(values, shape), ls.tensor(target, y.shape))
      return ours.getWeights()[0]!.dataSync() as Float32Array
    }),
  }
  ours.dispose()
  return evidence
}

/** Whether a layer can be made, and trained above a dense one. */
export async function trainable(
  name: LayerName,
  options: object,
  input: readonly number[],
): Promise<Evidence> {
  const units = input.at(-1)!
  const shape = [2, ...input]
  const values = noise(2 * sizeOf(input), 7)
  const theirs = await outcome(async () => {
    const layers = [tf.layers.dense({ units, inputShape: [...input] }), theirLayer(name, options)]
    const model = tf.sequential({ layers })
    model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' })
    const y = tf.zerosLike(model.predict(tf.tensor(values, shape)) as tf.Tensor)
    await model.trainOnBatch(tf.tensor(values, shape), y)
    return 'trained'
  })
  const ours = await outcome(async () => {
    const layers = [ls.layers.dense({ units, inputShape: input }), ourLayer(name, options)]
    const model = ls.sequential({ layers })
    model.compile({ optimizer: ls.train.sgd(0.1), loss: 'meanSquaredError' })
    const x = ls.tensor(values, shape)
    const { shape: predicted } = model.predict(x)
    await model.trainOnBatch(x, ls.tensor(new Float32Array(sizeOf(predicted)), predicted))
    model.dispose()
    return 'trained'
  })
  return { theirs, expected: 'trained', ours }
}
