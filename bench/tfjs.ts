// Samples/s of training models of TensorFlow.js, by itself and accelerated, each in its own process, in turns.
import { handingOver } from './handing.ts'
import type { Options } from './index.ts'
import { acceleratedPeer, lockstepPeer, type Peer, tfjsPeer } from './peers/peer.ts'
import { figures, leastRatio, race, type Side, show } from './race.ts'
import { type Print, startTable, verdict } from './table.ts'
import { layerWorkloads, type Workload, workloads } from './workloads.ts'

const workers = 2

/** Least speed-ups that are asked for, by a word in the workload's name. */
const asked = { CNN: 50, LSTM: 30, '784': 15 } as const

const askedOf = ({ name }: Workload): number | undefined =>
  Object.entries(asked).find(([word]) => name.includes(word))?.[1]

export interface Row {
  readonly workload: string
  /** Samples/s by round; a string says why there are none. */
  readonly accelerated: readonly number[] | string
  readonly lockstep: readonly number[] | string
  readonly cpu: readonly number[] | string
  readonly wasm: readonly number[] | string
  /** Median over the rounds of the speed-up against the faster backend. */
  readonly speedUp: number
}

/** Measures dense networks, the convolutional one and the recurrent one, those whose names contain `only`. */
export async function run({ quick, only = '' }: Options, out: Print): Promise<Row[]> {
  const [rounds, ms] = quick ? [1, 200] : [5, 500]
  const peers = [acceleratedPeer(workers), lockstepPeer(workers), tfjsPeer('cpu'), tfjsPeer('wasm')] as const
  out(`Samples/s: median of the rounds (best); ${workers} workers. × TF.js is to the faster backend.`)
  out('')
  const row = startTable(out, ['workload', 'accelerated', 'Lockstep', 'TF.js cpu', 'TF.js wasm', '× TF.js'])
  const rows: Row[] = []
  try {
    const chosen = [...workloads, ...layerWorkloads].filter(each => askedOf(each) && each.name.includes(only))
    for (const workload of chosen) {
      const side = (peer: Peer, capMs: number): Side => ({ peer, ms, capMs, answers: [] })
      const sides = peers.map((peer, i) => side(peer, i < 2 ? 30_000 : 8000))
      await race(sides, workload, rounds)
      const [accelerated, lockstep, cpu, wasm] = sides.map(({ answers }) =>
        figures(answers, workload.batchSize),
      )
      const speedUp = leastRatio(accelerated!, [cpu!, wasm!])
      const result = { accelerated: accelerated!, lockstep: lockstep!, cpu: cpu!, wasm: wasm! }
      rows.push({ workload: workload.name, ...result, speedUp })
      row(workload.name, ...Object.values(result).map(show), verdict(speedUp, askedOf(workload)))
    }
  } finally {
    for (const peer of peers) peer.stop()
  }
  await handingOver({ quick }, out)
  return rows
}
