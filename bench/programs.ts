// Epochs/s of the programs in test/programs: in TensorFlow.js, accelerated, and with the import changed.
import { programs } from '../test/programs/all.ts'
import type { Options } from './index.ts'
import { type Peer, programPeer } from './peers/peer.ts'
import { figures, leastRatio, race, type Side, show } from './race.ts'
import { type Print, startTable, verdict } from './table.ts'

/** Of the network of convolutions, TensorFlow.js trains an epoch in some seconds. */
const capsMs = { ours: 30_000, theirs: 20_000 }

export interface Row {
  readonly program: string
  /** Epochs/s by round; a string says why there are none. */
  readonly accelerated: readonly number[] | string
  readonly imported: readonly number[] | string
  readonly cpu: readonly number[] | string
  readonly wasm: readonly number[] | string
  /** Median over the rounds of the speed-ups against the faster backend. */
  readonly speedUp: number
  readonly importedSpeedUp: number
}

/** Measures the programs whose names contain `only`. */
export async function run({ quick, only = '' }: Options, out: Print): Promise<Row[]> {
  const [rounds, ms] = quick ? [1, 100] : [5, 500]
  const ways = ['accelerated', 'imported', 'cpu', 'wasm'] as const
  const peers = ways.map(programPeer)
  out(
    'Epochs/s: median of the rounds (best), as many workers as are fastest. Speed-ups are to the faster backend.',
  )
  out('')
  const columns = [
    'program',
    'accelerated',
    'import changed',
    'TF.js cpu',
    'TF.js wasm',
    '× TF.js',
    '× changed',
  ]
  const row = startTable(out, columns)
  const rows: Row[] = []
  try {
    for (const name of Object.keys(programs).filter(each => each.includes(only))) {
      const side = (peer: Peer, capMs: number): Side => ({ peer, ms, capMs, answers: [] })
      const sides = peers.map((peer, i) => side(peer, i < 2 ? capsMs.ours : capsMs.theirs))
      await race(sides, { name }, rounds)
      const [accelerated, imported, cpu, wasm] = sides.map(({ answers }) => figures(answers, 1))
      const theirs = [cpu!, wasm!]
      const result = { accelerated: accelerated!, imported: imported!, cpu: cpu!, wasm: wasm! }
      const [speedUp, importedSpeedUp] = [leastRatio(accelerated!, theirs), leastRatio(imported!, theirs)]
      rows.push({ program: name, ...result, speedUp, importedSpeedUp })
      const ratios = [speedUp, importedSpeedUp].map(each => verdict(each, undefined))
      row(name, ...Object.values(result).map(show), ...ratios)
    }
  } finally {
    for (const peer of peers) peer.stop()
  }
  return rows
}
