// Samples/s of training, Lockstep beside TensorFlow.js and PyTorch: each in its own process, in turns.
import type { Options } from './index.ts'
import { lockstepPeer, type Peer, tfjsPeer, torchPeer } from './peers/peer.ts'
import { figures, leastRatio, race, ratio, type Side, show } from './race.ts'
import { type Print, startTable, verdict } from './table.ts'
import { type Workload, workloads } from './workloads.ts'

const threads = [1, 2]

export interface Row {
  readonly workload: string
  readonly threads: number
  /** Samples/s by round; a string says why there are none. */
  readonly lockstep: readonly number[] | string
  readonly torch: readonly number[] | string
  readonly cpu: readonly number[] | string
  readonly wasm: readonly number[] | string
  /** Median over the rounds of Lockstep's samples/s ÷ those of the peer in the same round; NaN if there is no peer. */
  readonly toTorch: number
  readonly toTfjs: number
}

function print(row: (...cells: string[]) => void, { asked }: Workload, result: Row): void {
  const { workload, threads: count, lockstep, torch, cpu, wasm, toTorch, toTfjs } = result
  const cells = [lockstep, torch, cpu, wasm].map(show)
  row(workload, String(count), ...cells, verdict(toTorch, asked.torch), verdict(toTfjs, asked.tfjs))
}

/** Measures the dense networks and the convolutional one whose names contain `only`. */
export const run = (options: Options, out: Print): Promise<Row[]> => runAll(workloads, options, out)

/** Measures every workload whose name contains `only`. */
export async function runAll(all: readonly Workload[], options: Options, out: Print): Promise<Row[]> {
  const { quick, only = '', avx2 } = options
  const [rounds, ms] = quick ? [1, 200] : [5, 500]
  const owns = threads.map(lockstepPeer)
  const torches = threads.map(count => torchPeer(count, avx2))
  const tfjs = { cpu: tfjsPeer('cpu'), wasm: tfjsPeer('wasm') }
  out(
    'Samples/s: median of the rounds (best). Ratios: median of the ratios by round; × TF.js is to the faster backend.',
  )
  out('')
  const columns = [
    'workload',
    'threads',
    'Lockstep',
    'PyTorch',
    'TF.js cpu',
    'TF.js wasm',
    '× PyTorch',
    '× TF.js',
  ]
  const row = startTable(out, columns)
  const rows: Row[] = []
  try {
    for (const workload of all.filter(({ name }) => name.includes(only))) {
      const side = (peer: Peer, capMs: number): Side => ({ peer, ms, capMs, answers: [] })
      const [own, torch] = [owns.map(peer => side(peer, 30_000)), torches.map(peer => side(peer, 30_000))]
      const [cpu, wasm] = [side(tfjs.cpu, 8000), side(tfjs.wasm, 8000)]
      await race([...threads.flatMap((_, i) => [own[i]!, torch[i]!]), cpu, wasm], workload, rounds)
      const of = ({ answers }: Side) => figures(answers, workload.batchSize)
      for (const [i, count] of threads.entries()) {
        const sides = { lockstep: of(own[i]!), torch: of(torch[i]!), cpu: of(cpu), wasm: of(wasm) }
        const toTfjs = leastRatio(sides.lockstep, [sides.cpu, sides.wasm])
        const toTorch = ratio(sides.lockstep, sides.torch)
        const result = { workload: workload.name, threads: count, ...sides, toTorch, toTfjs }
        rows.push(result)
        print(row, workload, result)
      }
    }
  } finally {
    for (const peer of [...owns, ...torches, ...Object.values(tfjs)]) peer.stop()
  }
  return rows
}
