// How long the main thread's event loop is held up while all cores train: timers that come late, signals not heard.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import * as ls from '../src/index.ts'
import type { Options } from './index.ts'
import { type Print, short, startTable, verdict } from './table.ts'

/** Milliseconds by which timers were late: half of them, one in a hundred, the latest by more. */
export interface Lag {
  readonly p50: number
  readonly p99: number
  readonly most: number
}

/** A timer is started every so many milliseconds, and is late by what comes on top. */
const resolution = 2

/** How late timers come while something runs. */
export async function lagWhile(run: () => Promise<unknown>): Promise<Lag> {
  const delays = monitorEventLoopDelay({ resolution })
  delays.enable()
  await run()
  delays.disable()
  const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolution)
  return { p50: late(delays.percentile(50)), p99: late(delays.percentile(99)), most: late(delays.max) }
}

const samples = 20_000
/** Steps from one checkpoint to the next. */
const steps = 4

/** Trains for so many seconds with two workers. */
export type Training = (maxSeconds: number) => Promise<unknown>

/** Every way in which batches come to the workers, and checkpoints in quick succession. */
export function trainings(): Record<string, Training> {
  const pixels = new Float32Array(samples * 784).map((_, i) => (i % 251) / 251)
  const x = ls.tensor(pixels, [samples, 784])
  const y = ls.tensor(
    Int32Array.from({ length: samples }, (_, i) => i % 10),
    [samples],
  )
  const network = (units: number) => {
    const { dense } = ls.layers
    const hidden = (inputShape?: number[]) =>
      dense({ units, activation: 'relu', ...(inputShape && { inputShape }) })
    const model = ls.sequential({
      layers: [hidden([784]), hidden(), dense({ units: 10, activation: 'softmax' })],
      seed: 1,
    })
    model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
    return model
  }
  const common = { epochs: 1e6, seed: 1, workers: 2, onProgress: { report: () => {} } }
  const fit =
    (more: ls.FitOptions, units = 512): Training =>
    async maxSeconds => {
      const model = network(units)
      await model.fit(x, y, { ...common, batchSize: 128, ...more, maxSeconds })
      model.dispose()
    }
  const rows = Array.from({ length: samples }, (_, i) => ({
    xs: pixels.subarray(i * 784, (i + 1) * 784),
    ys: i % 10,
  }))
  const dataset = ls.data
    .array(rows)
    .shuffle(samples / 2, 1)
    .batch(128)
  const withCheckpoints =
    (units: number): Training =>
    async maxSeconds => {
      const directory = await mkdtemp(join(tmpdir(), 'lockstep-'))
      const callbacks = ls.callbacks.checkpoint({ directory, every: { steps } })
      await fit({ callbacks }, units)(maxSeconds)
      await rm(directory, { recursive: true })
    }
  return {
    fit: fit({ validationSplit: 0.1 }),
    'fit, streamed': fit({ stream: true }),
    fitDataset: async maxSeconds => {
      const model = network(512)
      await model.fitDataset(dataset as never, { ...common, maxSeconds })
      model.dispose()
    },
    [`fit, a checkpoint of 8 MB every ${steps} steps`]: withCheckpoints(512),
    [`fit, a checkpoint of 70 MB every ${steps} steps`]: withCheckpoints(2048),
  }
}

export async function run({ quick, only = '' }: Options, out: Print): Promise<Record<string, Lag>> {
  const row = startTable(out, ['event loop lag, ms', 'p50', 'p99', 'most'])
  const lags: Record<string, Lag> = {}
  for (const [name, train] of Object.entries(trainings()).filter(([name]) => name.includes(only))) {
    await train(0.5)
    const lag = await lagWhile(() => train(quick ? 1 : 5))
    lags[name] = lag
    row(name, short(lag.p50), verdict(lag.p99, 50, true), short(lag.most))
  }
  return lags
}
