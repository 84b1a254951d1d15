import { show } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import { sizeOf } from '../graph/value.ts'
import { dropoutMask } from '../ops/dropout.ts'
import { opposite, zeros } from '../ops/steps.ts'
import { type Cell, type CellSteps, defineCell, type Shape } from './cells.ts'
import { type Builder, defineLayer, defineNetwork, type LayerFactory } from './define.ts'
import type { Masking } from './masks.ts'
import type { FullConfig, WeightOptions } from './options.ts'

// What users define layers with: the functions that ours are defined with, without the graph, which ops find.

/** What the `build` of a layer works with. */
export interface LayerBuilder {
  /** The layer's own. */
  readonly name: string
  /** Whether the pass is one of training; ops.dropout knows for itself. */
  readonly training: boolean
  /** The layer's weight of this name, made when it is first asked for. */
  weight(name: string, shape: readonly number[], options: Omit<WeightOptions, 'columnAxes'>): Value
  /** Which steps of an input (steps, …) count: (steps) of 1 or 0; undefined where all do. */
  maskOf(x: Value): Value | undefined
  /** Notes which steps of an output count; see `masking`. */
  setMask(y: Value, mask: Value): void
  /**
   * Adds to the loss Σx of each sample, the mean over the samples, in training and evaluation: what Keras calls
   * add_loss. x is a value of samples.
   */
  addLoss(x: Value): void
  /** Throws a RangeError in the layer's name: say what must hold, what was given, and what to do. */
  refuse(message: string): never
}

export interface LayerOptions<D> {
  /** Refuses wrong values of options; `where` is the class name. */
  check?: (where: string, config: FullConfig<D>) => void
  /**
   * What becomes of masks: the output has none ('drops', the default), that of the first input ('passes'), the steps
   * that count in all inputs ('combines'), or what `build` sets ('notes').
   */
  masking?: Masking
}

function checkDefinition(where: string, className: unknown, build: unknown): void {
  if (typeof className !== 'string' || !/^[A-Z]\w*$/.test(className))
    throw new TypeError(
      `${where}: className must be a word that begins with a capital letter, got ${show(className)}; write 'MyLayer'`,
    )
  if (typeof build !== 'function')
    throw new TypeError(`${where}: build must be a function, got ${show(build)}; write ({ weight }, x) => …`)
}

function builderOf({ g, name, weight, refuse }: Builder): LayerBuilder {
  return {
    name,
    training: g.training,
    weight,
    maskOf: x => g.masks.of(x),
    setMask: (y, mask) => g.masks.set(y, mask),
    addLoss(x) {
      if (x?.storage?.placement !== 'batch')
        refuse(`addLoss must be given a value of samples, got ${show(x)}; combine it with the input by ops`)
      g.penalized.push({ y: x })
    },
    refuse,
  }
}

function checked(builder: Builder, y: Value): Value {
  const { refuse } = builder
  if (typeof y !== 'object' || y === null || !('storage' in y))
    refuse(`build must return a value, got ${show(y)}; return what an op made`)
  if (y.storage.placement !== 'batch')
    refuse(
      `build must return values of samples, got the weight ${y.storage.label}; combine it with the input`,
    )
  if (y.shape.length === 0) refuse('its output must have an axis, got one number a sample; reshape it to [1]')
  return y
}

/**
 * A kind of layer of your own: `defaults` names every option with its default, or `required()`; `build` makes the
 * output of the input by ops, asking for weights as it goes. Gives what `ls.layers` has: a function of options.
 * @throws TypeError for something else
 */
export function defineOwnLayer<D extends object>(
  className: string,
  defaults: D,
  build: (builder: LayerBuilder, x: Value, config: FullConfig<D>) => Value,
  { check = () => {}, masking = 'drops' }: LayerOptions<D> = {},
): LayerFactory<D> {
  checkDefinition('defineLayer', className, build)
  return defineLayer(
    className,
    defaults,
    check,
    (builder, x, config) => checked(builder, build(builderOf(builder), x, config)),
    masking,
  )
}

/** As `defineOwnLayer`, for a layer of several inputs; `build` may return a list of outputs. */
export function defineMergeLayer<D extends object>(
  className: string,
  defaults: D,
  build: (builder: LayerBuilder, inputs: readonly Value[], config: FullConfig<D>) => Value | readonly Value[],
  { check = () => {}, masking = 'drops' }: LayerOptions<D> = {},
): LayerFactory<D> {
  checkDefinition('defineMergeLayer', className, build)
  const buildAll = (builder: Builder, inputs: readonly Value[], config: FullConfig<D>): readonly Value[] => {
    const outputs = [build(builderOf(builder), inputs, config)].flat() as readonly Value[]
    return outputs.map(y => checked(builder, y))
  }
  return defineNetwork(className, defaults, check, buildAll, masking)
}

/** What the `build` of a cell works with. */
export interface CellBuilder extends LayerBuilder {
  /**
   * Of `shape`: in training 0 with probability `rate`, else 1 / (1 − rate), drawn for each sample and kept at all
   * steps; 1 otherwise. What `ops.dropout` drops differs from step to step.
   */
  dropoutMask(shape: Shape, rate: number): Value
}

/** What the `build` of a cell returns. */
export type OwnSteps = Omit<CellSteps, 'whole'>

function checkedSteps({ refuse }: Builder, steps: OwnSteps): OwnSteps {
  const isGood = Array.isArray(steps?.states) && typeof steps.step === 'function'
  if (!isGood || (steps.states.length === 0 && !steps.output))
    refuse(`build must return { states, step }, got ${show(steps)}; states are shapes, step is a function`)
  return steps
}

/**
 * A kind of cell of your own, one step of a recurrence, for `layers.rnn({ cell })`. `build` is called once for a
 * sequence, with the shape of one step's input: it asks for weights, draws what stays the same at all steps, and
 * returns the shapes of the states, and `step`. That is recorded for each step: by ops it makes, of the input and the
 * states before (zeros at first), the output and the new states. The output's shape is that of the first state, or
 * `output`; what needs no state can be done for all steps at once by `ahead`, (time, …) → (time, …).
 *
 *     const smooth = ls.defineCell('Smooth', { rate: 0.9 }, (_, shape, { rate }) => ({
 *       states: [shape],
 *       step(x, [mean]) {
 *         const next = ls.ops.add(ls.ops.multiply(mean!, rate), ls.ops.multiply(x, 1 - rate))
 *         return [next, next]
 *       },
 *     }))
 *     ls.layers.rnn({ cell: smooth({ rate: 0.8 }), returnSequences: true, inputShape: [10, 4] })
 *
 * As a layer of its own a cell is one step: from x and the states to the output and the new states.
 * @throws TypeError for something else
 */
export function defineOwnCell<D extends object>(
  className: string,
  defaults: D,
  build: (builder: CellBuilder, shape: Shape, config: FullConfig<D>) => OwnSteps,
  { check = () => {} }: Pick<LayerOptions<D>, 'check'> = {},
): LayerFactory<D, Cell> {
  checkDefinition('defineCell', className, build)
  return defineCell(className, defaults, check, (builder, shape, config) => {
    const { g } = builder
    const maskOf = (own: Shape, rate: number) => {
      const drawn = dropoutMask(g, sizeOf(own), rate)
      return drawn ? g.view(drawn, own) : opposite(g, zeros(g, own))
    }
    return checkedSteps(builder, build({ ...builderOf(builder), dropoutMask: maskOf }, shape, config))
  })
}
