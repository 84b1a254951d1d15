import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Arena, type Block } from '../src/runtime/arena.ts'

describe('an arena', () => {
  test('hands out pieces that do not overlap, and joins neighbours that come back', () => {
    const moves = fc.array(fc.tuple(fc.nat(300_000), fc.nat(), fc.boolean()), { maxLength: 60 })
    fc.assert(
      fc.property(moves, list => {
        const memory = new WebAssembly.Memory({ initial: 1, maximum: 256, shared: true })
        const arena = new Arena(memory)
        const blocks: Block[] = []
        const free = (index: number) => arena.free(blocks.splice(index, 1)[0]!)
        for (const [bytes, pick, frees] of list) {
          if (frees && blocks.length > 0) free(pick % blocks.length)
          else blocks.push(arena.allocate(bytes, 'the test'))
          const sorted = blocks.toSorted((a, b) => a.address - b.address)
          for (const [i, { address, bytes: size }] of sorted.entries()) {
            expect(address % 64).toBe(0)
            expect(address + size).toBeLessThanOrEqual(sorted[i + 1]?.address ?? memory.buffer.byteLength)
          }
          expect(arena.bytes).toBe(blocks.reduce((sum, block) => sum + block.bytes, 0))
        }
        while (blocks.length > 0) free(blocks.length >> 1)
        const { byteLength } = memory.buffer
        const { address } = arena.allocate(byteLength - 1024 - 64, 'everything')
        expect([address, memory.buffer.byteLength, arena.bytes]).toEqual([
          1024,
          byteLength,
          byteLength - 1024,
        ])
      }),
      { numRuns: 150, seed: 1 },
    )
  })

  test('zeroes what it is asked to, and says what did not fit', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true })
    const arena = new Arena(memory)
    const first = arena.allocate(1000, 'a')
    new Uint8Array(memory.buffer, first.address, first.bytes).fill(7)
    arena.free(first)
    const { address, bytes } = arena.allocateZeroed(1000, 'b')
    expect(new Uint8Array(memory.buffer, address, bytes).every(byte => byte === 0)).toBe(true)
    expect(() => arena.allocate(200_000, 'the weights')).toThrow(
      /^engine: the weights needs 200064 bytes, but 1088 of at most 4294967296 are in use; lower batchSize/,
    )
    expect(arena.bytes).toBe(1088)
  })
})
