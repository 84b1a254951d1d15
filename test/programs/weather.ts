import type * as tfjs from '@tensorflow/tfjs'
import { addressOf, byChance, course, type Program } from './shared.ts'

interface Day {
  temp_max: number
  temp_min: number
  wind: number
}

const [days, batchSize] = [10, 16]
const featuresOf = ({ temp_max, temp_min, wind }: Day) => [temp_max / 20, temp_min / 20, wind / 5]

/** Tomorrow's temperature in Seattle from the days before, which a dataset brings batch by batch. */
export const weather: Program = async (tf, options) => {
  const required = { required: true }
  const table = tf.data.csv(addressOf('seattle-weather.csv'), {
    columnConfigs: { temp_max: required, temp_min: required, wind: required },
    configuredColumnsOnly: true,
  })
  const measured = ((await table.take(batchSize * 5 + days).toArray()) as unknown as Day[]).map(featuresOf)
  function* weeks() {
    for (let day = days; day < measured.length; day++)
      yield { xs: tf.tensor2d(measured.slice(day - days, day)), ys: tf.tensor1d([measured[day]![0]!]) }
  }
  const dataset = tf.data.generator(weeks as () => Iterator<tfjs.TensorContainer>).batch(batchSize)

  const model = tf.sequential()
  model.add(
    tf.layers.gru({
      units: 16,
      dropout: byChance(options, 0.1),
      recurrentDropout: byChance(options, 0.1),
      inputShape: [days, 3],
    }),
  )
  model.add(tf.layers.dense({ units: 1 }))
  options.prepare(model)
  model.compile({ optimizer: 'rmsprop', loss: 'meanAbsoluteError' })
  const { shuffle: _, ...length } = course(options, 2)
  await model.fitDataset(dataset, length)
  return model
}
