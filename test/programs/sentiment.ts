import { noise } from '../bed.ts'
import { byChance, course, type Program } from './shared.ts'

const [words, length, samples] = [60, 20, 160]

/** Whether a review praises: words below 20 do, those below 40 do the contrary. */
export const sentiment: Program = async (tf, options) => {
  // No review says the same three words twice: TensorFlow.js gives each of equal maxima the whole gradient.
  const drawn = Array.from(noise(samples * length, 32), v => Math.floor((words / 2) * (v + 1)))
  const reviews = Array.from({ length: samples }, (_, i) => drawn.slice(i * length, (i + 1) * length))
  const praise = (word: number) => (word < 20 ? 1 : word < 40 ? -1 : 0)
  const labels = reviews.map(review => (review.reduce((sum, word) => sum + praise(word), 0) > 0 ? 1 : 0))
  const [x, y] = [tf.tensor2d(reviews, [samples, length], 'int32'), tf.tensor2d(labels, [samples, 1])]

  const model = tf.sequential()
  model.add(tf.layers.embedding({ inputDim: words, outputDim: 8, inputLength: length }))
  model.add(tf.layers.dropout({ rate: byChance(options, 0.2) }))
  model.add(tf.layers.conv1d({ filters: 16, kernelSize: 3, activation: 'relu' }))
  model.add(tf.layers.globalMaxPool1d({}))
  model.add(tf.layers.dense({ units: 8, activation: 'relu' }))
  model.add(tf.layers.dense({ units: 1, activation: 'sigmoid' }))
  options.prepare(model)
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'binaryCrossentropy', metrics: ['acc'] })
  await model.fit(x, y, { batchSize: 16, ...course(options, 1) })
  return model
}
