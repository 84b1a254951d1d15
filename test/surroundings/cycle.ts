import { readdirSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import * as ls from '../../src/index.ts'
import { Engine } from '../../src/runtime/engine.ts'
import { noise } from '../bed.ts'

// node --expose-gc cycle.ts shared|own WARM COUNT: models are made, trained in turn in several ways, and disposed of, on one
// engine or each on one of its own. Prints what the process held after WARM cycles and what it held in the end.
const [kind, warm, count] = process.argv.slice(2) as [string, string, string]

/** What a process holds on to. */
export interface Held {
  readonly threads: number
  readonly descriptors: number
  /** Kinds of what keeps the process alive. */
  readonly handles: readonly string[]
  /** Of the shared memory: in use, and grown to. */
  readonly bytes: number
  readonly grown: number
  /** On this thread's heap. */
  readonly heap: number
  /** Ports that the pool's threads hold. */
  readonly ports: number
  /** Models that were disposed of and are still there. */
  readonly models: number
  readonly rss: number
}

const x = ls.tensor(noise(64 * 8, 3), [64, 8])
const y = ls.tensor(noise(64, 5), [64])
const options = { batchSize: 16, epochs: 1, seed: 1, workers: 2 }
const models: WeakRef<ls.Sequential>[] = []

/** What is tried in every tenth cycle each; `fit` alone in the others. */
const rarer: readonly ((model: ls.Sequential) => Promise<unknown>)[] = [
  model => model.fit(x, y, { ...options, validationSplit: 0.25 }),
  model => model.fitDataset(ls.data.array([[x, y]] as never), { epochs: 2, seed: 1, workers: 2 }),
  model => model.fit(x, y, { ...options, stream: true, callbacks: { onBatchEnd: () => {} } }),
  async model => {
    await Promise.all([model.predictAsync(x), model.evaluateAsync(x, y)])
    await model.trainOnBatch(x, y)
  },
]

async function cycle(engine: Engine, number: number): Promise<void> {
  const layers = [
    ls.layers.dense({ units: 4, activation: 'relu', inputShape: [8] }),
    ls.layers.dense({ units: 1 }),
  ]
  const model = new ls.Sequential({ layers }, engine)
  models.push(new WeakRef(model))
  model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
  const way = rarer[number % 10]
  await (way ? way(model) : model.fit(x, y, options))
  model.dispose()
}

const threads = new Set<Worker>()
process.on('worker', worker => {
  threads.add(worker)
  worker.once('exit', () => threads.delete(worker))
})

async function portsOf(thread: Worker): Promise<number> {
  const { snapshot, nodes, strings } = JSON.parse(await text(await thread.getHeapSnapshot())) as {
    snapshot: { meta: { node_fields: string[] } }
    nodes: number[]
    strings: string[]
  }
  const fields = snapshot.meta.node_fields
  const name = fields.indexOf('name')
  return nodes.filter((value, i) => i % fields.length === name && strings[value] === 'Node / MessagePort')
    .length
}

async function held(engine: Engine): Promise<Held> {
  await sleep(100)
  const ports = await Promise.all([...threads].map(portsOf))
  for (let i = 0; i < 3; i++) globalThis.gc!()
  const { heapUsed, rss } = process.memoryUsage()
  return {
    threads: readdirSync('/proc/self/task').length,
    descriptors: readdirSync('/proc/self/fd').length,
    handles: process.getActiveResourcesInfo().sort(),
    bytes: engine.info.bytes,
    grown: engine.arena.memory.buffer.byteLength,
    heap: heapUsed,
    ports: ports.reduce((sum, count) => sum + count, 0),
    models: models.filter(model => model.deref()).length,
    rss,
  }
}

/** Threads of a pool keep no process alive, which waits for what they say of themselves. */
const alive = setInterval(() => {}, 1000)
const shared = new Engine({ tier: 'simd128' })
const results: Held[] = []
for (const [from, to] of [
  [0, Number(warm)],
  [Number(warm), Number(count)],
] as const) {
  for (let i = from; i < to; i++) {
    const engine = kind === 'own' ? new Engine({ tier: 'simd128' }) : shared
    await cycle(engine, i)
    if (engine !== shared) await engine.close()
  }
  results.push(await held(shared))
}
clearInterval(alive)
console.log(JSON.stringify(results))
