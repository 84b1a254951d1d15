import type { Arena, Block } from '../runtime/arena.ts'

/** Blocks of the arena that one operation uses, and that are given back together, however it ends. */
export class Claims {
  readonly arena: Arena
  private readonly blocks: Block[] = []

  constructor(arena: Arena) {
    this.arena = arena
  }

  /** Bytes that are taken. */
  get bytes(): number {
    return this.blocks.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  allocate(bytes: number, what: string): Block {
    const block = this.arena.allocate(bytes, what)
    this.blocks.push(block)
    return block
  }

  /** As `allocate`, filled with zeros. */
  allocateZeroed(bytes: number, what: string): Block {
    const block = this.allocate(bytes, what)
    this.clear(block)
    return block
  }

  /** Fills a block with zeros. */
  clear({ address, bytes }: Block): void {
    new Uint8Array(this.arena.memory.buffer, address, bytes).fill(0)
  }

  /** Gives one block back before the others. */
  release(block: Block): void {
    this.blocks.splice(this.blocks.indexOf(block), 1)
    this.arena.free(block)
  }

  free(): void {
    for (const block of this.blocks.splice(0)) this.arena.free(block)
  }
}

/** Calls `use` and frees what it claimed: after it returned or threw, or after its promise settled. */
export function withClaims<T>(arena: Arena, use: (claims: Claims) => T): T {
  const claims = new Claims(arena)
  let result: T
  try {
    result = use(claims)
  } catch (error) {
    claims.free()
    throw error
  }
  if (result instanceof Promise) return result.finally(() => claims.free()) as T
  claims.free()
  return result
}
