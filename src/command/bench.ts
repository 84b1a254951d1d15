import { TimedEngine } from '../runtime/timed.ts'
import { benchData, benchOf, buildBench } from './benchNetworks.ts'
import { figure } from './describe.ts'
import { aligned, barOf, interruption, note, say, UsageError } from './terminal.ts'

interface Given {
  network?: string
  batch?: number
  workers?: readonly number[]
  rounds?: number
  seed?: number
  maxSeconds?: number
  json?: boolean
}

interface Count {
  readonly workers: number
  /** Median over the rounds, as are the others. */
  readonly samplesPerSecond: number
  /** Over one worker (or the fewest) in the same round. */
  readonly speedUp: number
  /** Speed-up ÷ workers, or cores where there are fewer. */
  readonly efficiency: number
  /** Part of the time that a worker spends at barriers, on average. */
  readonly barriers: number
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** 1, 2, 4 … cores. */
function countsFor(cores: number): number[] {
  const counts: number[] = []
  for (let n = 1; n < cores; n *= 2) counts.push(n)
  return [...counts, cores]
}

function check({ workers, rounds, batch }: Given): void {
  const isCount = (value: number) => Number.isSafeInteger(value) && value > 0
  if (workers && !(workers.length > 0 && workers.every(n => isCount(n) && n <= 256)))
    throw new UsageError(`bench: --workers must be counts from 1 to 256, got ${workers.join()}; write 1,2,4`)
  for (const [name, value] of Object.entries({ rounds, batch }))
    if (value !== undefined && !isCount(value))
      throw new UsageError(`bench: --${name} must be a positive integer, got ${value}; correct it`)
}

/** Speed of one training, timed by the workers themselves; the epoch before warms up. */
async function speedOf(
  engine: TimedEngine,
  train: (workers: number) => Promise<unknown>,
  samples: number,
  workers: number,
) {
  let [ms, atBarriers] = [0, 0]
  engine.onTiming = ({ reports }) => {
    ms = Math.max(...reports.map(report => report.milliseconds))
    atBarriers = reports.reduce((sum, report) => sum + report.barrierMilliseconds, 0) / reports.length
  }
  await train(workers)
  return { speed: (1000 * samples) / ms, barriers: atBarriers / ms }
}

/** The count of the highest speed; of those within 3 % of it the fewest workers. */
const bestOf = (counts: readonly Count[]): Count => {
  const most = Math.max(...counts.map(each => each.samplesPerSecond))
  return counts.find(each => each.samplesPerSecond > 0.97 * most)!
}

const percent = (part: number) => `${(100 * part).toFixed(0)} %`
const bar = (part: number) => '█'.repeat(Math.max(1, Math.round(30 * part)))

function print(about: string, counts: readonly Count[], best: Count): void {
  const most = Math.max(...counts.map(each => each.samplesPerSecond))
  const rows = counts.map(each => [
    String(each.workers),
    Math.round(each.samplesPerSecond).toLocaleString('en'),
    each.speedUp.toFixed(2),
    percent(each.efficiency),
    percent(each.barriers),
    `▏${bar(each.samplesPerSecond / most)}`,
  ])
  say(about)
  for (const line of aligned([
    ['workers', 'samples/s', 'speed-up', 'efficiency', 'at barriers', ''],
    ...rows,
  ]))
    say(line)
  say(`fastest: ${best.workers} worker${best.workers > 1 ? 's' : ''}`)
}

/** `lockstep bench`. Resolves with the exit code. */
export async function bench(given: Given): Promise<number> {
  check(given)
  const { network = 'mlp', rounds = 5, seed = 7, maxSeconds = Number.POSITIVE_INFINITY } = given
  const spec = benchOf(network)
  const interrupted = interruption()
  const engine = new TimedEngine()
  engine.timed = true
  const batchSize = given.batch ?? spec.batchSize
  const samples = batchSize * spec.batches
  const model = buildBench(spec, engine, seed)
  const { x, y } = benchData(spec, samples, model.outputShapes[0]!.at(-1)!)
  const workerCounts = [...new Set(given.workers ?? countsFor(engine.cores))].sort((a, b) => a - b)
  const train = (workers: number) =>
    model.fit(x, y, { batchSize, epochs: 2, seed, workers, signal: interrupted.signal })
  const moving = await barOf('round {value}/{total} {bar} {eta} s left')
  // The pool gets its full size first, so that no round pays for new threads.
  await train(workerCounts.at(-1)!)
  const began = performance.now()
  const found = workerCounts.map(() => [] as { speed: number; barriers: number }[])
  for (let round = 0; round < rounds && !interrupted.signal.aborted; round++) {
    if (round > 0 && performance.now() - began > 1000 * maxSeconds) break
    for (const [i, workers] of workerCounts.entries())
      found[i]!.push(await speedOf(engine, train, samples, workers))
    moving.update(round + 1, rounds)
  }
  moving.stop()
  const { info, cores } = engine
  model.dispose()
  await engine.close()
  if (interrupted.code() !== undefined) return interrupted.code()!
  const counts = workerCounts.map((workers, i): Count => {
    const own = found[i]!
    const speedUp = median(own.map(({ speed }, round) => speed / found[0]![round]!.speed)) * workerCounts[0]!
    return {
      workers,
      samplesPerSecond: median(own.map(({ speed }) => speed)),
      speedUp,
      efficiency: speedUp / Math.min(workers, cores),
      barriers: median(own.map(({ barriers }) => barriers)),
    }
  })
  const best = bestOf(counts)
  if (given.json) {
    const machine = { cores, tier: info.tier, numerics: info.numerics, node: info.node }
    say(
      JSON.stringify({
        network,
        about: spec.about,
        batchSize,
        rounds: found[0]!.length,
        ...machine,
        counts,
        best: best.workers,
      }),
    )
    return 0
  }
  note(`${cores} cores, ${info.tier}, Node ${info.node}; median of ${found[0]!.length} rounds`)
  print(
    `${network === spec.about ? network : `${network}: ${spec.about}`}, mini-batches of ${batchSize}`,
    counts,
    best,
  )
  if (cores > 1 && best.workers > cores)
    note(`there are only ${cores} cores: ${figure(best.workers)} may not stay faster`)
  return 0
}
