import { noise } from '../bed.ts'
import { course, type Program } from './shared.ts'

/** Sepals and petals of three kinds of flowers, in centimetres. */
const kinds = [
  [5.0, 3.4, 1.5, 0.2],
  [5.9, 2.8, 4.3, 1.3],
  [6.6, 3.0, 5.6, 2.0],
]

/** Flowers told apart by the lengths and widths of their leaves. */
export const iris: Program = async (tf, options) => {
  const flowers = 90
  const spread = noise(4 * flowers, 11)
  const labels = Array.from({ length: flowers }, (_, i) => i % kinds.length)
  const measured = labels.map((label, i) => kinds[label]!.map((size, j) => size + spread[4 * i + j]! / 2))
  const [x, y] = tf.tidy(() => [tf.tensor2d(measured), tf.oneHot(tf.tensor1d(labels, 'int32'), kinds.length)])

  const model = options.prepare(
    tf.sequential({
      layers: [
        tf.layers.dense({ units: 10, activation: 'sigmoid', inputShape: [4] }),
        tf.layers.dense({ units: kinds.length, activation: 'softmax' }),
      ],
    }),
  )
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
  await model.fit(x, y, { batchSize: 18, ...course(options, 2) })
  return model
}
