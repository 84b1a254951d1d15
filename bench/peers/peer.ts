import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))

export interface Figure {
  readonly samplesPerSecond: number
  /** What all threads of the peer used. */
  readonly cpuMs: number
}

/** Why a peer has no figure: it took longer than its cap, or it cannot train the network at all. */
export type Refusal = { readonly capped: number } | { readonly error: string }
export type Answer = Figure | Refusal

/** A process that trains on demand, so that rounds of several peers can be interleaved. */
export class Peer {
  private readonly command: readonly string[]
  private readonly env: NodeJS.ProcessEnv
  private child: ChildProcess | undefined
  private lines: AsyncIterator<string> | undefined

  constructor(command: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    this.command = command
    this.env = env
  }

  /** Samples/s over about `ms`; the process is ended where it takes longer than `capMs`. */
  async measure(workload: { readonly name: string }, ms: number, capMs: number): Promise<Answer> {
    this.start()
    this.child!.stdin!.write(`${JSON.stringify({ workload, ms })}\n`)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>(resolve => {
      timer = setTimeout(() => resolve('late'), capMs)
    })
    const answer = await Promise.race([this.answer(), late])
    clearTimeout(timer)
    if (answer !== 'late') return answer
    this.stop()
    return { capped: capMs / 1000 }
  }

  stop(): void {
    this.child?.kill('SIGKILL')
    this.child = undefined
  }

  private start(): void {
    if (this.child) return
    const [program, ...args] = this.command
    this.child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'ignore'], env: this.env })
    this.child.on('error', () => {})
    this.child.stdin!.on('error', () => {})
    const lines: Interface = createInterface(this.child.stdout!)
    this.lines = lines[Symbol.asyncIterator]()
  }

  /** The next line that is an answer; libraries greet on stdout. */
  private async answer(): Promise<Answer> {
    for (;;) {
      const { done, value } = await this.lines!.next()
      if (done) {
        this.stop()
        return { error: 'did not start' }
      }
      if (!value.startsWith('{')) continue
      return JSON.parse(value) as Answer
    }
  }
}

export const lockstepPeer = (workers: number): Peer =>
  new Peer([process.execPath, file('./lockstep.ts'), String(workers)])

export const acceleratedPeer = (workers: number): Peer =>
  new Peer([process.execPath, file('./accelerated.ts'), String(workers)])

export const tfjsPeer = (backend: 'cpu' | 'wasm'): Peer =>
  new Peer([process.execPath, file('./tfjs.ts'), backend])

/** A program of test/programs in one of its ways. */
export const programPeer = (way: 'cpu' | 'wasm' | 'accelerated' | 'imported'): Peer =>
  new Peer([process.execPath, file('./program.ts'), way])

/**
 * PyTorch at its fastest: OpenBLAS free to choose its kernels, and an allocator that keeps large blocks. With `avx2` it leaves
 * AVX-512, which WebAssembly cannot reach, alone.
 */
export function torchPeer(threads: number, avx2: boolean): Peer {
  const { OPENBLAS_CORETYPE: _core, OPENBLAS_L2_SIZE: _cache, ...rest } = process.env
  return new Peer(['/usr/bin/python3', file('./torch_train.py')], {
    ...rest,
    ...(avx2 && { OPENBLAS_CORETYPE: 'Haswell', ONEDNN_MAX_CPU_ISA: 'AVX2', ATEN_CPU_CAPABILITY: 'avx2' }),
    OMP_NUM_THREADS: String(threads),
    MALLOC_MMAP_THRESHOLD_: '33554432',
    MALLOC_TRIM_THRESHOLD_: '8589934592',
    MALLOC_TOP_PAD_: '268435456',
  })
}
