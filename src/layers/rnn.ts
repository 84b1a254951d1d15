import { type Cell, checkCells } from './cells.ts'
import { courseDefaults, recur } from './course.ts'
import { defineNetwork } from './define.ts'
import { type ConfigOf, required } from './options.ts'
import { scopeOf, stackedRNNCells } from './recurrentCells.ts'
import { RecurrentLayer } from './recurrentLayer.ts'

/** A cell, or those of a stack, each with where its weights are. */
function cellsOf(cell: Cell, scope: string): [Cell, string][] {
  if (cell.className !== stackedRNNCells.className) return [[cell, scope]]
  return (cell.inner as Cell[]).flatMap((inner, i) => cellsOf(inner, scopeOf(scope, i)))
}

const makeRnn = defineNetwork(
  'RNN',
  {
    /** A cell, or an array of cells, which are stacked. */
    cell: required<Cell | readonly Cell[]>(),
    ...courseDefaults,
  },
  (where, { cell }) => checkCells(where, 'cell', [cell] as Cell[]),
  (builder, inputs, config) => {
    const { g, scope } = builder
    const cells = cellsOf(config.cell as Cell, scope)
    const begins = cells.map(
      ([cell, own]) =>
        (shape: readonly number[]) =>
          cell.begin(g, shape, own),
    )
    return recur(builder, inputs, config, begins)
  },
  'drops',
  RecurrentLayer,
)

/**
 * Takes a cell through a sequence: (time, …) → its output at the last step, or at all steps with returnSequences.
 * Stacked cells are each fed by the one before. Steps that a mask does not count leave output and states as they are.
 * simpleRNNCell, gruCell and lstmCell, alone or stacked, run as the layers of their names do; other cells, and those
 * with other activations than the kernels know, are recorded step by step: plan and memory then grow with the steps.
 */
export const rnn = Object.assign(
  (config: ConfigOf<typeof makeRnn.defaults>): RecurrentLayer => {
    const { cell } = config ?? {}
    return makeRnn(Array.isArray(cell) ? { ...config, cell: stackedRNNCells({ cells: cell }) } : config)
  },
  { className: makeRnn.className, defaults: makeRnn.defaults },
)
