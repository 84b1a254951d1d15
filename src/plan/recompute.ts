import type { Block, Call, Storage } from '../graph/value.ts'

/** Whether a block is this one, or lies within it. */
const within = (block: Block | undefined, outer: Block): boolean =>
  block !== undefined && (block === outer || within(block.outer, outer))

const chainOf = (block: Block | undefined): Block[] => (block ? [block, ...chainOf(block.outer)] : [])

/** Blocks through which gradients flow: inner ones first, and of those beside each other the last. */
function blocksOf(calls: readonly Call[]): Block[] {
  const found = new Set(
    calls.filter(({ pass }) => pass === 'backward').flatMap(({ block }) => chainOf(block)),
  )
  return [...found].sort((a, b) => chainOf(b).length - chainOf(a).length)
}

/** Calls between which barriers stand anyway, and those before which each of the blocks begins, either way. */
function groupsOf(calls: readonly Call[], blocks: readonly Block[]): Call[][] {
  const begun = { forward: new Set<Block>(), backward: new Set<Block>() }
  const groups: Call[][] = []
  let group = -1
  for (const call of calls) {
    const fresh = chainOf(call.block).filter(block => blocks.includes(block) && !begun[call.pass].has(block))
    for (const block of fresh) begun[call.pass].add(block)
    if (call.group > group || fresh.length > 0) groups.push([])
    group = Math.max(group, call.group)
    groups.at(-1)!.push(call)
  }
  return groups
}

/** A worker's own memory: scratch, and the cell of faults, into which a second call puts what the first did. */
const isPrivate = ({ placement }: Storage): boolean => placement === 'worker'

/**
 * What a block's forward calls write and need not be kept until its gradients: nobody else touches it then, and the
 * calls that make it find all else that they read as it was. `before` are all calls up to there.
 */
function droppable(
  before: readonly Call[],
  isForward: (call: Call) => boolean,
  kept: Set<Storage>,
): Set<Storage> {
  const written = before.filter(isForward).flatMap(({ writes }) => writes)
  const dropped = new Set(written.filter(s => s.placement === 'batch' && !kept.has(s)))
  const lastWrites = new Map(before.flatMap(({ writes }, i) => writes.map(storage => [storage, i] as const)))
  const isFree = (storage: Storage) => dropped.has(storage) || isPrivate(storage)
  const makers = [...before.entries()].filter(([, { writes }]) => writes.some(s => dropped.has(s)))
  const canRunAgain = (call: Call, i: number) =>
    isForward(call) &&
    call.writes.every(isFree) &&
    call.reads.every(storage => isFree(storage) || (lastWrites.get(storage) ?? 0) <= i)
  let size: number
  do {
    size = dropped.size
    for (const [i, call] of makers)
      if (!canRunAgain(call, i)) for (const storage of call.writes) dropped.delete(storage)
  } while (dropped.size < size)
  return dropped
}

/** Those of the calls that make what `readers` read, as far as it is dropped. */
function makersOf(calls: readonly Call[], readers: readonly Call[], dropped: Set<Storage>): Set<Call> {
  const wanted = new Set<Storage>()
  const want = ({ reads }: Call) => {
    for (const storage of reads) if (dropped.has(storage)) wanted.add(storage)
  }
  readers.forEach(want)
  const makers = calls.toReversed().filter(call => {
    const isMaker = call.writes.some(storage => wanted.has(storage))
    if (isMaker) want(call)
    return isMaker
  })
  return new Set(makers)
}

const replaced = (call: Call, twins: ReadonlyMap<Storage, Storage>): Call => {
  const twinOf = (storage: Storage) => twins.get(storage) ?? storage
  const args = call.args.map(arg => (typeof arg === 'number' ? arg : twinOf(arg)))
  return { ...call, args, reads: call.reads.map(twinOf), writes: call.writes.map(twinOf) }
}

/** Puts what a block must compute again before its gradients, which then use that; `nextId` numbers storages. */
function runAgain(groups: Call[][], block: Block, nextId: () => number): void {
  const isOf = (pass: Call['pass']) => (call: Call) => call.pass === pass && within(call.block, block)
  const [isForward, isBackward] = [isOf('forward'), isOf('backward')]
  const at = groups.findIndex(([first]) => isBackward(first!))
  const before = groups.slice(0, at).flat()
  const after = groups.slice(at).flat()
  // What others use just before is there still: to keep it takes no more memory than to make it again.
  const others = [...groups[at - 1]!, ...after].filter(call => !isForward(call) && !isBackward(call))
  const kept = new Set(others.flatMap(({ reads, writes }) => [...reads, ...writes]))
  const dropped = droppable(before, isForward, kept)
  const again = makersOf(before.filter(isForward), after.filter(isBackward), dropped)
  const written = new Set([...again].flatMap(({ writes }) => writes).filter(storage => !isPrivate(storage)))
  const twins = new Map([...written].map(storage => [storage, { ...storage, id: nextId() }]))
  const repeated = groups
    .slice(0, at)
    .map(group =>
      group
        .filter(call => again.has(call))
        .map((call): Call => ({ ...replaced(call, twins), block: block.outer, pass: 'backward' })),
    )
  const rest = groups
    .splice(at)
    .map(group => group.map(call => (isBackward(call) ? replaced(call, twins) : call)))
  groups.push(...repeated.filter(({ length }) => length > 0), ...rest)
}

/**
 * The calls, with those of blocks (see `Graph.recomputed`) once more before the gradients need what they compute: so
 * no value of a block is alive between its forward and its backward pass. Repeated calls do what the first did, on
 * values of their own, so that all bits are the same. Barriers keep blocks apart, either way: what lies in different
 * phases shares memory. What is no row a sample stays, statistics of the mini-batch above all. Source: Chen et al.,
 * "Training Deep Nets with Sublinear Memory Cost" (2016).
 */
export function recompute(calls: readonly Call[]): readonly Call[] {
  const blocks = blocksOf(calls)
  if (blocks.length === 0) return calls
  const groups = groupsOf(calls, blocks)
  let id = calls.reduce(
    (most, { reads, writes }) => Math.max(most, ...[...reads, ...writes].map(s => s.id)),
    0,
  )
  for (const block of blocks) runAgain(groups, block, () => ++id)
  const { group } = calls[0]!
  return groups.flatMap((each, i) => each.map(call => ({ ...call, group: group + i })))
}
