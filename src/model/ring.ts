import { setTimeout as sleep } from 'node:timers/promises'
import { breath } from '../data/breath.ts'
import type { Rows } from '../data/inputs.ts'
import { sizeOf } from '../graph/value.ts'
import type { Block } from '../runtime/arena.ts'
import type { Run } from '../runtime/run.ts'
import type { Steps } from '../runtime/stepper.ts'
import type { Claims } from './claims.ts'
import type { SourceKind } from './gathering.ts'

/** A ring holds about so much, so that the workers have work while the main thread sleeps. */
const ringBytes = 64 * 2 ** 20
const [fewestSlots, mostSlots] = [3, 1024]

export const kindOf = ({ values, scale, shape }: Rows): SourceKind => ({
  bytes: values instanceof Uint8Array,
  scale,
  shape,
})

/** A column of the ring: rows of one kind, slot by slot. */
interface Column {
  readonly offset: number
  readonly rowSize: number
  readonly bytes: boolean
}

/** How batches of up to `rows` samples lie in a ring: column by column, in each the slots one after the other. */
export class Slots {
  readonly count: number
  readonly bytes: number
  readonly rows: number
  private readonly columns = new Map<string, Column>()

  /** As many slots as fit, up to `most`. */
  constructor(sources: Readonly<Record<string, Rows>>, rows: number, most = mostSlots) {
    const columns = Object.entries(sources).map(([name, each]) => {
      const { bytes } = kindOf(each)
      const rowSize = sizeOf(each.shape)
      return { name, bytes, rowSize, slotBytes: rows * rowSize * (bytes ? 1 : 4) }
    })
    const slotBytes = columns.reduce((sum, column) => sum + column.slotBytes, 0)
    this.count = Math.max(Math.min(fewestSlots, most), Math.min(most, Math.floor(ringBytes / slotBytes)))
    this.rows = rows
    let offset = 0
    for (const { name, bytes, rowSize, slotBytes: size } of columns) {
      this.columns.set(name, { offset, rowSize, bytes })
      offset += Math.ceil((this.count * size + 64) / 64) * 64
    }
    this.bytes = offset
  }

  /** Where each column lies in a block, by name. */
  addresses({ address }: Block): Record<string, number> {
    return Object.fromEntries([...this.columns].map(([name, { offset }]) => [name, address + offset]))
  }

  /** A column's part of a slot: of a whole batch. */
  view(
    memory: WebAssembly.Memory,
    { address }: Block,
    name: string,
    slot: number,
  ): Float32Array | Uint8Array {
    const { offset, rowSize, bytes } = this.columns.get(name)!
    const size = this.rows * rowSize
    const { buffer } = memory
    return bytes
      ? new Uint8Array(buffer, address + offset + slot * size, size)
      : new Float32Array(buffer, address + offset + slot * size * 4, size)
  }
}

/**
 * Samples that stay in ordinary memory: batches are copied, a few ahead of the workers, into a ring of slots
 * in the shared memory. A slot is filled again when the workers have gone past its batch.
 */
export class Ring {
  private readonly sources: Readonly<Record<string, Rows>>
  private readonly memory: WebAssembly.Memory
  private readonly layout: Slots
  private readonly block: Block

  constructor(claims: Claims, sources: Readonly<Record<string, Rows>>, layout: Slots) {
    this.sources = sources
    this.memory = claims.arena.memory
    this.layout = layout
    this.block = claims.allocate(this.layout.bytes, 'the ring of batches')
  }

  get slots(): number {
    return this.layout.count
  }

  /** Where each column lies, by name. */
  get addresses(): Record<string, number> {
    return this.layout.addresses(this.block)
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
      await breath()
    }
  }

  private fill(batch: number, { batchSize, count, start }: Steps, order: Int32Array | undefined): void {
    const first = batch * batchSize
    const last = Math.min(count, first + batchSize)
    for (const [name, { values, shape }] of Object.entries(this.sources)) {
      const size = sizeOf(shape)
      const view = this.layout.view(this.memory, this.block, name, batch % this.slots)
      for (let i = first; i < last; i++) {
        const row = order ? order[i]! : start + i
        view.set(values.subarray(row * size, (row + 1) * size), (i - first) * size)
      }
    }
  }
}
