import type { Value } from '../graph/value.ts'
import type { CellBuild } from './cells.ts'
import { courseDefaults, recur } from './course.ts'
import { type Builder, defineNetwork } from './define.ts'
import type { FullConfig } from './options.ts'
import {
  cellDefaults,
  checkCell,
  gruDefaults,
  gruSteps,
  lstmDefaults,
  lstmSteps,
  simpleSteps,
} from './recurrentCells.ts'
import { RecurrentLayer } from './recurrentLayer.ts'

/** How a layer is recorded that takes one cell through its input. */
const through =
  <D>(build: CellBuild<D>) =>
  (builder: Builder, inputs: readonly Value[], config: FullConfig<D> & FullConfig<typeof courseDefaults>) => {
    const shape = inputs[0]?.shape
    if (shape && shape.length !== 2)
      builder.refuse(
        `the input must have shape [time, features], got [${shape}]; add layers.reshape() before it`,
      )
    return recur(builder, inputs, config, [step => build(builder, step, config)])
  }

/**
 * Each step's state is activation(x·kernel + h·recurrent_kernel + bias), h the state before: (time, features) →
 * (units), or (time, units) with returnSequences. Steps that a mask does not count leave the state as it is.
 */
export const simpleRNN = defineNetwork(
  'SimpleRNN',
  { ...cellDefaults, ...courseDefaults },
  checkCell,
  through(simpleSteps),
  'drops',
  RecurrentLayer,
)

/**
 * Long short-term memory, gates in the order input, forget, cell, output: (time, features) → (units), or (time,
 * units) with returnSequences; states h and c. Steps that a mask does not count leave them as they are. Source:
 * Hochreiter & Schmidhuber (1997).
 */
export const lstm = defineNetwork(
  'LSTM',
  { ...lstmDefaults, ...courseDefaults },
  checkCell,
  through(lstmSteps),
  'drops',
  RecurrentLayer,
)

/**
 * Gated recurrent unit, gates in the order update, reset, candidate: (time, features) → (units), or (time,
 * units) with returnSequences. Steps that a mask does not count leave the state as it is. Source: Cho et al. (2014).
 */
export const gru = defineNetwork(
  'GRU',
  { ...gruDefaults, ...courseDefaults },
  checkCell,
  through(gruSteps),
  'drops',
  RecurrentLayer,
)
