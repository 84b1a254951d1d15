import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { addressOf, course, type Program } from './shared.ts'

const length = 16
const samples = 160

/** The next letter of Moby-Dick after some others. */
export const characters: Program = async (tf, options) => {
  const book = gunzipSync(readFileSync(new URL(addressOf('moby-dick.txt.gz')))).toString()
  const text = book.slice(2000, 2000 + 3 * samples + length)
  const letters = [...new Set(text)].sort()
  const rowOf = (letter: string) => letters.map(other => (letter === other ? 1 : 0))
  const starts = Array.from({ length: samples }, (_, i) => 3 * i)
  const x = tf.tensor3d(starts.map(start => [...text.slice(start, start + length)].map(rowOf)))
  const y = tf.tensor2d(starts.map(start => rowOf(text[start + length]!)))

  const model = tf.sequential()
  model.add(tf.layers.lstm({ units: 20, returnSequences: true, inputShape: [length, letters.length] }))
  model.add(tf.layers.lstm({ units: 20 }))
  model.add(tf.layers.dense({ units: letters.length, activation: 'softmax' }))
  options.prepare(model)
  model.compile({ optimizer: tf.train.rmsprop(0.01), loss: 'categoricalCrossentropy' })
  await model.fit(x, y, { batchSize: 16, ...course(options, 1) })
  return model
}
