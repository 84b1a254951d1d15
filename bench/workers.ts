// The same training with 1, 2 … workers: how fast, and the same bits.
import { createHash } from 'node:crypto'
import * as ls from '../src/index.ts'
import { Model, type ModelOptions } from '../src/index.ts'
import { TimedEngine } from '../src/runtime/timed.ts'
import { undisturbed } from './quiet.ts'
import { median, type Print, short, startTable } from './table.ts'
import { buildModel, dataOf, type Workload, workloads } from './workloads.ts'

export interface Row {
  readonly workload: string
  readonly workers: number
  readonly samplesPerSecond: number
  /** Median over the rounds of the speed ÷ that of one worker in the same round. */
  readonly speedUp: number
  /** Speed-up ÷ cores in use. */
  readonly efficiency: number
  /** Part of the time that a worker spends at barriers, on average. */
  readonly barriers: number
  /** SHA-256 of the weights, its first 16 digits. */
  readonly hash: string
}

/** 1 … cores, in steps that double beyond 8, and twice the cores. */
function countsFor(cores: number): number[] {
  const counts: number[] = []
  for (let n = 1; n < cores; n += n < 8 ? 1 : n) counts.push(n)
  return [...counts, cores, 2 * cores]
}

interface Trial {
  speed: number
  barriers: number
  hash: string
}

/** Two epochs of a new model; the second is timed by the workers themselves. */
async function trial(engine: TimedEngine, workload: Workload, data: Data, workers: number): Promise<Trial> {
  const library = { ...ls, model: (options: ModelOptions) => new Model({ ...options, seed: 1 }, engine) }
  const model = buildModel<Model>(library, workload)
  let [ms, atBarriers] = [0, 0]
  engine.onTiming = ({ reports }) => {
    ms = Math.max(...reports.map(report => report.milliseconds))
    atBarriers = reports.reduce((sum, report) => sum + report.barrierMilliseconds, 0) / reports.length
  }
  const { batchSize, samples } = workload
  await model.fit(data.x, data.y, { batchSize, epochs: 2, seed: 1, workers })
  const hash = createHash('sha256')
  for (const weight of model.getWeights()) hash.update(weight.dataSync() as Float32Array)
  model.dispose()
  return { speed: samples / (ms / 1000), barriers: atBarriers / ms, hash: hash.digest('hex').slice(0, 16) }
}

interface Data {
  x: ls.Tensor
  y: ls.Tensor
}

/** Every count in turns, several times. */
async function compare(engine: TimedEngine, workload: Workload, rounds: number): Promise<Row[]> {
  const { samples, input, name } = workload
  const { x, y } = dataOf(workload, samples)
  const data = { x: ls.tensor(x, [samples, ...input]), y: ls.tensor(y, [samples]) }
  const counts = countsFor(engine.cores)
  const trials = counts.map(() => [] as Trial[])
  // The pool gets its full size first, so that no round pays for new threads.
  await trial(engine, workload, data, counts.at(-1)!)
  for (let round = 0; round < rounds; round++) {
    for (const [i, workers] of counts.entries())
      trials[i]!.push(await undisturbed(() => trial(engine, workload, data, workers)))
  }
  return counts.map((workers, i) => {
    const own = trials[i]!
    const speedUp = median(own.map(({ speed }, round) => speed / trials[0]![round]!.speed))
    return {
      workload: name,
      workers,
      samplesPerSecond: median(own.map(({ speed }) => speed)),
      speedUp,
      efficiency: speedUp / Math.min(workers, engine.cores),
      barriers: median(own.map(({ barriers }) => barriers)),
      hash: [...new Set(own.map(({ hash }) => hash))].join(' '),
    }
  })
}

const percent = (part: number) => `${(100 * part).toFixed(0)} %`

export async function run(options: { quick: boolean; only?: string }, out: Print): Promise<Row[]> {
  const { quick, only } = options
  const measured = ['784-128-10 adam 128', '784-512-512-10 adam 1024', 'CNN adam 128']
  const engine = new TimedEngine()
  engine.timed = true
  out(
    'Median of the rounds; speed-up by round. Time at barriers is part of the time of a worker, on average.',
  )
  out('')
  const columns = ['workload', 'workers', 'samples/s', 'speed-up', 'efficiency', 'at barriers', 'weights']
  const row = startTable(out, columns)
  const rows: Row[] = []
  const chosen = workloads.filter(({ name }) => (only ? name.includes(only) : measured.includes(name)))
  for (const workload of chosen) {
    const results = await compare(engine, workload, quick ? 1 : 7)
    rows.push(...results)
    for (const {
      workload: name,
      workers,
      samplesPerSecond,
      speedUp,
      efficiency,
      barriers,
      hash,
    } of results) {
      row(
        name,
        String(workers),
        short(samplesPerSecond),
        speedUp.toFixed(2),
        percent(efficiency),
        percent(barriers),
        hash,
      )
    }
  }
  await engine.close()
  const same = chosen.every(
    ({ name }) => new Set(rows.filter(r => r.workload === name).map(({ hash }) => hash)).size === 1,
  )
  out('')
  out(same ? 'The weights have the same bits in every row of a workload.' : 'THE WEIGHTS DIFFER.')
  return rows
}
