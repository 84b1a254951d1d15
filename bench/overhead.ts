// What lies around the arithmetic: steps, barriers, memory, the start of fit, and two workers beside two processes.

import { getHeapStatistics } from 'node:v8'
import { MessageChannel } from 'node:worker_threads'
import { Bench } from 'tinybench'
import { type Rows, toRows } from '../src/data/inputs.ts'
import * as ls from '../src/index.ts'
import { Model } from '../src/index.ts'
import { Claims, withClaims } from '../src/model/claims.ts'
import { residentFeed } from '../src/model/feed.ts'
import { inOrder } from '../src/model/local.ts'
import { recordStep } from '../src/model/record.ts'
import { Stage } from '../src/model/stage.ts'
import { Control, controlBytes } from '../src/runtime/control.ts'
import { TimedEngine } from '../src/runtime/timed.ts'
import { type Command, Servant } from '../src/runtime/worker.ts'
import { type Figure, lockstepPeer, type Peer } from './peers/peer.ts'
import { undisturbed } from './quiet.ts'
import { median, type Print, short, startTable, verdict } from './table.ts'
import { buildModel, dataOf, type Workload, workloads } from './workloads.ts'

export interface Row {
  readonly figure: string
  readonly best: number
  readonly median: number
  readonly asked?: number
  /** Whether the figure is to be small. */
  readonly atMost: boolean
}

const named = (name: string): Workload => workloads.find(workload => workload.name === name)!
const modelOn = (engine: TimedEngine, workload: Workload): Model =>
  buildModel({ ...ls, model: options => new Model(options, engine) }, workload)

function tensorsOf(workload: Workload, samples: number): [ls.Tensor, ls.Tensor] {
  const { x, y } = dataOf(workload, samples)
  return [ls.tensor(x, [samples, ...workload.input]), ls.tensor(y, [samples])]
}

function rowOf(figure: string, values: readonly number[], asked?: number, atMost = true): Row {
  const best = atMost ? Math.min(...values) : Math.max(...values)
  return { figure, best, median: median(values), atMost, ...(asked !== undefined && { asked }) }
}

/** Microseconds of a step of the one-feature network, and what a barrier adds to it with two workers. */
async function stepRows(engine: TimedEngine, rounds: number): Promise<Row[]> {
  const workload = named('1-1 sgd 32')
  const [x, y] = tensorsOf(workload, workload.samples)
  const model = modelOn(engine, workload)
  let [micros, barriers] = [0, 0]
  engine.onTiming = ({ steps, barriers: count, reports }) => {
    micros = (1000 * Math.max(...reports.map(report => report.milliseconds))) / steps
    barriers = count
  }
  const [one, two]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    for (const [i, times] of [one, two].entries()) {
      const options = { batchSize: 32, epochs: 3, shuffle: false, seed: 1, workers: i + 1 }
      times.push(await undisturbed(() => model.fit(x, y, options).then(() => micros)))
    }
  }
  model.dispose()
  const added = two.map((time, round) => (time - one[round]!) / barriers)
  return [
    rowOf('step, 1 feature, 1 worker, µs', one, 5),
    rowOf('step, 1 feature, 2 workers, µs', two),
    rowOf(`added by each of ${barriers} barriers, µs`, added, 3),
  ]
}

/** Bytes that V8 has handed out on this thread so far, freed or not. */
function allocated(): number {
  const statistics = getHeapStatistics() as { total_allocated_bytes?: number; used_heap_size: number }
  return statistics.total_allocated_bytes ?? statistics.used_heap_size
}

const rowsOf = (values: Float32Array, count: number): Rows => ({
  values,
  scale: 1,
  count,
  shape: [values.length / count],
})

/** Bytes that the command loop of a worker, run on this thread, takes from the heap for `count` steps. */
function heapOfSteps(engine: TimedEngine, workload: Workload, count: number): number {
  const { arena, kernels, module } = engine
  const { batchSize } = workload
  const model = modelOn(engine, workload)
  const samples = count * batchSize
  const { x, y } = dataOf(workload, samples)
  const claims = new Claims(arena)
  const feed = residentFeed(claims, { x0: rowsOf(x, samples), y0: rowsOf(y, samples) })
  const recorded = recordStep(model, model.compiled, {
    mode: 'train',
    rows: batchSize,
    sources: feed.sources,
  })
  const stage = new Stage(claims, recorded, 1)
  const rates = claims.allocateZeroed(4 * count, 'the learning rates')
  const words = claims.allocateZeroed(controlBytes(1), 'the control block')
  const { port1, port2: port } = new MessageChannel()
  const task = {
    ...{ kernels: module, memory: arena.memory, control: words.address, port },
    ...{ rank: 0, workers: 1, spins: 1, balanced: false },
  }
  const steps = { ...inOrder(samples, batchSize), rates: rates.address }
  const bases = stage.bases(model.state.address, feed.addresses)
  const commands: Command[] = [
    { kind: 'bind', id: 0, plan: stage.plan, bases },
    { kind: 'steps', id: 0, workers: 1, steps, prologue: true, timed: false },
    { kind: 'end' },
  ]
  for (const command of commands) port1.postMessage(command)
  const control = new Control(arena.memory, words.address, 1)
  control.clearStop()
  control.shares.divide(1)
  control.announceCommand()
  const servant = new Servant(task, kernels)
  const before = allocated()
  servant.serve()
  const bytes = allocated() - before
  port1.close()
  claims.free()
  model.dispose()
  return bytes
}

/**
 * Heap bytes a step: what 100,000 more steps take than 100,000, so that the start falls away. The smallest object takes
 * twelve; what else happens on the heap meanwhile comes to some tenths.
 */
function heapRow(engine: TimedEngine, rounds: number): Row {
  const workload = named('1-1 sgd 32')
  const bytes = Array.from({ length: rounds }, () => {
    const [few, many] = [heapOfSteps(engine, workload, 100_000), heapOfSteps(engine, workload, 200_000)]
    return Math.max(0, many - few) / 100_000
  })
  return rowOf('heap allocated a step, bytes', bytes, 1)
}

/** From the call of fit to the report of its first step, the pool being warm and the data small; copying in, large. */
async function startRows(engine: TimedEngine, iterations: number): Promise<Row[]> {
  const workload = named('784-512-512-10 adam 128')
  const [x, y] = tensorsOf(workload, workload.batchSize)
  const model = modelOn(engine, workload)
  let reported = 0
  engine.onTiming = () => {
    reported = performance.now()
  }
  const large = new Float32Array(60_000 * 784).fill(0.5)
  const bench = new Bench({ iterations, time: 0, warmupIterations: 2, warmupTime: 0 })
  bench.add('first step', async () => {
    const start = performance.now()
    await model.fit(x, y, { batchSize: 128, seed: 1, workers: 2 })
    return { overriddenDuration: reported - start }
  })
  const copy = (check: boolean) => () => {
    const x = check ? toRows('bench', 'x', large, [784]) : rowsOf(large, 60_000)
    withClaims(engine.arena, claims => residentFeed(claims, { x }))
  }
  bench.add('copy', copy(false)).add('check and copy', copy(true))
  await bench.run()
  model.dispose()
  const [first, copied, checked] = bench.tasks.map(({ result }) => {
    if (result.state !== 'completed') throw new Error(`overhead: a task must complete, got ${result.state}`)
    return { best: result.latency.min, median: result.latency.p50 }
  })
  const speed = (times: typeof copied) => ({
    best: large.byteLength / 1e6 / times!.best,
    median: large.byteLength / 1e6 / times!.median,
    atMost: false,
  })
  return [
    { figure: 'fit to end of first step, ms', ...first!, asked: 50, atMost: true },
    { figure: 'copy in, GB/s', ...speed(copied) },
    { figure: 'check and copy in, GB/s', ...speed(checked) },
  ]
}

/** Samples/s of all peers at once. */
async function together(peers: readonly Peer[], workload: Workload, ms: number): Promise<Figure> {
  const answers = await Promise.all(peers.map(peer => peer.measure(workload, ms, 60_000)))
  let [samplesPerSecond, cpuMs] = [0, 0]
  for (const answer of answers) {
    if (!('cpuMs' in answer))
      throw new Error(`overhead: a process must answer, got ${JSON.stringify(answer)}`)
    samplesPerSecond += answer.samplesPerSecond
    cpuMs += answer.cpuMs
  }
  return { samplesPerSecond, cpuMs }
}

/** Two workers beside two processes of one worker each, which share nothing. */
async function processRows(rounds: number, ms: number): Promise<Row[]> {
  const workload = named('784-512-512-10 adam 1024')
  const sides = [[lockstepPeer(2)], [lockstepPeer(1), lockstepPeer(1)]]
  const speeds: [number[], number[]] = [[], []]
  try {
    for (const peers of sides) await together(peers, workload, ms)
    for (let round = 0; round < rounds; round++) {
      for (const [i, peers] of sides.entries()) {
        const ask = () => together(peers, workload, ms)
        speeds[i]!.push((await undisturbed(ask, ({ cpuMs }) => cpuMs)).samplesPerSecond)
      }
    }
  } finally {
    for (const peer of sides.flat()) peer.stop()
  }
  const [one, two] = speeds
  const ratios = one.map((speed, round) => speed / two[round]!)
  return [
    rowOf(`${workload.name}, 2 workers`, one, undefined, false),
    rowOf('2 processes of 1 worker', two, undefined, false),
    rowOf('2 workers ÷ 2 processes', ratios, 0.95, false),
  ]
}

export async function run({ quick }: { quick: boolean }, out: Print): Promise<Row[]> {
  const rounds = quick ? 2 : 9
  const engine = new TimedEngine()
  const row = startTable(out, ['figure', 'best', 'median'])
  const rows: Row[] = []
  const add = (more: Row[]) => {
    rows.push(...more)
    for (const { figure, best, median: middle, asked, atMost } of more)
      row(figure, short(best), verdict(middle, asked, atMost))
  }
  add(await stepRows(engine, rounds))
  add([heapRow(engine, quick ? 1 : 7)])
  add(await startRows(engine, 2 * rounds))
  add(await processRows(rounds, quick ? 300 : 3000))
  await engine.close()
  return rows
}
