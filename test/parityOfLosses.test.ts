import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, test } from 'vitest'
import * as layers from '../src/layers/table.ts'
import type { ActivationName } from '../src/ops/activation.ts'
import { losses } from '../src/training/losses.ts'
import { relativeError } from './bed.ts'
import { drawFor, type LossName, lossShapes, ofProbabilities } from './reference/draw.ts'
import { lossReferences } from './reference/losses.ts'
import { measure } from './reference/measure.ts'
import { drawClear } from './reference/prove.ts'

beforeAll(() => tf.setBackend('cpu'))

type TheirLoss = (target: tf.Tensor, prediction: tf.Tensor) => tf.Tensor

/** What a model of TensorFlow.js computes for a name: one loss a row. @throws Error for a name that it does not know */
function theirLoss(name: LossName): TheirLoss {
  // What it has, but not under a name.
  if (name === 'huber') return (t, p) => tf.losses.huberLoss(t, p, undefined, 1, tf.Reduction.NONE).mean(-1)
  const x = tf.input({ shape: [2] })
  const model = tf.model({ inputs: x, outputs: x })
  model.compile({ optimizer: 'sgd', loss: name })
  return (model as unknown as { lossFunctions: TheirLoss[] }).lossFunctions[0]!
}

function isTheirs(name: LossName): boolean {
  try {
    theirLoss(name)
    return true
  } catch {
    return false
  }
}

const names = (Object.keys(losses) as LossName[]).filter(isTheirs)

/** Errors of the losses of 4 samples, and of their mean's gradient, behind an activation. */
function errorsOf(name: LossName, activation: ActivationName, input: readonly number[], weighted: boolean) {
  const end = layers.activation({ activation })
  const setup = { layers: [end], input, samples: 4, loss: losses[name] }
  const probable = activation === 'linear' && ofProbabilities(name)
  const inputs = drawClear(setup, lossReferences[name], drawFor(setup, name, { weighted, probable }))
  const found = measure(setup, inputs)
  const shape = [4, ...input]
  const target = tf.tensor(inputs.target, losses[name].sparse ? shape.with(-1, 1) : shape)
  const x = tf.variable(tf.tensor(inputs.x, shape))
  const predicted = () => tf.layers.activation({ activation: activation as 'relu' }).apply(x) as tf.Tensor
  const rows = () => theirLoss(name)(target, predicted())
  const factors = tf
    .tensor(inputs.weight ?? new Float32Array(4).fill(1))
    .reshape([4, ...input.slice(0, -1).map(() => 1)])
  const { grads } = tf.variableGrads(() => tf.mean(tf.mul(rows(), factors)) as tf.Scalar, [x])
  return {
    losses: relativeError(found.losses, rows().dataSync()),
    gradient: relativeError(found.dx, grads[x.name]!.dataSync()),
  }
}

test('all fifteen losses of TensorFlow.js are compared', () => {
  expect(names).toHaveLength(15)
})

describe.each(names)('%s', name => {
  const ends: ActivationName[] = ofProbabilities(name) ? ['linear', 'softmax', 'sigmoid'] : ['linear', 'tanh']
  test.each(ends)('behind %s', activation => {
    // A softmax of one number is always 1.
    for (const input of lossShapes(name).filter(shape => activation !== 'softmax' || shape.at(-1)! > 1)) {
      for (const weighted of [false, true]) {
        const { losses, gradient } = errorsOf(name, activation, input, weighted)
        expect(losses, `losses of [${input}]`).toBeLessThan(1e-5)
        expect(gradient, `gradient of [${input}]`).toBeLessThan(1e-4)
      }
    }
  })
})
