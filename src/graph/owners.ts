import type { Allocator } from './allocator.ts'
import type { Graph } from './graph.ts'
import type { Storage, Value } from './value.ts'

const owners = new WeakMap<Storage, Allocator>()

/** Notes the graph that a storage belongs to. */
export function own(storage: Storage, g: Allocator): Storage {
  owners.set(storage, g)
  return storage
}

/** The graph that a value is recorded on: functions of values need no other argument. */
export const graphOf = ({ storage }: Value): Graph => owners.get(storage) as Graph
