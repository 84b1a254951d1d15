// node examples/weather.ts: an LSTM reads a week of Seattle's weather and says how warm tomorrow will be.
import * as ls from 'lockstep'
import { type Running, running, type Score, start } from './score.ts'
import { join, type Row, readTable, scalerOf } from './tables.ts'

const settings = {
  ...running,
  /** Days that the LSTM sees. */
  days: 7,
  units: 32,
  /** Networks whose predictions are averaged: each stops somewhere else. */
  members: 5,
  epochs: 100,
  patience: 10,
  /** Part of the squared error of "tomorrow is as warm as today" that must be saved. */
  bound: 0.15,
}
type Settings = typeof settings & Running

const kinds = ['drizzle', 'rain', 'sun', 'snow', 'fog']

/** A day as numbers: what was measured, the kind of weather, and the season as a point on a circle. */
function featuresOf(day: Row): number[] {
  const { precipitation, temp_max, temp_min, wind } = day as Record<string, number>
  const start = Date.parse(`${String(day.date).slice(0, 4)}-01-01`)
  const angle = (2 * Math.PI * (Date.parse(String(day.date)) - start)) / (365.25 * 24 * 3600 * 1000)
  return [
    Math.log1p(precipitation!),
    temp_max!,
    temp_min!,
    wind!,
    ...kinds.map(kind => (day.weather === kind ? 1 : 0)),
    Math.sin(angle),
    Math.cos(angle),
  ]
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

/** Samples of some days, each to be predicted from the days before it, and the changes that are to be predicted. */
type Part = readonly [x: ls.Tensor, y: Float32Array]

/** Trains one network, and predicts what is tested. */
async function member(
  training: Part,
  validation: Part,
  x: ls.Tensor,
  all: Settings,
): Promise<ArrayLike<number>> {
  const { units, epochs, patience, seed, workers } = all
  const model = ls.sequential({
    layers: [
      ls.layers.lstm({ units, inputShape: x.shape.slice(1), dropout: 0.2, recurrentActivation: 'sigmoid' }),
      ls.layers.dense({ units: 1 }),
    ],
    seed,
  })
  model.compile({ optimizer: ls.train.adam(3e-3), loss: 'meanSquaredError' })
  await model.fit(...training, {
    epochs,
    validationData: validation,
    callbacks: ls.callbacks.earlyStopping({ patience, restoreBestWeights: true }),
    seed,
    workers,
  })
  const predicted = (model.predict(x) as ls.Tensor).dataSync()
  model.dispose()
  return predicted
}

/**
 * Trains on the days up to June 2014, stops by the rest of that year, and is tested on 2015. What is predicted is the
 * change of the day's highest temperature, of which "as warm as today" says that it is 0.
 */
export async function weather(options: Partial<Settings> = {}): Promise<readonly Score[]> {
  const all: Settings = { ...settings, ...options }
  const rows = await readTable('seattle-weather.csv')
  const dates = rows.map(row => String(row.date))
  const features = rows.map(featuresOf)
  const changeOf = (i: number) => (rows[i]!.temp_max as number) - (rows[i - 1]!.temp_max as number)
  const partOf = (from: string, to: string) =>
    [...rows.keys()].slice(all.days).filter(i => dates[i]! >= from && dates[i]! <= to)
  const training = partOf('2012-01-01', '2014-06-30')
  const validation = partOf('2014-07-01', '2014-12-31')
  const tested = partOf('2015-01-01', '2015-12-31')

  const columns = scalerOf(training.map(i => features[i]!))
  const change = scalerOf(training.map(i => [changeOf(i)]))
  const scaled = features.map(columns.scale)
  const dataOf = (part: readonly number[]): Part => [
    ls.tensor(join(part.flatMap(i => scaled.slice(i - all.days, i))), [
      part.length,
      all.days,
      scaled[0]!.length,
    ]),
    join(part.map(i => change.scale([changeOf(i)]))),
  ]
  const predictions: ArrayLike<number>[] = []
  for (let i = 0; i < all.members; i++) {
    const one = { ...all, seed: all.seed + i }
    predictions.push(await member(dataOf(training), dataOf(validation), dataOf(tested)[0], one))
  }

  const predicted = tested.map((_, j) => change.restore([meanOf(predictions.map(values => values[j]!))])[0]!)
  const error = meanOf(tested.map((i, j) => (predicted[j]! - changeOf(i)) ** 2))
  const baseline = meanOf(tested.map(i => changeOf(i) ** 2))
  const [ours, theirs] = [error, baseline].map(value => `${Math.sqrt(value).toFixed(2)} °C`)
  all.say(`highest temperature of ${tested.length} days of 2015, root mean squared error: ${ours}`)
  all.say(`"as warm as the day before": ${theirs}`)
  const name = 'Seattle weather: squared error saved over "as today"'
  return [{ name, value: 1 - error / baseline, bound: all.bound, better: 'atLeast' }]
}

await start(import.meta.url, weather)
