import type { Call, Cut, Storage } from '../graph/value.ts'

/**
 * Whether two calls, cut for the same number of workers, touch a common storage only in the worker's own
 * part.
 */
function sameCut(a: Cut, b: Cut): boolean {
  if (a.axis !== b.axis) return false
  return a.axis === 'slices' && b.axis === 'slices' ? a.count === b.count : true
}

/** Kernels that may set the fault cell. */
const checks: ReadonlySet<string> = new Set(['checkFinite', 'embed'])

interface Use {
  level: number
  cut: Cut
  writes: boolean
}

/**
 * Distributes calls over phases, each as early as its dependencies allow. A call must come a phase later than
 * another if both touch a storage, one writes, and the part that a worker touches may be another worker's:
 * only there a barrier is needed. Inside a phase the recorded order holds. Calls that change the state come
 * after every check.
 */
export function cutIntoPhases(calls: readonly Call[]): Call[][] {
  const uses = new Map<Storage, Use[]>()
  const phases: Call[][] = []
  let afterChecks = 0
  let group = 0
  let floor = 0
  for (const call of calls) {
    if (call.group > group) {
      group = call.group
      floor = phases.length
    }
    let level = Math.max(floor, call.stage === 'update' ? afterChecks : 0)
    const touch = (storage: Storage, writes: boolean) => {
      for (const use of uses.get(storage) ?? []) {
        if (!writes && !use.writes) continue
        const apart = storage.placement !== 'worker' && !sameCut(use.cut, call.cut)
        level = Math.max(level, use.level + (apart ? 1 : 0))
      }
    }
    for (const storage of call.reads) touch(storage, false)
    for (const storage of call.writes) touch(storage, true)
    const note = (storage: Storage, writes: boolean) => {
      const list = uses.get(storage)
      const use = { level, cut: call.cut, writes }
      if (list) list.push(use)
      else uses.set(storage, [use])
    }
    for (const storage of call.reads) note(storage, false)
    for (const storage of call.writes) note(storage, true)
    if (checks.has(call.kernel)) afterChecks = Math.max(afterChecks, level + 1)
    ;(phases[level] ??= []).push(call)
  }
  return phases
}

/**
 * Drops calls whose results nobody reads: they write no state, output, run-long value or cell, and feed no
 * kept call.
 */
export function dropUnread(calls: readonly Call[], outputs: readonly Storage[]): Call[] {
  const wanted = new Set(outputs)
  const lasts = (storage: Storage): boolean => {
    if (storage.placement === 'batch' || storage.placement === 'shared') return wanted.has(storage)
    return storage.label !== 'scratch'
  }
  const kept = calls.toReversed().filter(call => {
    const keep = call.writes.some(lasts)
    if (keep) for (const storage of call.reads) wanted.add(storage)
    return keep
  })
  return kept.reverse()
}

/**
 * Those of `calls` whose temporary results others read, directly or through further ones: what such a call does
 * to the state or to a fault besides is done by its twin among the others.
 */
export function feeding(calls: readonly Call[], others: readonly Call[]): Call[] {
  const temporary = ({ placement }: Storage) => placement === 'batch' || placement === 'shared'
  const wanted = new Set(others.flatMap(({ reads }) => reads).filter(temporary))
  const kept = calls.toReversed().filter(call => {
    const keep = call.writes.some(storage => wanted.has(storage))
    if (keep) for (const storage of call.reads.filter(temporary)) wanted.add(storage)
    return keep
  })
  return kept.reverse()
}
