import * as tf from '@tensorflow/tfjs'
import * as ls from '../../src/index.ts'
import { noise, relativeError } from '../bed.ts'
import { batchOf, numbers, type Recipe, readByOurs, readByTheirs, twins, weightsOf } from './tfjs.ts'

const classes = 3

/**
 * The largest error against TensorFlow.js of the recipe under a softmax: predictions, losses and weights of
 * three steps, and predictions of models that the other side saved.
 */
export async function parityError(recipe: Recipe, input: readonly number[]): Promise<number> {
  const head: Recipe = [['flatten'], ['dense', { units: classes, activation: 'softmax' }]]
  const { ours, theirs } = twins([...recipe, ...head], input)
  const rows = 7
  const size = input.reduce((product, n) => product * n, 1)
  const batch = (seed: number) => batchOf(noise(rows * size, seed), [rows, ...input])
  const oneHot = Float32Array.from({ length: rows * classes }, (_, i) =>
    Number((Math.floor(i / classes) * 2) % classes === i % classes),
  )
  const y = batchOf(oneHot, [rows, classes])
  const x = batch(1)
  const ofTheirs = (model: tf.LayersModel) => (model.predict(x.theirs) as tf.Tensor).dataSync()
  const ofOurs = (model: ls.Sequential) => model.predict(x.ours).dataSync()
  const errors = [relativeError(ofOurs(ours), ofTheirs(theirs))]
  const loss = 'categoricalCrossentropy'
  ours.compile({ loss, optimizer: ls.train.sgd(0.1) })
  theirs.compile({ loss, optimizer: tf.train.sgd(0.1) })
  for (let step = 0; step < 3; step++) {
    const xs = batch(10 + step)
    const found = numbers(await ours.trainOnBatch(xs.ours, y.ours))
    errors.push(relativeError(found, numbers(await theirs.trainOnBatch(xs.theirs, y.theirs))))
  }
  const expected = weightsOf(theirs)
  errors.push(...weightsOf(ours).map((w, i) => relativeError(w, expected[i]!)))
  const again = await readByOurs(theirs)
  errors.push(relativeError(ofOurs(again), ofTheirs(theirs)))
  errors.push(relativeError(ofTheirs(await readByTheirs(ours)), ofOurs(ours)))
  for (const model of [ours, again]) model.dispose()
  return Math.max(...errors)
}
