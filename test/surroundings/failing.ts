import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import v8 from 'node:v8'
import { randomBits } from '../../src/data/random.ts'
import * as ls from '../../src/index.ts'
import { Engine } from '../../src/runtime/engine.ts'
import { caught } from '../caught.ts'
import { withFolder } from '../checkpoints/folder.ts'
import { bitsOf } from '../checkpoints/small.ts'
import { type Moment, modes, moments, Orders } from '../saboteur.ts'
import { alive, networkOn, terminateVictim, x, y } from '../victims.ts'

// node --expose-gc failing.ts SEED COUNT: workers fail at random in one process, in training, validation and saves; after each
// failure the training goes on. Prints as JSON what was not as it must be, and what the process held early and in the end.

/** What a process holds on to. */
export interface Held {
  readonly threads: number
  readonly descriptors: number
  readonly heap: number
}

export interface Outcome {
  readonly faults: readonly string[]
  readonly early: Held
  readonly end: Held
}

interface Failure {
  readonly mode: (typeof modes)[number]
  readonly moment: Moment
  readonly rank: number
  readonly workers: number
  /** Steps before, of those of the validation, too. */
  readonly step: number
  readonly isValidated: boolean
  readonly isSaved: boolean
}

const [seed, count] = process.argv.slice(2).map(Number) as [number, number]
// Threads that start from here on have little memory to use up.
v8.setFlagsFromString('--max-old-space-size=48')
const engine = new Engine({}, fileURLToPath(new URL('../saboteur.ts', import.meta.url)))
const orders = new Orders(engine.arena.memory)

const epochs = 3
const options = { batchSize: 16, seed: 1, epochs }
/** Steps of an epoch: of the training, and of the validation after it. */
const [trained, validated] = [3, 2]
const validationData = [x.slice([0, 0], [32, 8]), y.slice([0], [32])] as const

/** Weights before the first epoch and after each. */
async function undisturbed(): Promise<string[]> {
  const model = networkOn(engine)
  const bits = [bitsOf(model)]
  await model.fit(x, y, {
    ...options,
    workers: 1,
    callbacks: { onEpochEnd: () => void bits.push(bitsOf(model)) },
  })
  model.dispose()
  return bits
}

const bits = randomBits(seed)
const below = (n: number) => bits() % n

function draw(): Failure {
  const isValidated = below(3) === 0
  const perEpoch = trained + (isValidated ? validated : 0)
  const step = below(epochs * perEpoch)
  const workers = 1 + below(3)
  // Half a second until a thread that hangs is found out, and as long until one has used up its memory.
  const usual = modes.filter(mode => mode !== 'hang' && mode !== 'memory')
  const mode = below(100) === 0 ? (['hang', 'memory'] as const)[below(2)]! : usual[below(usual.length)]!
  const reached = step % perEpoch < trained ? moments : (['forward', 'barrier'] as const)
  return {
    ...{ mode, workers, step, isValidated },
    moment: reached[below(reached.length)]!,
    rank: below(workers),
    isSaved: below(3) === 0,
  }
}

/** Has a worker fail, and goes on; undefined if all was as it must be. */
function survive(failure: Failure, expected: readonly string[]): Promise<string | undefined> {
  const { mode, step, rank, workers, isValidated, isSaved } = failure
  const perEpoch = trained + (isValidated ? validated : 0)
  const [epoch, within] = [Math.floor(step / perEpoch), step % perEpoch]
  const place = within < trained ? `step ${within}` : `step ${within - trained} of the validation`
  return withFolder(async directory => {
    const settings = {
      ...{ ...options, workers, stallMs: mode === 'hang' ? 500 : 30_000 },
      ...(isValidated && { validationData }),
      ...(isSaved && { callbacks: ls.callbacks.checkpoint({ directory, every: { steps: 1 } }) }),
    }
    const { bytes } = engine.info
    const model = networkOn(engine)
    orders.give(failure)
    if (mode === 'terminate') void terminateVictim(orders)
    const message = await caught(() => model.fit(x, y, settings))
    orders.clear()
    const must = `Error: fit: worker ${rank} of ${workers} failed at epoch ${epoch}, ${place}: `
    if (!message.startsWith(must)) return `must say ${must}…, got ${message}`
    const whole = epoch + (within < trained ? 0 : 1)
    if (bitsOf(model) !== expected[whole]) return 'other weights after the failure'
    const hasCheckpoint = isSaved && step > 0
    const again = hasCheckpoint ? networkOn(engine) : model
    await again.fit(x, y, {
      ...settings,
      ...(hasCheckpoint ? { resume: directory } : { initialEpoch: whole }),
    })
    const end = bitsOf(again)
    for (const each of new Set([model, again])) each.dispose()
    if (end !== expected[epochs]) return 'other weights in the end'
    return engine.info.bytes > bytes ? `${engine.info.bytes} bytes in use, ${bytes} before` : undefined
  })
}

async function held(): Promise<Held> {
  await engine.close()
  globalThis.gc!()
  return {
    threads: readdirSync('/proc/self/task').length + alive.size,
    descriptors: readdirSync('/proc/self/fd').length,
    heap: process.memoryUsage().heapUsed,
  }
}

const expected = await undisturbed()
const faults: string[] = []
let early = await held()
for (let i = 0; i < count; i++) {
  const failure = draw()
  const fault = await survive(failure, expected)
  if (fault) faults.push(`${i}, ${JSON.stringify(failure)}: ${fault}`)
  if (i === Math.floor(count / 10)) early = await held()
  if (i % 1000 === 999) console.error(`${i + 1} failures, ${faults.length} not survived`)
}
console.log(JSON.stringify({ faults, early, end: await held() } satisfies Outcome))
