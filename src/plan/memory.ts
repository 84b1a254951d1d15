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
   * Set while every use is cut alike: two such values may follow each other in one phase in the same place. Elsewhere
   * on common bytes the part of one worker would lie on that of another.
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

/** Whether two values are never alive in one phase. Workers stand at different calls of it: order counts across phases. */
const areApart = (a: Life, b: Life): boolean => a.lastPhase < b.firstPhase || b.lastPhase < a.firstPhase

/** Whether two values that are not apart may lie in the same place. */
const canFollow = (a: Life, b: Life): boolean =>
  a.cutKey !== undefined && a.cutKey === b.cutKey && (a.lastCall < b.firstCall || b.lastCall < a.firstCall)

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

/** The lowest offset where no value lies that is alive at the same time. `placed` are in the order of their offsets. */
function lowestFor(life: Life, placed: readonly Placed[]): number {
  let offset = 0
  // Up to where it would lie partly on one that it may follow, unless it stays at `offset`.
  let shared = 0
  for (const { life: other, offset: begin } of placed) {
    if (areApart(life, other)) continue
    const end = begin + other.bytes
    if (end <= offset) continue
    if (offset + life.bytes <= begin) break
    const together = begin === offset || (begin > offset && begin >= shared)
    if (canFollow(life, other) && together) {
      offset = begin
      shared = end
    } else offset = Math.max(end, shared)
  }
  return offset
}

/** Gives every temporary value an offset: largest first, each at the lowest place that is free. */
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
    const offset = lowestFor(life, placed)
    placed.splice(firstPast(placed, offset), 0, { life, offset })
    total = Math.max(total, offset + life.bytes)
  }
  return { offsets: new Map(placed.map(({ life, offset }) => [life.storage, offset])), bytes: total }
}
