import * as tf from '@tensorflow/tfjs'
import type { CompileOptions } from '../model/compiling.ts'
import { type LossName, losses, shortForms } from '../training/losses.ts'
import { type MetricName, metrics } from '../training/metrics.ts'
import type { Loss } from '../training/rowLosses.ts'
import { type Core, nameOf, Refusal, wayOut } from './core.ts'

/** Functions of tensors that TensorFlow.js has, and what they are here. */
const lossFunctions = new Map<unknown, LossName | Loss>([
  [tf.losses.absoluteDifference, 'meanAbsoluteError'],
  [tf.losses.huberLoss, 'huber'],
  [tf.losses.meanSquaredError, 'meanSquaredError'],
  [tf.losses.sigmoidCrossEntropy, losses.binaryCrossentropy({ fromLogits: true })],
  [tf.losses.softmaxCrossEntropy, losses.categoricalCrossentropy({ fromLogits: true })],
])
const metricFunctions = new Map<unknown, MetricName>()
for (const [name, made] of Object.entries(tf.metrics)) {
  if (name in losses || name in shortForms) lossFunctions.set(made, name as LossName)
  if (name in metrics || name in shortForms) metricFunctions.set(made, name as MetricName)
}

function lossOf(output: string, given: unknown): LossName | Loss {
  const known = typeof given === 'string' ? (given as LossName) : lossFunctions.get(given)
  if (known) return known
  throw new Refusal(
    `accelerate: the loss of output "${output}" must be a name or a function of tf.losses or tf.metrics, ` +
      `got ${nameOf(given)}; name one, "meanSquaredError" say, ${wayOut}`,
  )
}

/** What TensorFlow.js takes `crossentropy` for. */
function crossentropyFor(loss: LossName | Loss, shape: readonly (number | null)[]): MetricName {
  const name = typeof loss === 'string' ? loss : loss.name
  if (shape.at(-1) === 1 || name === 'binaryCrossentropy') return 'binaryCrossentropy'
  return name === 'sparseCategoricalCrossentropy' ? name : 'categoricalCrossentropy'
}

function metricOf(output: string, given: unknown, loss: LossName | Loss, shape: readonly (number | null)[]) {
  if (given === 'crossentropy' || given === 'ce') return crossentropyFor(loss, shape)
  const known = typeof given === 'string' ? (given as MetricName) : metricFunctions.get(given)
  if (known) return known
  throw new Refusal(
    `accelerate: a metric of output "${output}" must be a name or a function of tf.metrics, got ${nameOf(given)}; ` +
      `leave it out, ${wayOut}`,
  )
}

/** What is given for each of some outputs: alone for all, as a list if that has one each, or by name. */
function perOutput(given: unknown, names: readonly string[], listed: boolean): unknown[] {
  if (typeof given === 'string' || typeof given === 'function') return names.map(() => given)
  if (Array.isArray(given)) return listed ? given : names.map(() => given)
  return names.map(name => (given as Record<string, unknown> | null | undefined)?.[name])
}

/** The loss and the metrics that the model was compiled with. @throws Refusal for functions of the caller's own */
export function objectivesOf(
  core: Core,
  twinNames: readonly string[],
): Pick<CompileOptions, 'loss' | 'metrics'> {
  const { outputNames, internalOutputShapes } = core
  const loss = perOutput(core.loss, outputNames, true).map((given, i) => lossOf(outputNames[i]!, given))
  const measured = perOutput(core.metrics, outputNames, false).map((given, i) =>
    [given ?? []].flat().map(one => metricOf(outputNames[i]!, one, loss[i]!, internalOutputShapes[i]!)),
  )
  return { loss, metrics: Object.fromEntries(twinNames.map((name, i) => [name, measured[i]!])) }
}

/** @throws RangeError for weights of classes with a loss of tf.losses: one number of a mini-batch, which has no classes */
export function checkClassWeight(where: string, core: Core, classWeight: unknown): void {
  if (classWeight === undefined) return
  const given = perOutput(core.loss, core.outputNames, true)
  const scalar = Object.entries(tf.losses).find(([, loss]) => given.includes(loss))
  if (!scalar) return
  throw new RangeError(
    `${where}: with classWeight losses must be names or functions of tf.metrics, got tf.losses.${scalar[0]}, ` +
      'one number of all samples; name the loss',
  )
}
