import { addressOf, lossNotes, type Program } from './shared.ts'

interface House {
  xs: Record<string, number>
  ys: Record<string, number>
}

/** Prices of houses from what is known of their neighbourhood, each column standardised first. */
export const boston: Program = async (tf, { prepare }) => {
  const table = tf.data.csv(addressOf('boston.csv'), { columnConfigs: { medv: { isLabel: true } } })
  const houses = (await table.take(100).toArray()) as unknown as House[]
  const y = tf.tensor2d(houses.map(({ ys }) => Object.values(ys)))
  const x = tf.tidy(() => {
    const raw = tf.tensor2d(houses.map(({ xs }) => Object.values(xs)))
    const centred = tf.sub(raw, tf.mean(raw, 0))
    const deviation = tf.sqrt(tf.mean(tf.square(centred), 0))
    return tf.div(centred, tf.add(deviation, 1e-3))
  })

  const model = tf.sequential()
  model.add(tf.layers.dense({ units: 50, activation: 'sigmoid', inputShape: [x.shape[1]!] }))
  model.add(tf.layers.dense({ units: 50, activation: 'sigmoid' }))
  model.add(tf.layers.dense({ units: 1 }))
  prepare(model)
  model.compile({ optimizer: tf.train.sgd(0.01), loss: 'meanSquaredError' })
  const { losses, callbacks } = lossNotes()
  await model.fit(x, y, { epochs: 2, batchSize: 20, shuffle: false, verbose: 0, callbacks })
  return { losses, model }
}
