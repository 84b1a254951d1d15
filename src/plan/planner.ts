import type { Graph } from '../graph/graph.ts'
import type { Call, Storage, Value } from '../graph/value.ts'
import { align, planMemory } from './memory.ts'
import { cutIntoPhases, dropUnread, feeding } from './phases.ts'
import type { CellOffsets, Phase, Place, Plan, PlanCall, RowCellOffsets } from './plan.ts'
import { recompute } from './recompute.ts'

/** Lays the given storages out one behind the other. */
function sequence(storages: Iterable<Storage>): { offsets: Map<Storage, number>; bytes: number } {
  const offsets = new Map<Storage, number>()
  let bytes = 0
  for (const storage of storages) {
    offsets.set(storage, bytes)
    bytes += align(storage.bytes + 64)
  }
  return { offsets, bytes }
}

/** Cells first, then one region that all scratch shares: scratch lives only inside a call. */
function workerLayout(
  graph: Graph,
  calls: readonly Call[],
): { offsets: Map<Storage, number>; bytes: number } {
  const cells = [graph.cells, ...graph.folds.values()]
    .flatMap(each => Object.values(each) as (Value | Value[])[])
    .flat()
    .map(value => value.storage)
  const touched = new Set(
    calls.flatMap(call => [...call.reads, ...call.writes]).filter(s => s.placement === 'worker'),
  )
  const scratch = [...touched].filter(storage => storage.label === 'scratch')
  const { offsets, bytes } = sequence([
    ...cells,
    ...[...touched].filter(s => !cells.includes(s) && s.label !== 'scratch'),
  ])
  for (const storage of scratch) offsets.set(storage, bytes)
  return { offsets, bytes: bytes + align(Math.max(0, ...scratch.map(storage => storage.bytes)) + 64) }
}

/** What neighbours that are cut by samples should touch before they go on: about a second-level cache. */
const paceBytes = 1 << 21
/** Fewer samples at once do not pay for weights that are read again. */
const leastPace = 4

/**
 * The pace of each call of a phase, if it has one. LSTM of 64 steps, 128 units: 1.12 × as fast at 6 to 12 samples
 * as at 64. Networks whose samples are so large that fewer than four would fit gain nothing (a GPT, convolutions).
 */
function pacesOf(phase: readonly Call[], { rows, grain }: Graph): (number | undefined)[] {
  const paces: (number | undefined)[] = phase.map(() => undefined)
  for (let first = 0; first < phase.length; ) {
    const { cut } = phase[first]!
    let end = first + 1
    const same = (other: Call['cut']) =>
      other.axis === 'rows' && cut.axis === 'rows' && other.leaf === cut.leaf
    while (end < phase.length && same(phase[end]!.cut)) end++
    const touched = new Set(phase.slice(first, end).flatMap(call => [...call.reads, ...call.writes]))
    const bytes = [...touched].reduce(
      (sum, { placement, bytes }) => (placement === 'batch' ? sum + bytes : sum),
      0,
    )
    const fitting = Math.floor(paceBytes / (bytes * grain)) * grain
    if (cut.axis === 'rows' && end > first + 1 && fitting >= leastPace && fitting < rows)
      paces.fill(fitting, first, end)
    first = end
  }
  return paces
}

/**
 * Turns a recorded graph into a Plan: unread calls dropped, barriers found, every value given its place.
 * `outputs` are values that the caller reads after a step; `grain` the samples that a shard may not be cut
 * below.
 */
export function makePlan(graph: Graph, outputs: Record<string, Value> = {}): Plan {
  const outputStorages = Object.values(outputs).map(value => value.storage)
  const { derivations, constants } = graph
  const stage = (name: Call['stage']) => graph.calls.filter(call => call.stage === name)
  const recorded = [...stage('compute'), ...stage('update'), ...derivations]
  const own = recompute(dropUnread(recorded, outputStorages))
  const read = [...feeding(graph.aheadOfAll, own), ...own]
  const phases = cutIntoPhases(read)
  const prologue = cutIntoPhases([...constants, ...derivations])
  const memory = planMemory(phases, graph.rows, Math.ceil(graph.rows / graph.leaves), outputStorages)
  const all = [...read, ...constants, ...derivations]
  const runStorages = new Set(
    all.flatMap(call => [...call.reads, ...call.writes]).filter(s => s.placement === 'run'),
  )
  const run = sequence(runStorages)
  const worker = workerLayout(graph, all)
  const placeOf = (storage: Storage): Place => {
    if (storage.placement === 'state') return { base: 'state', offset: storage.offset }
    if (storage.placement === 'data') return { base: `data ${storage.label}`, offset: 0 }
    if (storage.placement === 'run') return { base: 'run', offset: run.offsets.get(storage)! }
    if (storage.placement === 'worker') return { base: 'worker', offset: worker.offsets.get(storage)! }
    return { base: 'arena', offset: memory.offsets.get(storage)! }
  }
  const placeIn = (call: Call, storage: Storage): Place => {
    const { leaf, bytes } = storage
    return leaf === undefined || !call.wholeRows
      ? placeOf(storage)
      : { ...placeOf(storage), leaf, rowBytes: bytes }
  }
  const planPhase = (phase: Call[]): Phase => {
    const paces = pacesOf(phase, graph)
    return phase.map(
      (call, i): PlanCall => ({
        kernel: call.kernel,
        cut: call.cut,
        args: call.args.map(arg => (typeof arg === 'number' ? arg : placeIn(call, arg))),
        ...(paces[i] === undefined ? {} : { pace: paces[i] }),
      }),
    )
  }
  const offset = (value: Value) => worker.offsets.get(value.storage)!
  const offsetsOf = <T>(cells: object) => {
    const entries = Object.entries(cells) as [string, Value | Value[]][]
    return Object.fromEntries(
      entries.map(([name, cell]) => [name, Array.isArray(cell) ? cell.map(offset) : offset(cell)]),
    ) as T
  }
  return {
    rows: graph.rows,
    grain: graph.grain,
    prologue: prologue.map(planPhase),
    phases: phases.map(planPhase),
    cells: offsetsOf<CellOffsets>(graph.cells),
    folds: [...graph.folds].map(([times, cells]) => ({ times, cells: offsetsOf<RowCellOffsets>(cells) })),
    faults: graph.faults,
    arenaBytes: memory.bytes,
    runBytes: run.bytes,
    workerBytes: worker.bytes,
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([name, value]) => [name, placeOf(value.storage)]),
    ),
  }
}
