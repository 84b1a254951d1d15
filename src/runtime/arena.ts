const pageBytes = 65536
/** Address 0 means "absent" to kernels, so nothing lies there. */
const firstAddress = 1024
/** What 32-bit addresses reach: 4 GiB. */
export const addressableBytes = 65536 * pageBytes

/** A piece of the arena, 64-byte aligned and followed by at least 64 bytes that kernels may read. */
export interface Block {
  readonly address: number
  readonly bytes: number
}

interface Gap {
  address: number
  bytes: number
}

/** Bytes that a piece of so many takes. */
export const blockBytes = (bytes: number): number => Math.ceil((bytes + 64) / 64) * 64

/** Hands out pieces of one shared WebAssembly memory, first fit, and grows it when none fits. */
export class Arena {
  readonly memory: WebAssembly.Memory
  /** The memory cannot grow beyond. */
  readonly mostBytes: number
  /** Free pieces by address; the last one ends where the memory ends. */
  private gaps: Gap[]
  private used = 0

  constructor(memory: WebAssembly.Memory, mostBytes = addressableBytes) {
    this.mostBytes = mostBytes
    this.memory = memory
    this.gaps = [{ address: firstAddress, bytes: memory.buffer.byteLength - firstAddress }]
  }

  /** Bytes handed out. */
  get bytes(): number {
    return this.used
  }

  /** @throws RangeError when the memory cannot grow enough. */
  allocate(bytes: number, what: string): Block {
    const size = blockBytes(bytes)
    let gap = this.gaps.find(candidate => candidate.bytes >= size)
    if (!gap) {
      this.grow(size, what)
      gap = this.gaps.at(-1)!
    }
    const block = { address: gap.address, bytes: size }
    gap.address += size
    gap.bytes -= size
    if (gap.bytes === 0) this.gaps.splice(this.gaps.indexOf(gap), 1)
    this.used += size
    return block
  }

  /** As `allocate`, filled with zeros. */
  allocateZeroed(bytes: number, what: string): Block {
    const block = this.allocate(bytes, what)
    new Uint8Array(this.memory.buffer, block.address, block.bytes).fill(0)
    return block
  }

  free({ address, bytes }: Block): void {
    this.used -= bytes
    const next = this.gaps.findIndex(gap => gap.address > address)
    const index = next === -1 ? this.gaps.length : next
    this.gaps.splice(index, 0, { address, bytes })
    for (let i = Math.min(index + 1, this.gaps.length - 1); i > Math.max(0, index - 1); i--) {
      const [before, after] = [this.gaps[i - 1]!, this.gaps[i]!]
      if (before.address + before.bytes !== after.address) continue
      before.bytes += after.bytes
      this.gaps.splice(i, 1)
    }
  }

  private grow(size: number, what: string): void {
    const end = this.memory.buffer.byteLength
    const last = this.gaps.at(-1)
    const tail = last && last.address + last.bytes === end ? last : undefined
    const missing = size - (tail?.bytes ?? 0)
    const pages = Math.ceil(missing / pageBytes)
    try {
      this.memory.grow(pages)
    } catch {
      throw new RangeError(
        `engine: ${what} needs ${size} bytes, but ${this.used} of at most ${this.mostBytes} are in use; ` +
          'lower batchSize or use a smaller model, or stream the data',
      )
    }
    if (tail) tail.bytes += pages * pageBytes
    else this.gaps.push({ address: end, bytes: pages * pageBytes })
  }
}
