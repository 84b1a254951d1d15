import { addressOf, course, type Program } from './shared.ts'

interface House {
  xs: Record<string, number>
  ys: Record<string, number>
}

/** Prices of houses from what is known of their neighbourhood, each column standardised first. */
export const boston: Program = async (tf, options) => {
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
  options.prepare(model)
  model.compile({ optimizer: tf.train.sgd(0.01), loss: 'meanSquaredError' })
  await model.fit(x, y, { batchSize: 20, ...course(options, 2) })
  return model
}
