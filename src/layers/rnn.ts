import type { Value } from '../graph/value.ts'
import { opposite, reversed, stack, stepsOf, whereCounts, zeros } from '../ops/steps.ts'
import { type Cell, type CellSteps, checkStates } from './cells.ts'
import { Composite } from './composite.ts'
import { type Builder, type ConfigOf, defineLayer, required } from './define.ts'
import { checkCells, scopeOf, stackedRNNCells } from './recurrentCells.ts'

export interface Course {
  /** Whether the output holds those of all steps, or that of the last one. */
  readonly sequences: boolean
  /** Whether the first step takes the end of x; the output is in the order of the steps. */
  readonly backwards: boolean
  /** States before the first step, those that are not zeros. */
  readonly initial?: readonly Value[]
  /** Which steps of x count (time); the others leave output and states as they are. */
  readonly mask?: Value | undefined
}

/**
 * A cell's output and last states after all steps of x (time, …), recorded step by step. Before the first step that
 * counts, the output is the first state, or 0 where that has another shape.
 */
export function unroll(
  builder: Builder,
  steps: CellSteps,
  x: Value,
  { sequences, backwards, initial = [], mask }: Course,
): [y: Value, ...states: Value[]] {
  const { g } = builder
  checkStates(builder, steps, initial)
  const inputs = stepsOf(g, steps.ahead ? steps.ahead(x) : x)
  const marked = mask && g.view(mask, [...mask.shape, 1])
  const marks = marked && { counts: stepsOf(g, marked), skips: stepsOf(g, opposite(g, marked)) }
  let states: readonly Value[] = steps.states.map((shape, i) => initial[i] ?? zeros(g, shape))
  const hasShape = ({ shape }: Value, other: Value) => String(shape) === String(other.shape)
  const first = states[0]
  let y: Value | undefined
  const outputs: Value[] = []
  const order = [...inputs.keys()]
  for (const t of backwards ? order.reverse() : order) {
    const [output, ...next] = steps.step(inputs[t]!, states)
    const kept = (value: Value, before: Value) =>
      marks ? whereCounts(g, marks.counts[t]!, marks.skips[t]!, value, before) : value
    y = kept(output, y ?? (first && hasShape(first, output) ? first : zeros(g, output.shape)))
    const before = states
    states = next.map((state, i) => kept(state, before[i]!))
    outputs.push(y)
  }
  const whole = sequences ? stack(g, outputs) : y!
  if (mask && sequences) g.masks.set(whole, backwards ? reversed(g, mask) : mask)
  return [whole, ...states]
}

/** A cell, or those of a stack, each with where its weights are. */
function runsOf(cell: Cell, scope: string): [Cell, string][] {
  if (cell.className !== stackedRNNCells.className) return [[cell, scope]]
  return (cell.inner as Cell[]).flatMap((inner, i) => runsOf(inner, scopeOf(scope, i)))
}

const makeRnn = defineLayer(
  'RNN',
  {
    /** The cell, or an array of cells. */
    cell: required<Cell | readonly Cell[]>(),
    returnSequences: false,
    returnState: false,
    goBackwards: false,
    stateful: false,
    unroll: false,
  },
  (where, { cell }) => checkCells(where, 'cell', [cell].flat() as Cell[]),
  (builder, x, { cell, returnSequences, goBackwards }) => {
    const { g, scope } = builder
    const runs = runsOf(cell as Cell, scope)
    let y = x
    runs.forEach(([each, own], i) => {
      const sequences = returnSequences || i + 1 < runs.length
      const course = { sequences, backwards: goBackwards && i === 0, mask: g.masks.of(y) }
      ;[y] = unroll(builder, each.begin(g, y.shape.slice(1), own), y, course)
    })
    return y
  },
  'notes',
  Composite,
)

/**
 * Takes a cell through a sequence: (time, …) → its output of the last step, or (time, …) with returnSequences. Several
 * cells are stacked, each fed by the one before. Masked steps leave output and states as they are. The steps are
 * recorded one by one.
 */
export const rnn = Object.assign(
  (config: ConfigOf<typeof makeRnn.defaults>) => {
    const isStack = Array.isArray(config?.cell)
    return makeRnn(isStack ? { ...config, cell: stackedRNNCells({ cells: config.cell as Cell[] }) } : config)
  },
  { className: makeRnn.className, defaults: makeRnn.defaults },
)
