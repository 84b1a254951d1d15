import { show, suggestion } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { matrixOf, type Parameter } from '../graph/parameter.ts'
import { each, slices, type Value, write } from '../graph/value.ts'
import { filled, isNumber } from '../ops/elements.ts'
import { combine, scaled } from '../ops/merge.ts'
import {
  build,
  type LearningRate,
  normChunkUnits,
  type Optimizer,
  optionsOf,
  type RatedUpdate,
  type SharedOptions,
} from './optimizer.ts'

// Optimizers that users write as formulas, made of elementwise ops.

/** What an update is computed from: a weight, and numbers that are new in each step. */
export interface UpdateInputs<S extends string> {
  /** The weight, decayed already where weights decay, and its gradient. */
  readonly w: Value
  readonly dw: Value
  /** The state arrays of this weight. */
  readonly slots: Readonly<Record<S, Value>>
  /** The learning rate of this step, times the factor of the weight's layer. */
  readonly rate: Value
  /** The number of this step, from 1 on. */
  readonly step: Value
  /** 1 − betaᵗ in step t, exact to the last bits: what a running mean that began at 0 is divided by. */
  correction(beta: number): Value
  /** √Σ x² over all elements of w, dw, a slot, or what elementwise ops made of them: a number. */
  norm(x: Value): Value
}

export interface OptimizerDefinition<D, S extends string> {
  /** Names and initial values of the state arrays that each weight has. */
  slots?: Readonly<Record<S, number>>
  /** The new weight, and what state arrays become; those left out stay. */
  update: (inputs: UpdateInputs<S>, config: D) => { readonly w: Value } & { readonly [K in S]?: Value }
  /** Refuses wrong values of options beyond what all must be: finite and not negative. */
  check?: (where: string, config: D) => void
}

/** Options of an optimizer of one's own: a rate may always be a schedule. */
type OwnOptions<D> = Partial<Omit<D, 'learningRate'>> & { learningRate?: LearningRate } & SharedOptions

/** A number that each worker has for itself. */
function numberOf(g: Graph, label: string, record: (to: ReturnType<typeof write>) => void): Value {
  const x = g.allocate('worker', label, [1], 4)
  record(write(x))
  return x
}

/** As elementwise ops see a parameter. */
const inPanels = (x: Value): Value => ({ ...x, panels: true, differentiable: false })

/** The Euclidean norm of panels: of chunks first, which every worker adds up in order. */
function normOf(g: Graph, where: string, x: Value, shape: Parameter['shape'], columnAxes?: number): Value {
  if (!x?.panels)
    throw new TypeError(
      `${where}: norm must be given what is made of w, dw and slots, got ${show(x)}; correct it`,
    )
  const units = x.storage.bytes / 64
  const { k, n } = matrixOf(shape, columnAxes)
  const kept = g.allocate('shared', 'without padding', shape, x.storage.bytes)
  g.call('keepColumns', slices(units), x, write(kept), k, n)
  const chunks = Math.ceil(units / normChunkUnits)
  const partials = g.allocate('shared', 'squared norms', [chunks], 8 * chunks)
  g.call('squaredNorm', slices(chunks), kept, write(partials), units, 0)
  return numberOf(g, 'norm', to => g.call('norm', each, partials, to, chunks))
}

function decayed(g: Graph, w: Value, rate: Value, decay: number): Value {
  if (decay === 0) return w
  const factor = scaled(g, rate, -decay, 1)
  return combine(g, 'multiply', w, filled(g, w, factor))
}

/** What is written to `target`: an array of its shape that no update of this step changes. */
function settled(g: Graph, where: string, name: string, found: unknown, target: Value): Value {
  const value = found as Value
  const isValue = typeof found === 'object' && found !== null && 'storage' in found
  if (isValue && isNumber(value)) return filled(g, target, value)
  if (!isValue || !value.panels || String(value.shape) !== String(target.shape)) {
    const got = isValue ? `[${value.shape}]` : show(found)
    throw new TypeError(
      `${where}: update must return ${name} in the shape [${target.shape}], got ${got}; make it of w, dw and slots`,
    )
  }
  return value.storage.placement === 'state' ? scaled(g, value, 1) : value
}

function record<D, S extends string>(
  g: Graph,
  where: string,
  definition: OptimizerDefinition<D, S>,
  config: D,
  one: RatedUpdate,
): void {
  const names = Object.keys(definition.slots ?? {}) as S[]
  const slots = Object.fromEntries(names.map((name, i) => [name, inPanels(one.slots[i]!)]))
  const inputs: UpdateInputs<S> = {
    w: decayed(g, inPanels(one.w), one.rate, one.decay),
    dw: inPanels(one.dw),
    slots: slots as Record<S, Value>,
    rate: one.rate,
    get step() {
      return numberOf(g, 'step number', to => g.call('stepNumber', each, g.cells.step, to))
    },
    correction: beta => {
      const pair = g.allocate('worker', 'correction', [1], 8)
      g.call('adamCorrection', each, write(pair), g.cells.step, beta, beta)
      return pair
    },
    norm: x => normOf(g, where, x, one.w.shape, one.columnAxes),
  }
  const targets: Readonly<Record<string, Value>> = { ...slots, w: inPanels(one.w) }
  const made = Object.entries(madeBy(where, definition.update(inputs, config), Object.keys(targets)))
  const { k, n } = matrixOf(one.w.shape, one.columnAxes)
  const cut = slices(one.w.storage.bytes / 64)
  for (const [name, found] of made) {
    const target = targets[name]!
    g.update('keepColumns', cut, settled(g, where, name, found, target), write(target), k, n)
  }
}

/** What `update` returned. @throws TypeError without a w, RangeError for names that are no slots */
function madeBy(where: string, made: unknown, names: readonly string[]): object {
  if (typeof made !== 'object' || made === null || !('w' in made))
    throw new TypeError(
      `${where}: update must return at least { w }, got ${show(made)}; return the new weight`,
    )
  for (const name of Object.keys(made)) {
    if (names.includes(name)) continue
    throw new RangeError(
      `${where}: update must return w and slots, got "${name}"; ${suggestion(name, names)}`,
    )
  }
  return made
}

/**
 * An optimizer of your own: `defaults` names its options, learningRate among them; `update` makes the new weight and
 * state arrays of the old ones and the gradient, averaged over the mini-batch, by elementwise ops. Schedules, clipping,
 * weight decay, factors and averages of the weights come with it. Gives what `ls.train` has.
 * @throws TypeError for something else
 */
export function defineOptimizer<D extends { learningRate: LearningRate }, S extends string = never>(
  className: string,
  defaults: D,
  definition: OptimizerDefinition<D, S>,
): (learningRate?: LearningRate | OwnOptions<D>) => Optimizer {
  if (typeof className !== 'string' || className === '')
    throw new TypeError(`defineOptimizer: className must be a word, got ${show(className)}; write 'MyRule'`)
  if (typeof definition?.update !== 'function')
    throw new TypeError(
      `defineOptimizer: update must be a function, got ${show(definition?.update)}; write ({ w, dw, rate }) => ({ w: … })`,
    )
  if (!('learningRate' in defaults) || 'w' in (definition.slots ?? {}))
    throw new RangeError(
      `defineOptimizer: defaults must have learningRate and no slot may be called w, got ${show(defaults)}; correct them`,
    )
  const slots = Object.entries<number>(definition.slots ?? {}).map(([name, initial]) => ({ name, initial }))
  return learningRate => {
    const given = optionsOf<OwnOptions<D>>(learningRate, {} as OwnOptions<D>) as Partial<D> & SharedOptions
    return build(className, defaults, given, config => {
      definition.check?.(className, config)
      return {
        slots,
        isOwn: true,
        decays: true,
        record: (g, _, one) => record(g, className, definition, config, one),
      }
    })
  }
}
