import { describe, expect, test } from 'vitest'
import { cutAt, wholeWork } from '../src/plan/plan.ts'
import { equalBounds, Shares } from '../src/runtime/shares.ts'

const rows = 1024

function makeShares(workers: number): Shares {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  const shares = new Shares(memory, 0, workers)
  shares.divide(workers)
  return shares
}

const rowsOf = ({ bounds }: Shares, workers: number, grain = 1) =>
  Array.from(
    { length: workers },
    (_, r) => cutAt(rows, bounds[r + 1]!, grain) - cutAt(rows, bounds[r]!, grain),
  )

/** Steps on simulated cores that take a row in `msPerRow`; returns the time of the last step. */
function simulate(shares: Shares, msPerRow: readonly number[], steps: number, grain = 1): number {
  let longest = 0
  for (let step = 0; step < steps; step++) {
    const times = rowsOf(shares, msPerRow.length, grain).map((own, rank) => own * msPerRow[rank]!)
    for (const [rank, ms] of times.entries()) shares.setBusy(rank, ms)
    longest = Math.max(...times)
    shares.balance(msPerRow.length, rows, grain)
  }
  return longest
}

describe('shares of the work', () => {
  test('are equal at first', () => {
    expect([...makeShares(4).bounds]).toEqual([0, 16384, 32768, 49152, 65536])
    expect(rowsOf(makeShares(3), 3)).toEqual([341, 342, 341])
    expect(equalBounds(2, 4)).toEqual([0, 32768, 65536, 65536, 65536])
  })

  test('of equal cores stay as they are', () => {
    const shares = makeShares(2)
    const { version } = shares
    simulate(shares, [0.02, 0.02], 100)
    expect(shares.version).toBe(version)
  })

  test.each([
    { name: 'two cores, one slower by a quarter', msPerRow: [0.05, 0.04] },
    { name: 'two cores, one three times as slow', msPerRow: [0.06, 0.02] },
    { name: 'four cores of four speeds', msPerRow: [0.1, 0.08, 0.06, 0.05] },
    { name: 'eight cores, the last slow', msPerRow: [...Array<number>(7).fill(0.08), 0.16] },
  ])('of $name come within 2 % of what the cores can do', ({ msPerRow }) => {
    const shares = makeShares(msPerRow.length)
    const possible = rows / msPerRow.reduce((sum, ms) => sum + 1 / ms, 0)
    expect(simulate(shares, msPerRow, 1)).toBeGreaterThan(1.05 * possible)
    expect(simulate(shares, msPerRow, 30)).toBeLessThan(1.02 * possible)
  })

  test('follow when the slow core becomes the fast one', () => {
    const shares = makeShares(2)
    simulate(shares, [0.05, 0.04], 30)
    const [first, second] = rowsOf(shares, 2)
    expect(first).toBeLessThan(second!)
    simulate(shares, [0.04, 0.05], 30)
    expect(rowsOf(shares, 2)[0]).toBeGreaterThan(rowsOf(shares, 2)[1]!)
  })

  test('keep their order and leave a worker something, however long it was held up', () => {
    const shares = makeShares(3)
    for (let step = 0; step < 200; step++) {
      for (let rank = 0; rank < 3; rank++) shares.setBusy(rank, rank === step % 3 ? 10_000 : 0)
      shares.balance(3, rows, 1)
      const bounds = [...shares.bounds]
      expect(bounds).toEqual(bounds.toSorted((a, b) => a - b))
      expect([bounds[0], bounds[3]]).toEqual([0, wholeWork])
    }
    simulate(shares, [0.05, 0.05, 0.05], 40)
    for (const own of rowsOf(shares, 3)) expect(own).toBeGreaterThan(300)
  })

  test('of steps of some microseconds hardly move', () => {
    const shares = makeShares(2)
    simulate(shares, [4e-6, 2e-6], 20)
    expect([...shares.bounds]).toEqual([0, wholeWork / 2, wholeWork])
  })

  test('do not swing where rows are cut in coarse grains', () => {
    const shares = makeShares(2)
    simulate(shares, [0.05, 0.045], 50, 256)
    const seen = new Set<number>()
    for (let step = 0; step < 50; step++) {
      simulate(shares, [0.05, 0.045], 1, 256)
      seen.add(rowsOf(shares, 2, 256)[0]!)
    }
    expect([...seen]).toEqual([512])
  })

  test('are divided anew when fewer or more workers take part, and only then', () => {
    const shares = makeShares(4)
    simulate(shares, [0.05, 0.04, 0.04, 0.04], 30)
    const learned = [...shares.bounds]
    shares.divide(4)
    expect([...shares.bounds]).toEqual(learned)
    shares.divide(2)
    expect([...shares.bounds]).toEqual(equalBounds(2, 4))
    shares.divide(4)
    expect([...shares.bounds]).toEqual(equalBounds(4))
  })
})
