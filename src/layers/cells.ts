import { show } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { Value } from '../graph/value.ts'
import type { Course, Recurred } from '../ops/recurrent.ts'
import { zeros } from '../ops/steps.ts'
import { Composite } from './composite.ts'
import { type Builder, defineNetwork, type LayerFactory } from './define.ts'
import type { FullConfig } from './options.ts'

export type Shape = readonly number[]

/** A cell that is about to go through the steps of a sequence. */
export interface CellSteps {
  /** Shapes of its states. */
  readonly states: readonly Shape[]
  /** Of its output: that of the first state if left out. */
  readonly output?: Shape
  /**
   * What a step computes from its input alone, for all steps at once: (time, …) → (time, …), given to `step` one by
   * one. Left out, `step` is given the inputs as they are.
   */
  readonly ahead?: (xs: Value) => Value
  /** The output of a step, and as many new states as there are, from its input and the states before. */
  step(x: Value, states: readonly Value[]): readonly [output: Value, ...states: Value[]]
  /** All steps of x (time, …) at once, where kernels do the same as `step`. */
  readonly whole?: (x: Value, course: Course) => Recurred
}

export const outputOf = ({ output, states }: CellSteps): Shape => output ?? states[0]!

/** What a cell is made of; see `defineCell`. */
export type CellBuild<D> = (builder: Builder, shape: Shape, config: FullConfig<D>) => CellSteps

/** A layer that is one step of a recurrence: `layers.rnn` takes it through a sequence. */
export abstract class Cell extends Composite {
  protected abstract steps(builder: Builder, shape: Shape): CellSteps

  /**
   * Makes or finds the weights, named after `scope`, for inputs of this shape, and draws what stays the same at all
   * steps: called once for a sequence.
   */
  begin(g: Graph, shape: Shape, scope = this.name): CellSteps {
    const steps = this.steps(this.builder(g, scope), shape)
    if (!this.recompute) return steps
    return { ...steps, step: (x, states) => g.recomputed(() => steps.step(x, states)) }
  }
}

/** f, called when it is first needed, and once. */
export function lazily<T>(f: () => T): () => T {
  let known: { readonly value: T } | undefined
  return () => {
    known ??= { value: f() }
    return known.value
  }
}

const alone = (g: Graph, x: Value): Value => g.view(x, [1, ...x.shape])

/** One step of a cell, from its whole input: the output and the new states. */
export function stepOf(g: Graph, { ahead, step }: CellSteps, x: Value, states: readonly Value[]) {
  const z = ahead ? ahead(alone(g, x)) : alone(g, x)
  return step(g.view(z, z.shape.slice(1)), states)
}

/**
 * A kind of cell: one step of a recurrence, for `layers.rnn({ cell })`. `defaults` and `check` are those of
 * `defineLayer`. `build` is called once for a sequence, with the shape of one step's input; it asks for the weights,
 * draws what stays the same at all steps (the masks of dropout), and returns the shapes of the states and `step`,
 * which is recorded for each step: from the input (and the states before) it composes the output and the new states.
 * Gradients follow from the ops it uses. The states begin with zeros.
 *
 * As a layer of its own a cell is one step: its inputs are x and the states (zeros for those left out), its outputs
 * y and the new states.
 */
export function defineCell<D extends object>(
  className: string,
  defaults: D,
  check: (where: string, config: FullConfig<D>) => void,
  build: CellBuild<D>,
): LayerFactory<D, Cell> {
  class OwnCell extends Cell {
    protected steps(builder: Builder, shape: Shape): CellSteps {
      return build(builder, shape, this.config as FullConfig<D>)
    }
  }
  const single = (builder: Builder, [x, ...given]: readonly Value[], config: FullConfig<D>) => {
    const steps = build(builder, x!.shape, config)
    const states = steps.states.map((shape, i) => given[i] ?? zeros(builder.g, shape))
    checkStates(builder, steps, given)
    return stepOf(builder.g, steps, x!, states)
  }
  return defineNetwork(className, defaults, check, single, 'drops', OwnCell)
}

/** Refuses states of other shapes, or too many. */
export function checkStates({ refuse }: Builder, { states }: CellSteps, given: readonly Value[]): void {
  given.forEach(({ shape }, i) => {
    if (String(shape) === String(states[i])) return
    const expected = states.map(own => `[${own}]`).join(' and ')
    refuse(`its states must have shape ${expected}, got ${show(shape)} as number ${i}; correct the state`)
  })
}

/** Refuses what is no list of cells. */
export function checkCells(where: string, name: string, cells: readonly Cell[]): void {
  if (Array.isArray(cells) && cells.length > 0 && cells.every(cell => cell instanceof Cell)) return
  throw new TypeError(
    `${where}: ${name} must be cells, got ${show(cells)}; write [ls.layers.lstmCell({ units: 32 })]`,
  )
}
