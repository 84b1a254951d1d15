import { bytesOf, type Parameter, pack, unpack } from '../graph/parameter.ts'
import { sizeOf } from '../graph/value.ts'
import type { Arena, Block } from '../runtime/arena.ts'

/** The parameters, slots and moving statistics of a model: one block, so that a snapshot is one copy. */
export class ModelState {
  readonly bytes: number
  private readonly arena: Arena
  private readonly block: Block
  private snapshotBlock: Block | undefined

  /** Lays `parameters` out one behind the other; their values begin as zeros. */
  constructor(arena: Arena, parameters: readonly Parameter[]) {
    let bytes = 0
    for (const parameter of parameters) {
      parameter.offset = bytes
      bytes += bytesOf(parameter.shape)
    }
    this.arena = arena
    this.bytes = bytes
    this.block = arena.allocateZeroed(bytes, 'the weights')
  }

  get address(): number {
    return this.block.address
  }

  /** Where the last snapshot lies. @throws Error if there is none. */
  get snapshotAddress(): number {
    if (!this.snapshotBlock) throw new Error('state: there is no snapshot')
    return this.snapshotBlock.address
  }

  /** Row-major values of a parameter. */
  read(parameter: Parameter, base = this.address): Float32Array {
    return unpack(this.panels(parameter, base), parameter.shape)
  }

  write(parameter: Parameter, values: ArrayLike<number>): void {
    if (values.length !== sizeOf(parameter.shape))
      throw new RangeError(`state: ${parameter.name} has another size`)
    pack(values, parameter.shape, this.panels(parameter, this.address))
  }

  /** Sets every element, padding included: what padding holds never reaches a result. */
  fill(parameter: Parameter, value: number): void {
    this.panels(parameter, this.address).fill(value)
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

  free(): void {
    this.dropSnapshot()
    this.arena.free(this.block)
  }

  private panels(parameter: Parameter, base: number): Float32Array {
    return new Float32Array(this.arena.memory.buffer, base + parameter.offset, bytesOf(parameter.shape) / 4)
  }

  private copy(from: number, to: number): void {
    const bytes = new Uint8Array(this.arena.memory.buffer)
    bytes.copyWithin(to, from, from + this.bytes)
  }
}
