// node examples/anomalies.ts: an autoencoder learns what two sensors usually see, and finds what happened to two others.
import * as ls from 'lockstep'
import { type Running, running, type Score, start } from './score.ts'
import { join, readPacked, scalerOf } from './tables.ts'

const settings = {
  ...running,
  /** Readings in a row, 5 seconds apart, that are looked at together. */
  length: 12,
  /** Numbers that must be enough to describe them. */
  code: 3,
  epochs: 40,
  /** Average precision that must be reached; alarms at random have the share of events, 0.017. */
  bound: 0.9,
}
type Settings = typeof settings & Running

interface Sensor {
  readonly readings: readonly (readonly [humidity: number, temperature: number])[]
  /** 1 while steam was let out near it, 0 otherwise. */
  readonly labels: readonly number[]
}

/** The four sensors, 4,690 readings each: 1 and 2 outdoors, 3 and 4 indoors, with events at 1 and 3. */
function sensors(): Sensor[] {
  const lines = readPacked('sensors.csv.gz').trim().split('\n').slice(1)
  const rows = lines.map(line => line.split(',').map(Number))
  return [1, 2, 3, 4].map(sensor => {
    const own = rows.filter(([, id]) => id === sensor)
    return { readings: own.map(row => [row[3]!, row[4]!] as const), labels: own.map(row => row[5]!) }
  })
}

/** Mean precision over the events, each at the alarm that finds it: the area under precision and recall. */
export function averagePrecision(labels: readonly number[], scores: readonly number[]): number {
  const order = [...labels.keys()].sort((i, j) => scores[j]! - scores[i]!)
  let found = 0
  let sum = 0
  for (const [alarms, i] of order.entries()) if (labels[i] === 1) sum += ++found / (alarms + 1)
  return sum / found
}

/**
 * Trains without labels on sensors 2 and 4, where nothing was done, and scores readings of sensors 1 and 3 by how badly
 * the readings that end with them are reconstructed.
 */
export async function anomalies(options: Partial<Settings> = {}): Promise<readonly Score[]> {
  const all: Settings = { ...settings, ...options }
  const { length, code, epochs, seed, workers, say } = all
  const [first, second, third, fourth] = sensors() as [Sensor, Sensor, Sensor, Sensor]
  const { scale } = scalerOf([...second.readings, ...fourth.readings])
  const windowsOf = ({ readings }: Sensor): number[][] => {
    const scaled = readings.map(scale)
    return scaled.slice(length - 1).map((_, i) => scaled.slice(i, i + length).flat())
  }

  const size = 2 * length
  const model = ls.sequential({
    layers: [
      ls.layers.dense({ units: 32, activation: 'tanh', inputShape: [size] }),
      ls.layers.dense({ units: code }),
      ls.layers.dense({ units: 32, activation: 'tanh' }),
      ls.layers.dense({ units: size }),
    ],
    seed,
  })
  model.compile({ optimizer: ls.train.adam(2e-3), loss: 'meanSquaredError' })
  const usual = join([...windowsOf(second), ...windowsOf(fourth)])
  const { history } = await model.fit(usual, usual, { epochs, batchSize: 64, seed, workers })
  say(`${history.loss!.length} epochs, loss ${history.loss!.at(-1)!.toExponential(2)}`)

  const labels: number[] = []
  const errors: number[] = []
  const distances: number[] = []
  for (const sensor of [first, third]) {
    const windows = windowsOf(sensor)
    const rebuilt = (model.predict(join(windows)) as ls.Tensor).dataSync()
    for (const [i, window] of windows.entries()) {
      labels.push(sensor.labels[i + length - 1]!)
      errors.push(window.reduce((sum, value, j) => sum + (value - rebuilt[i * size + j]!) ** 2, 0))
      distances.push(window.reduce((sum, value) => sum + value ** 2, 0))
    }
  }
  model.dispose()
  const events = labels.filter(label => label === 1).length
  say(`${events} of ${labels.length} readings belong to events`)
  say(
    `average precision of the distance from the mean alone: ${averagePrecision(labels, distances).toFixed(4)}`,
  )
  const value = averagePrecision(labels, errors)
  return [{ name: 'sensors: average precision', value, bound: all.bound, better: 'atLeast' }]
}

await start(import.meta.url, anomalies)
