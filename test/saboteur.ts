import { threadId } from 'node:worker_threads'
import { wholeWork } from '../src/plan/plan.ts'
import { instantiateKernels, type Kernels } from '../src/runtime/tiers.ts'
import { type RunTask, Servant, serveRun } from '../src/runtime/worker.ts'

// A worker file for tests: a worker that does as it is told until, at one moment of one run, it fails. What it
// is to do stands in shared memory, below the first address that the arena gives out.

export const modes = ['throw', 'reject', 'exit', 'memory', 'trap', 'hang', 'terminate'] as const
export const moments = ['forward', 'backward', 'update', 'barrier'] as const
export type Mode = (typeof modes)[number] | 'late'
export type Moment = (typeof moments)[number]

const address = 512
const words = { mode: 0, moment: 1, rank: 2, step: 3, thread: 4, never: 5, jitter: 6, lateMs: 7, time: 8 }
/** The kernel of each moment, of those that a step of two dense layers runs. */
const kernelOf = { forward: 'product', backward: 'reluGradient', update: 'sgd' } as const
const allModes: readonly Mode[] = [...modes, 'late']

/** Milliseconds as a word, alike in all threads. */
const clock = (): number => Date.now() % 2 ** 30

export interface Sabotage {
  readonly mode: Mode
  readonly moment: Moment
  readonly rank: number
  /** Steps of the run before the one that fails. */
  readonly step: number
  /** For `late`: how long the worker sleeps, once. */
  readonly lateMs?: number
}

/** The main thread's side: gives orders to all workers over a memory. */
export class Orders {
  readonly words: Int32Array

  constructor(memory: WebAssembly.Memory) {
    this.words = new Int32Array(memory.buffer, address, 16)
  }

  give({ mode, moment, rank, step, lateMs = 0 }: Sabotage): void {
    const { words: all } = this
    all.set([0, moments.indexOf(moment), rank, step, 0, 0])
    all[words.lateMs] = lateMs
    all[words.time] = 0
    Atomics.store(all, words.mode, allModes.indexOf(mode) + 1)
  }

  /** Has every worker sleep for up to so many milliseconds before every barrier. */
  jitter(milliseconds: number): void {
    this.words[words.jitter] = milliseconds
  }

  /** Milliseconds since the sabotage. */
  get elapsed(): number {
    return clock() - this.words[words.time]!
  }

  clear(): void {
    this.words.fill(0)
  }

  /** Resolves with the number of the thread that asks to be terminated. */
  async victim(): Promise<number> {
    await Atomics.waitAsync(this.words, words.thread, 0).value
    return this.words[words.thread]!
  }
}

/** (module (func (export "f") (loop (br 0)))) */
const endless = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0],
  ...[10, 9, 1, 7, 0, 3, 64, 12, 0, 11, 11],
)

class Saboteur extends Servant {
  private readonly orders: Int32Array
  private readonly rank: number
  private readonly real: Kernels
  rejection: Error | undefined
  private stepsDone = 0
  private random: number

  constructor(task: RunTask) {
    const real = instantiateKernels(task.kernels, task.memory)
    const wrapped: Record<string, (...args: never[]) => void> = { ...real }
    super({ ...task, balanced: true }, wrapped as unknown as Kernels)
    for (const moment of ['forward', 'backward', 'update'] as const) {
      const kernel = real[kernelOf[moment]] as (...args: never[]) => void
      wrapped[kernelOf[moment]] = (...args) => {
        this.reach(moment)
        kernel(...args)
      }
    }
    this.orders = new Orders(task.memory).words
    this.rank = task.rank
    this.real = real
    this.random = task.rank + 1
  }

  override serve(): void {
    try {
      super.serve()
    } catch (error) {
      if (!(error instanceof Rejection)) throw error
      this.rejection = error
    }
  }

  override phaseDone(batch: number, last: boolean): void {
    this.reach('barrier')
    const jitter = this.orders[words.jitter]! * this.drawn()
    if (jitter > 0) Atomics.wait(this.orders, words.never, 0, jitter)
    super.phaseDone(batch, last)
    if (last) this.stepsDone++
  }

  /** With jitter, workers get random parts of the work, some nothing. */
  protected override balance(): void {
    super.balance()
    if (this.orders[words.jitter] === 0) return
    const { shares } = this.control
    const inner = Array.from({ length: this.active - 1 }, () => Math.floor(this.drawn() * wholeWork))
    const rest = shares.bounds.length - this.active
    shares.cut([0, ...inner.sort((a, b) => a - b), ...Array<number>(rest).fill(wholeWork)])
  }

  private drawn(): number {
    this.random = (Math.imul(this.random, 1664525) + 1013904223) >>> 0
    return this.random / 2 ** 32
  }

  private reach(moment: Moment): void {
    const { orders } = this
    const mode = orders[words.mode]!
    if (mode === 0 || moment !== moments[orders[words.moment]!]) return
    if (this.rank !== orders[words.rank] || this.stepsDone !== orders[words.step]) return
    orders[words.mode] = 0
    orders[words.time] = clock()
    this.fail(allModes[mode - 1]!)
  }

  private fail(mode: Mode): void {
    const { orders } = this
    if (mode === 'throw') throw new Error('sabotage')
    if (mode === 'reject') throw new Rejection('sabotage')
    if (mode === 'exit') process.exit(0)
    if (mode === 'trap') this.real.add(0, 1024, -64, -64, -64)
    if (mode === 'hang') (new WebAssembly.Instance(new WebAssembly.Module(endless)).exports.f as () => void)()
    if (mode === 'late') Atomics.wait(orders, words.never, 0, orders[words.lateMs])
    if (mode === 'memory') for (const hog: number[][] = []; ; ) hog.push(new Array(100_000).fill(hog.length))
    if (mode === 'terminate') {
      Atomics.store(orders, words.thread, threadId)
      Atomics.notify(orders, words.thread)
      Atomics.wait(orders, words.never, 0)
    }
  }
}

/** Passed on without a word to the other workers. */
class Rejection extends Error {}

export default async (task: RunTask): Promise<void> => {
  const saboteur = new Saboteur(task)
  serveRun(task, () => saboteur)
  if (saboteur.rejection) throw saboteur.rejection
}
