import { noise } from '../bed.ts'
import { course, type Program } from './shared.ts'

const alphabet = '0123456789+ '
const digits = 2
/** Letters of "12+34", and of the sum. */
const [questionLength, answerLength] = [2 * digits + 1, digits + 1]

const rowsOf = (text: string): number[][] =>
  [...text].map(letter => [...alphabet].map(other => (letter === other ? 1 : 0)))

/** Sums written in letters: one LSTM reads the question, another writes the answer. */
export const addition: Program = async (tf, options) => {
  const drawn = Array.from(noise(2 * 160, 21), v => Math.floor(50 * (v + 1)))
  const pairs = Array.from({ length: 160 }, (_, i) => [drawn[2 * i]!, drawn[2 * i + 1]!] as const)
  const x = tf.tensor3d(pairs.map(([a, b]) => rowsOf(`${a}+${b}`.padEnd(questionLength))))
  const y = tf.tensor3d(pairs.map(([a, b]) => rowsOf(`${a + b}`.padEnd(answerLength))))

  const model = tf.sequential()
  model.add(tf.layers.lstm({ units: 20, inputShape: [questionLength, alphabet.length] }))
  model.add(tf.layers.repeatVector({ n: answerLength }))
  model.add(tf.layers.lstm({ units: 20, returnSequences: true }))
  model.add(
    tf.layers.timeDistributed({ layer: tf.layers.dense({ units: alphabet.length, activation: 'softmax' }) }),
  )
  options.prepare(model)
  model.compile({ optimizer: tf.train.adam(0.005), loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
  await model.fit(x, y, { batchSize: 16, ...course(options, 1) })
  return model
}
