import { setTimeout as sleep } from 'node:timers/promises'
import type { Rows } from '../data/inputs.ts'
import { sizeOf } from '../graph/value.ts'
import type { Block } from '../runtime/arena.ts'
import type { Run } from '../runtime/run.ts'
import type { Steps } from '../runtime/stepper.ts'
import type { Claims } from './claims.ts'
import type { SourceKind } from './gathering.ts'

/** The ring holds about so much, so that the workers have work while the main thread sleeps. */
const ringBytes = 64 * 2 ** 20
const [fewestSlots, mostSlots] = [3, 1024]

/** A stream of rows of one kind through the ring. */
interface Column {
  readonly rows: Rows
  readonly rowSize: number
  readonly block: Block
  readonly view: Uint8Array | Float32Array
}

export const kindOf = ({ values, scale }: Rows): SourceKind => ({
  bytes: values instanceof Uint8Array,
  scale,
})

/**
 * Samples that stay in ordinary memory: batches are copied, a few ahead of the workers, into a ring of slots
 * in the shared memory. A slot is filled again when the workers have gone past its batch.
 */
export class Ring {
  readonly slots: number
  private readonly columns: Map<string, Column>

  constructor(claims: Claims, sources: Readonly<Record<string, Rows>>, batchSize: number) {
    const widths = Object.values(sources).map(rows => sizeOf(rows.shape) * (kindOf(rows).bytes ? 1 : 4))
    const slotBytes = batchSize * widths.reduce((sum, width) => sum + width, 0)
    this.slots = Math.max(fewestSlots, Math.min(mostSlots, Math.floor(ringBytes / slotBytes)))
    this.columns = new Map(
      Object.entries(sources).map(([name, rows]) => [name, this.makeColumn(claims, name, rows, batchSize)]),
    )
  }

  /** Where each column lies, by name. */
  get addresses(): Record<string, number> {
    return Object.fromEntries([...this.columns].map(([name, { block }]) => [name, block.address]))
  }

  /** Fills the slots of batches [from, to) as the workers get to them, until that is done or `over`. */
  async serve(run: Run, steps: Steps, order: Int32Array | undefined, over: () => boolean): Promise<void> {
    for (let batch = steps.from; batch < steps.to; batch++) {
      while (batch >= Math.max(run.batch, steps.from) + this.slots) {
        if (over()) return
        await sleep(1)
      }
      if (over()) return
      this.fill(batch, steps, order)
      run.announceFilled(batch + 1)
    }
  }

  private makeColumn(claims: Claims, name: string, rows: Rows, batchSize: number): Column {
    const rowSize = sizeOf(rows.shape)
    const count = this.slots * batchSize * rowSize
    const { bytes } = kindOf(rows)
    const block = claims.allocate(count * (bytes ? 1 : 4), `the ring of ${name}`)
    const { buffer } = claims.arena.memory
    const view = bytes
      ? new Uint8Array(buffer, block.address, count)
      : new Float32Array(buffer, block.address, count)
    return { rows, rowSize, block, view }
  }

  private fill(batch: number, { batchSize, count, start }: Steps, order: Int32Array | undefined): void {
    const first = batch * batchSize
    const last = Math.min(count, first + batchSize)
    for (const { rows, rowSize, view } of this.columns.values()) {
      let place = (batch % this.slots) * batchSize * rowSize
      for (let i = first; i < last; i++, place += rowSize) {
        const row = order ? order[i]! : start + i
        view.set(rows.values.subarray(row * rowSize, (row + 1) * rowSize), place)
      }
    }
  }
}
