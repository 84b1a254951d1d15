import { inRange, show, suggestion, withDefaults } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { matrixOf } from '../graph/parameter.ts'
import { sizeOf, slices, update, type Value } from '../graph/value.ts'

/** Axes over which norms are taken: one, or several that follow one another. */
type Axis = number | readonly number[]

/** A condition that a weight meets after every update. */
export class Constraint {
  readonly className: string
  readonly config: Readonly<Record<string, unknown>>
  private readonly apply: (g: Graph, w: Value, columnAxes?: number) => void
  private readonly axis: Axis | undefined

  constructor(
    className: string,
    config: Readonly<Record<string, unknown>>,
    apply: (g: Graph, w: Value, columnAxes?: number) => void,
    axis?: Axis,
  ) {
    this.className = className
    this.config = config
    this.apply = apply
    this.axis = axis
  }

  /** @throws RangeError where a weight of this shape has no such axes */
  check(where: string, shape: readonly number[], columnAxes?: number): void {
    if (this.axis !== undefined) groupsOf(where, this.axis, shape, columnAxes)
  }

  /** Records the constraint on w, in place; its last `columnAxes` axes are the columns of its panels. */
  record(g: Graph, w: Value, columnAxes?: number): void {
    this.apply(g, w, columnAxes)
  }
}

/** How the rows of a weight, seen as a matrix, form groups of a common norm; `across`: all columns too. */
interface Groups {
  readonly length: number
  readonly inner: number
  readonly across: boolean
}

function groupsOf(where: string, axis: Axis, shape: readonly number[], columnAxes = 1): Groups {
  const rank = shape.length
  const axes = [axis].flat().map(a => (a < 0 ? a + rank : a))
  const sorted = axes.toSorted((a, b) => a - b)
  if (sorted.length === 0 || sorted.some((a, i) => !(a >= 0 && a < rank) || (i > 0 && a === sorted[i - 1])))
    throw new RangeError(
      `${where}: axis must be among the axes of shape ${show(shape)}, got ${show(axis)}; correct it`,
    )
  const last = rank - columnAxes
  const rows = sorted.filter(a => a < last)
  const columns = shape.map((_, a) => a).filter(a => a >= last && shape[a]! > 1)
  const across = columns.some(a => sorted.includes(a))
  if (across && !columns.every(a => sorted.includes(a))) {
    const form = `must hold all of ${show(columns)} or none`
    throw new RangeError(`${where}: axis ${form} for shape ${show(shape)}, got ${show(axis)}; correct it`)
  }
  const [first = last, end = first] = [rows[0], rows.at(-1)]
  if (rows.some((a, i) => a !== first + i)) {
    throw new RangeError(`${where}: axis must be axes that follow one another, got ${show(axis)}; correct it`)
  }
  const length = rows.length === 0 ? 1 : sizeOf(shape.slice(first, end + 1))
  const inner = rows.length === 0 ? 1 : sizeOf(shape.slice(end + 1, last))
  return { length, inner, across }
}

/** Scales groups so that their norms come to lie in [low, high], by `rate` of the way. */
function normConstraint(
  className: string,
  config: { axis: Axis },
  limits: [number, number, number],
): Constraint {
  const apply = (g: Graph, w: Value, columnAxes?: number) => {
    const { length, inner, across } = groupsOf(className, config.axis, w.shape, columnAxes)
    const { k, n } = matrixOf(w.shape, columnAxes)
    const panels = Math.ceil(n / 16)
    if (across) g.update('constrainRows', slices(k / length), update(w), k, length, inner, ...limits, panels)
    else g.update('constrainColumns', slices((panels * k) / length), update(w), k, length, inner, ...limits)
  }
  return new Constraint(className, config, apply, config.axis)
}

function checkAxis(where: string, axis: Axis): void {
  if ([axis].flat().every(Number.isInteger)) return
  throw new TypeError(`${where}: axis must be an integer or a list of them, got ${show(axis)}; try 0`)
}

/** @throws TypeError or RangeError for wrong options */
function maxNorm(options?: { maxValue?: number; axis?: Axis }): Constraint {
  const config = withDefaults('maxNorm', { maxValue: 2, axis: 0 as Axis }, options)
  inRange('maxNorm', 'maxValue', config.maxValue, '[0, Infinity)')
  checkAxis('maxNorm', config.axis)
  return normConstraint('MaxNorm', config, [0, config.maxValue, 1])
}

/** @throws TypeError or RangeError for wrong options */
function unitNorm(options?: { axis?: Axis }): Constraint {
  const config = withDefaults('unitNorm', { axis: 0 as Axis }, options)
  checkAxis('unitNorm', config.axis)
  return normConstraint('UnitNorm', config, [1, 1, 1])
}

/** @throws TypeError or RangeError for wrong options */
function minMaxNorm(options?: {
  minValue?: number
  maxValue?: number
  rate?: number
  axis?: Axis
}): Constraint {
  const defaults = { minValue: 0, maxValue: 1, rate: 1, axis: 0 as Axis }
  const config = withDefaults('minMaxNorm', defaults, options)
  inRange('minMaxNorm', 'minValue', config.minValue, '[0, Infinity)')
  inRange('minMaxNorm', 'maxValue', config.maxValue, `[${config.minValue}, Infinity)`)
  inRange('minMaxNorm', 'rate', config.rate, '[0, 1]')
  checkAxis('minMaxNorm', config.axis)
  return normConstraint('MinMaxNorm', config, [config.minValue, config.maxValue, config.rate])
}

/** @throws TypeError for an option */
function nonNeg(options?: object): Constraint {
  withDefaults('nonNeg', {}, options)
  return new Constraint('NonNeg', {}, (g, w) =>
    g.update('clampNegative', slices(w.storage.bytes / 64), update(w)),
  )
}

/**
 * Conditions on weights, met after every update: `kernelConstraint: ls.constraints.maxNorm({ maxValue: 3 })`.
 * Norms are Euclidean, over `axis` (0 by default: of a dense kernel's columns; [0, 1, 2] for a filter of
 * conv2d). Formulas of TensorFlow.js and Keras.
 */
export const constraints = {
  /** w·min(norm, maxValue) / (norm + 1e-7) */
  maxNorm,
  /** w / (norm + 1e-7) */
  unitNorm,
  /** max(w, 0) */
  nonNeg,
  /** w·(rate·(norm within [minValue, maxValue]) + (1 − rate)·norm) / (norm + 1e-7) */
  minMaxNorm,
}

export type ConstraintIdentifier =
  | keyof typeof constraints
  | Constraint
  | { className: string; config?: object | null }

/**
 * The constraint of a name ('nonNeg'), a constraint, or the saved form `{ className, config }`; null for none.
 * @throws TypeError for anything else, RangeError for an unknown name
 */
export function getConstraint(identifier: ConstraintIdentifier | null | undefined): Constraint | null {
  if (identifier === null || identifier === undefined) return null
  if (identifier instanceof Constraint) return identifier
  const className = typeof identifier === 'string' ? identifier : identifier.className
  if (typeof className !== 'string') {
    throw new TypeError(
      `getConstraint: a constraint must be a name or a constraint, got ${show(identifier)}; try 'nonNeg'`,
    )
  }
  const name = className.charAt(0).toLowerCase() + className.slice(1)
  if (!Object.hasOwn(constraints, name)) {
    throw new RangeError(
      `getConstraint: unknown constraint "${className}"; ${suggestion(className, Object.keys(constraints))}`,
    )
  }
  const config = typeof identifier === 'string' ? undefined : (identifier.config ?? undefined)
  return constraints[name as 'nonNeg'](config)
}
