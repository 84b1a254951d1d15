import type { LayersModel } from '@tensorflow/tfjs'
import * as ls from '../../src/index.ts'
import { course, type Options, type Program, type Shared } from './shared.ts'

const pixels = 28 * 28
const classes = 10

/** Ten steps with the first handwritten digits of MNIST, grey values from 0 to 1. */
async function train(
  tf: Shared,
  model: LayersModel,
  samples: number,
  options: Options,
): Promise<LayersModel> {
  const { x: images, y: labels } = ls.datasets.mnist().train
  const [x, y] = tf.tidy(() => {
    const grey = Float32Array.from(images.values.subarray(0, samples * pixels))
    const digits = Array.from(labels.values.subarray(0, samples))
    return [
      tf.div(tf.tensor4d(grey, [samples, 28, 28, 1]), 255),
      tf.oneHot(tf.tensor1d(digits, 'int32'), classes),
    ]
  })
  model.compile({ optimizer: 'rmsprop', loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
  await model.fit(x, y, { batchSize: samples / 10, ...course(options, 1) })
  return model
}

/** Handwritten digits, read by dense layers. */
export const denseDigits: Program = async (tf, options) => {
  const model = tf.sequential()
  model.add(tf.layers.flatten({ inputShape: [28, 28, 1] }))
  model.add(tf.layers.dense({ units: 42, activation: 'relu' }))
  model.add(tf.layers.dense({ units: classes, activation: 'softmax' }))
  return train(tf, options.prepare(model), 320, options)
}

/** Handwritten digits, read by convolutions. */
export const convolvedDigits: Program = async (tf, options) => {
  const model = tf.sequential()
  model.add(
    tf.layers.conv2d({ inputShape: [28, 28, 1], kernelSize: 5, filters: 8, strides: 1, activation: 'relu' }),
  )
  model.add(tf.layers.maxPooling2d({ poolSize: [2, 2], strides: [2, 2] }))
  model.add(tf.layers.conv2d({ kernelSize: 5, filters: 16, activation: 'relu' }))
  model.add(tf.layers.maxPooling2d({ poolSize: [2, 2], strides: [2, 2] }))
  model.add(tf.layers.flatten())
  model.add(tf.layers.dense({ units: classes, activation: 'softmax' }))
  return train(tf, options.prepare(model), 50, options)
}
