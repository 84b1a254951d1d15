import { inRange } from '../errors.ts'
import { Arena, addressableBytes } from './arena.ts'
import { usableCores } from './cores.ts'
import { Pool } from './pool.ts'
import { Run } from './run.ts'
import { loadKernels } from './selftest.ts'
import { instantiateKernels, type KernelModule, type Kernels, type Numerics, type Tier } from './tiers.ts'

/** Choices that hold for the process; see `configure`. */
export interface EngineOptions {
  /**
   * `fused` (default): same bits on every CPU with fused multiply-add. `portable`: on every CPU, other bits,
   * slower.
   */
  numerics?: Numerics
  /** Force a tier instead of the fastest that passes the self-test. */
  tier?: Tier
  /**
   * Bytes that the memory shared with the workers may take: weights, samples, activations. Default and most 4 GiB, at
   * least 16 MiB.
   */
  maxMemory?: number
}

/** What runs; see `engine()`. */
export interface EngineInfo {
  tier: Tier
  numerics: Numerics
  /** Threads alive in the pool. */
  workers: number
  cores: number
  node: string
  /** Bytes of the shared memory in use. */
  bytes: number
}

/**
 * Reads of a counter before a waiting worker sleeps: about 1 ms where each worker has a core, next to nothing
 * otherwise.
 */
const spinsWithCores = 30_000
const spinsWithout = 50

type Body<T> = (run: Run) => Promise<T>
interface Waiting {
  start(run: Run): void
}

/** A callback in progress, and the runs that were begun meanwhile: training goes on only after them. */
interface Pause {
  readonly borrowers: Promise<unknown>[]
}

/** One shared memory, the kernels over it and the worker pool. Models of a process share one engine. */
export class Engine {
  readonly arena: Arena
  readonly module: KernelModule
  /** @internal The calling thread's instance. */
  readonly kernels: Kernels
  readonly cores = usableCores()
  private readonly workerFile: string | undefined
  private pool: Pool | undefined
  private current: Run | undefined
  /** The innermost last: a run that is lent may pause for callbacks of its own. */
  private readonly pauses: Pause[] = []
  private readonly queue: Waiting[] = []
  private turn: Promise<unknown> = Promise.resolve()

  /** `workerFile` replaces the worker's code; tests use it to make workers fail. */
  constructor(options: EngineOptions = {}, workerFile?: string) {
    const { maxMemory = addressableBytes } = options
    inRange('configure', 'maxMemory', maxMemory, '[16777216, 4294967296]')
    const maximum = Math.floor(maxMemory / 65536)
    const memory = new WebAssembly.Memory({ initial: 256, maximum, shared: true })
    this.arena = new Arena(memory, maximum * 65536)
    this.module = loadKernels(options)
    this.kernels = instantiateKernels(this.module, memory)
    this.workerFile = workerFile
  }

  get info(): EngineInfo {
    const { tier, numerics } = this.module
    const { cores } = this
    return {
      tier,
      numerics,
      workers: this.pool?.size ?? 0,
      cores,
      node: process.version,
      bytes: this.arena.bytes,
    }
  }

  /**
   * Calls `body` with a run of `workers` threads. Runs take turns; but while the current one stands still for
   * a callback (see `park`), it is lent: otherwise a callback that awaits another run would wait for ever.
   */
  withRun<T>(workers: number, stallMs: number, body: Body<T>): Promise<T> {
    if (this.current && this.pauses.length > 0) return this.lend(this.current, body)
    return new Promise<T>((resolve, reject) => {
      const waiting: Waiting = { start: run => this.lend(run, body).then(resolve, reject) }
      this.queue.push(waiting)
      this.turn = this.turn.then(async () => {
        const index = this.queue.indexOf(waiting)
        if (index === -1) return
        this.queue.splice(index, 1)
        await this.own(workers, stallMs, body).then(resolve, reject)
      })
    })
  }

  /** Calls `callback` while the workers of the current run stand still and may be lent. */
  async park<T>(callback: () => Promise<T>): Promise<T> {
    const pause: Pause = { borrowers: [] }
    this.pauses.push(pause)
    for (const waiting of this.queue.splice(0)) waiting.start(this.current!)
    try {
      return await callback()
    } finally {
      this.pauses.splice(this.pauses.indexOf(pause), 1)
      await Promise.allSettled(pause.borrowers)
    }
  }

  /** Ends the pool's threads, once the runs in progress are over. */
  async close(): Promise<void> {
    await this.turn
    await this.pool?.close()
    this.pool = undefined
  }

  private lend<T>(run: Run, body: Body<T>): Promise<T> {
    const result = (async () => body(run))()
    this.pauses.at(-1)!.borrowers.push(result)
    return result
  }

  private async own<T>(workers: number, stallMs: number, body: Body<T>): Promise<T> {
    const balanced = workers <= this.cores
    const spins = balanced ? spinsWithCores : spinsWithout
    const options = { workers, spins, balanced, stallMs }
    const run = new Run(this.arena, await this.poolOf(workers), this.module, options)
    this.current = run
    try {
      return await body(run)
    } finally {
      await run.end()
      this.current = undefined
      if (run.broken) this.pool = undefined
    }
  }

  private async poolOf(workers: number): Promise<Pool> {
    if (this.pool && this.pool.size < workers) {
      await this.pool.close()
      this.pool = undefined
    }
    this.pool ??= new Pool(workers, this.workerFile)
    return this.pool
  }
}

let configured: EngineOptions = {}
let shared: Engine | undefined

function fromEnvironment<T extends string>(name: string, allowed: readonly T[]): T | undefined {
  const value = process.env[name]
  if (value === undefined || value === '') return undefined
  if (!(allowed as readonly string[]).includes(value)) {
    throw new RangeError(`${name} must be ${allowed.join(' or ')}, got "${value}"; correct or unset it`)
  }
  return value as T
}

/**
 * Chooses numerics, tier and most memory for this process; over what LOCKSTEP_NUMERICS and LOCKSTEP_TIER say.
 * @throws Error once the engine is in use.
 */
export function configure(options: EngineOptions): void {
  if (shared)
    throw new Error(
      'configure: must be called before the first model or tensor operation; move it to the top',
    )
  configured = { ...configured, ...options }
}

/** The engine of this process, made at first use. */
export function sharedEngine(): Engine {
  if (!shared) {
    const numerics = configured.numerics ?? fromEnvironment('LOCKSTEP_NUMERICS', ['fused', 'portable'])
    const tier = configured.tier ?? fromEnvironment('LOCKSTEP_TIER', ['simd256', 'simd128'])
    const { maxMemory } = configured
    shared = new Engine({
      ...(numerics && { numerics }),
      ...(tier && { tier }),
      ...(maxMemory !== undefined && { maxMemory }),
    })
  }
  return shared
}

/** What runs: `{ tier, numerics, workers, cores, node, bytes }`. */
export function engine(): EngineInfo {
  return sharedEngine().info
}
