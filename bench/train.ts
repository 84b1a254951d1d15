// Samples/s of training, Lockstep beside TensorFlow.js and PyTorch: each in its own process, in turns.
import type { Options } from './index.ts'
import { type Answer, lockstepPeer, type Peer, tfjsPeer, torchPeer } from './peers/peer.ts'
import { undisturbed } from './quiet.ts'
import { median, type Print, short, startTable, verdict } from './table.ts'
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

interface Side {
  readonly peer: Peer
  readonly ms: number
  readonly capMs: number
  readonly answers: Answer[]
}

/** Rounds of all sides in turns, forwards and backwards; a side that refused is not asked again. */
async function race(sides: readonly Side[], workload: Workload, rounds: number): Promise<void> {
  // The first question builds the model and warms up: its figure is dropped.
  for (let round = -1; round < rounds; round++) {
    for (const { peer, ms, capMs, answers } of round % 2 === 0 ? sides : sides.toReversed()) {
      if (answers.some(answer => !('cpuMs' in answer))) continue
      const ask = () => peer.measure(workload, ms, capMs + ms)
      const answer = round < 0 ? await ask() : await undisturbed(ask, a => ('cpuMs' in a ? a.cpuMs : 0))
      if (round >= 0 || !('cpuMs' in answer)) answers.push(answer)
    }
  }
}

function figures(answers: readonly Answer[], batchSize: number): readonly number[] | string {
  const speeds: number[] = []
  for (const answer of answers) {
    if ('capped' in answer) return `< ${(batchSize / answer.capped).toPrecision(2)}`
    if ('error' in answer) return 'cannot'
    speeds.push(answer.samplesPerSecond)
  }
  return speeds
}

/** Median over the rounds; a peer that was capped counts with the speed that it stayed below. */
function ratio(own: readonly number[] | string, peer: readonly number[] | string): number {
  if (typeof own === 'string' || peer === 'cannot') return Number.NaN
  const bound = typeof peer === 'string' ? Number(peer.slice(1)) : 0
  return median(own.map((speed, round) => speed / (typeof peer === 'string' ? bound : peer[round]!)))
}

const show = (speeds: readonly number[] | string) =>
  typeof speeds === 'string' ? speeds : `${short(median(speeds))} (${short(Math.max(...speeds))})`

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
        const ratios = [ratio(sides.lockstep, sides.cpu), ratio(sides.lockstep, sides.wasm)].filter(
          r => r > 0,
        )
        const toTfjs = ratios.length > 0 ? Math.min(...ratios) : Number.NaN
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
