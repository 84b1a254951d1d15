import { breath } from '../data/breath.ts'
import {
  bytesOf,
  type Home,
  matrixOf,
  type Parameter,
  pack,
  unpack,
  unpackPanel,
} from '../graph/parameter.ts'
import { sizeOf } from '../graph/value.ts'
import type { Arena, Block } from '../runtime/arena.ts'

/** Elements that are copied at once: some milliseconds. */
const pieceSize = 2 ** 20

/** Values of a model's parameters at a moment that is past. */
export class StateCopy {
  private readonly values: Float32Array
  private readonly offsets: ReadonlyMap<Parameter, number>

  constructor(values: Float32Array, offsets: ReadonlyMap<Parameter, number>) {
    this.values = values
    this.offsets = offsets
  }

  /** Row-major; other things may happen meanwhile. */
  async read(parameter: Parameter): Promise<Float32Array> {
    const { shape, columnAxes } = parameter
    const panels = this.values.subarray(this.offsets.get(parameter)! / 4)
    const { k, n } = matrixOf(shape, columnAxes)
    const values = new Float32Array(k * n)
    for (let panel = 0; panel * 16 < n; panel++) {
      unpackPanel(panels, panel, values, k, n)
      await breath()
    }
    return values
  }
}

/**
 * The parameters, slots and moving statistics of a model: one block, so that a snapshot is one copy. A layer
 * that several models share has its weights in the block of each; `sync` brings what another model changed,
 * `own` says that this one has changed them.
 */
export class ModelState implements Home {
  readonly bytes: number
  private readonly arena: Arena
  private readonly block: Block
  private readonly offsets = new Map<Parameter, number>()
  /** Versions of the values that lie here. */
  private readonly versions = new Map<Parameter, number>()
  private snapshotBlock: Block | undefined

  /** Lays `parameters` out one behind the other; their values begin as zeros. */
  constructor(arena: Arena, parameters: readonly Parameter[]) {
    let bytes = 0
    for (const parameter of parameters) {
      this.offsets.set(parameter, bytes)
      bytes += bytesOf(parameter.shape, parameter.columnAxes)
    }
    this.arena = arena
    this.bytes = bytes
    this.block = arena.allocateZeroed(bytes, 'the weights')
  }

  get address(): number {
    return this.block.address
  }

  /** Where the last snapshot lies; the values themselves as long as there is none. */
  get snapshotAddress(): number {
    return (this.snapshotBlock ?? this.block).address
  }

  /** Tells the parameters where they lie in this block: before a graph is recorded. */
  place(): void {
    for (const [parameter, offset] of this.offsets) parameter.offset = offset
  }

  /** Takes over what other models have changed since. */
  sync(): void {
    for (const parameter of this.offsets.keys()) {
      const { latest } = parameter
      if (!latest || latest.home === this || this.versions.get(parameter) === latest.version) continue
      this.panels(parameter).set(latest.home.panels(parameter))
      this.versions.set(parameter, latest.version)
    }
  }

  /** Declares these parameters changed here: other models will take them over. */
  own(parameters: readonly Parameter[]): void {
    for (const parameter of parameters) {
      parameter.latest = { home: this, version: (parameter.latest?.version ?? 0) + 1 }
      this.versions.set(parameter, parameter.latest.version)
    }
  }

  /** Row-major values of a parameter. */
  read(parameter: Parameter, base = this.address): Float32Array {
    return unpack(this.panels(parameter, base), parameter.shape, parameter.columnAxes)
  }

  write(parameter: Parameter, values: ArrayLike<number>): void {
    if (values.length !== sizeOf(parameter.shape))
      throw new RangeError(`state: ${parameter.name} has another size`)
    pack(values, parameter.shape, this.panels(parameter), parameter.columnAxes)
  }

  /** Sets every element, padding included: what padding holds never reaches a result. */
  fill(parameter: Parameter, value: number): void {
    this.panels(parameter).fill(value)
  }

  /** All values as they are, to be read later; the workers must stand still until it resolves. */
  async copyOut(base = this.address): Promise<StateCopy> {
    const size = this.bytes / 4
    const copy = new Float32Array(size)
    for (let from = 0; from < size; from += pieceSize) {
      const { buffer } = this.arena.memory
      copy.set(new Float32Array(buffer, base + 4 * from, Math.min(pieceSize, size - from)), from)
      await breath()
    }
    return new StateCopy(copy, this.offsets)
  }

  /** Copies the state aside; the workers must stand still. */
  takeSnapshot(): void {
    this.snapshotBlock ??= this.arena.allocate(this.bytes, 'the snapshot of the weights')
    this.copy(this.address, this.snapshotAddress)
  }

  restoreSnapshot(): void {
    this.copy(this.snapshotAddress, this.address)
  }

  dropSnapshot(): void {
    if (this.snapshotBlock) this.arena.free(this.snapshotBlock)
    this.snapshotBlock = undefined
  }

  /** Gives the memory back; values that lie nowhere else are kept for models to come. */
  free(): void {
    for (const parameter of this.offsets.keys()) {
      const { latest } = parameter
      if (latest?.home !== this) continue
      const kept = this.panels(parameter).slice()
      parameter.latest = { home: { panels: () => kept }, version: latest.version }
    }
    this.dropSnapshot()
    this.arena.free(this.block)
  }

  panels(parameter: Parameter, base = this.address): Float32Array {
    const { shape, columnAxes } = parameter
    const offset = this.offsets.get(parameter)!
    return new Float32Array(this.arena.memory.buffer, base + offset, bytesOf(shape, columnAxes) / 4)
  }

  private copy(from: number, to: number): void {
    const bytes = new Uint8Array(this.arena.memory.buffer)
    bytes.copyWithin(to, from, from + this.bytes)
  }
}
