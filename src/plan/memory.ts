import type { Call, Storage } from '../graph/value.ts'

/** Kernels may read this far past a value's end. */
const guardBytes = 64
export const align = (bytes: number): number => Math.ceil(bytes / 64) * 64

interface Life {
  storage: Storage
  bytes: number
  firstPhase: number
  lastPhase: number
  firstCall: number
  lastCall: number
  /**
   * Set while every use is cut alike: two such values may follow each other in one phase on the same bytes.
   */
  cutKey: number | undefined
}

/** How a value's bytes are divided between workers, if each use divides them in the same way. */
function cutKeyOf(call: Call, storage: Storage): string | undefined {
  if (call.cut.axis === 'rows' && storage.placement === 'batch') return `rows ${storage.bytes}`
  if (call.cut.axis === 'slices' && storage.placement === 'shared')
    return `slices ${call.cut.count} ${storage.bytes}`
  return undefined
}

function lifetimes(phases: readonly Call[][], rows: number, leafRows: number): Life[] {
  const lives = new Map<Storage, Life>()
  const rowsOf = ({ placement, leaf }: Storage): number =>
    placement !== 'batch' ? 1 : leaf === undefined ? rows : leafRows
  // Numbers, since every value is compared with every other.
  const keys = new Map<string | undefined, number | undefined>([[undefined, undefined]])
  let index = 0
  phases.forEach((phase, p) => {
    for (const call of phase) {
      for (const storage of [...call.reads, ...call.writes]) {
        if (storage.placement !== 'batch' && storage.placement !== 'shared') continue
        const name = cutKeyOf(call, storage)
        if (!keys.has(name)) keys.set(name, keys.size)
        const cutKey = keys.get(name)
        const life = lives.get(storage)
        if (life) {
          life.lastPhase = p
          life.lastCall = index
          if (life.cutKey !== cutKey) life.cutKey = undefined
        } else {
          const bytes = align(storage.bytes * rowsOf(storage) + guardBytes)
          lives.set(storage, {
            storage,
            bytes,
            firstPhase: p,
            lastPhase: p,
            firstCall: index,
            lastCall: index,
            cutKey,
          })
        }
      }
      index++
    }
  })
  return [...lives.values()]
}

/**
 * Whether two values may not share bytes. Workers stand at different calls of one phase, so order counts only
 * across phases, or where both values are cut alike.
 */
function collide(a: Life, b: Life): boolean {
  if (a.lastPhase < b.firstPhase || b.lastPhase < a.firstPhase) return false
  if (a.cutKey === undefined || a.cutKey !== b.cutKey) return true
  return a.lastCall >= b.firstCall && b.lastCall >= a.firstCall
}

interface Placed {
  readonly life: Life
  readonly offset: number
}

/** How many of the values, in the order of their offsets, lie at `offset` or before. */
function firstPast(placed: readonly Placed[], offset: number): number {
  let [low, high] = [0, placed.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (placed[middle]!.offset > offset) high = middle
    else low = middle + 1
  }
  return low
}

/**
 * Gives every temporary value an offset: largest first, each at the lowest place where no value alive at the
 * same time lies.
 */
export function planMemory(
  phases: readonly Call[][],
  rows: number,
  leafRows: number,
  outputs: readonly Storage[],
): { offsets: Map<Storage, number>; bytes: number } {
  const lives = lifetimes(phases, rows, leafRows)
  for (const life of lives) {
    if (!outputs.includes(life.storage)) continue
    life.lastPhase = Number.POSITIVE_INFINITY
    life.lastCall = Number.POSITIVE_INFINITY
  }
  lives.sort((a, b) => b.bytes - a.bytes || a.storage.id - b.storage.id)
  const placed: Placed[] = []
  let total = 0
  for (const life of lives) {
    let offset = 0
    for (const other of placed) {
      if (!collide(life, other.life)) continue
      if (offset + life.bytes <= other.offset) break
      offset = Math.max(offset, other.offset + other.life.bytes)
    }
    placed.splice(firstPast(placed, offset), 0, { life, offset })
    total = Math.max(total, offset + life.bytes)
  }
  return { offsets: new Map(placed.map(({ life, offset }) => [life.storage, offset])), bytes: total }
}
