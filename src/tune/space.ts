import { checkOptions, finiteNumber, isPlainObject, positiveInteger, show, suggestion } from '../errors.ts'
import { exp, log } from '../training/elementary.ts'

export type Choice = string | number | boolean | null

/** Values that parameters declared before must have for this one to be there. */
export type Condition = Readonly<Record<string, Choice | readonly Choice[]>>

/** A number in [low, high]: even, even in its logarithm (`log`), or one of low, low + step, … */
export interface FloatParameter {
  readonly float: readonly [low: number, high: number]
  readonly log?: boolean
  readonly step?: number
  readonly when?: Condition
}

/** An integer in [low, high], both included. */
export interface IntParameter {
  readonly int: readonly [low: number, high: number]
  readonly log?: boolean
  readonly step?: number
  readonly when?: Condition
}

/** One of a list, whose order means nothing. */
export interface ChoiceParameter {
  readonly choice: readonly Choice[]
  readonly when?: Condition
}

export type Parameter = FloatParameter | IntParameter | ChoiceParameter
export type Space = Readonly<Record<string, Parameter>>

type ValueOf<P> = P extends { choice: readonly (infer C)[] } ? C : number

/** What a trial gets: a value for each parameter; undefined where `when` leaves it out. */
export type ParametersOf<S extends Space> = {
  readonly [K in keyof S]: S[K] extends { when: object } ? ValueOf<S[K]> | undefined : ValueOf<S[K]>
}

/** Values by name; parameters that are left out have none. */
export type Values = Record<string, Choice>

/** A parameter as samplers see it: an interval [0, 1], cut into cells of equal length where values are few. */
export interface Dimension {
  readonly name: string
  readonly kind: 'float' | 'int' | 'choice'
  readonly log: boolean
  /** Number of its values; Infinity if it is continuous. */
  readonly count: number
  /** Of a number; of a choice the numbers of the first and the last. */
  readonly bounds: readonly [low: number, high: number]
  readonly choices: readonly Choice[]
  /** The value at u in [0, 1). */
  at(u: number): Choice
  /** The u of a value: the middle of its cell; undefined for what is no value of it. */
  unit(value: Choice): number | undefined
  /** Whether it is there, given the values of those before. */
  isActive(values: Readonly<Values>): boolean
}

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value))

/** u in [0, 1) to one of `count` cells, and back. */
const cellOf = (u: number, count: number) => clamp(Math.floor(u * count), 0, count - 1)
const middleOf = (cell: number, count: number) => (cell + 0.5) / count

type Scale = Pick<Dimension, 'count' | 'at' | 'unit'>

function stepped(low: number, high: number, step: number): Scale {
  // A ten-thousandth of a step: 0.1, 0.2, … do not add up exactly.
  const count = Math.floor((high - low) / step + 1e-4) + 1
  const cell = (value: number) => clamp(Math.round((value - low) / step), 0, count - 1)
  return {
    count,
    at: u => Math.min(high, low + step * cellOf(u, count)),
    unit: value => middleOf(cell(value as number), count),
  }
}

function continuous(low: number, high: number): Scale {
  return {
    count: Number.POSITIVE_INFINITY,
    at: u => clamp(low + u * (high - low), low, high),
    unit: value => ((value as number) - low) / (high - low),
  }
}

/** Even in the logarithm; integers are rounded, each having the part of it that rounds to it. */
function logarithmic(low: number, high: number, isInteger: boolean): Scale {
  const [from, to] = isInteger ? [log(low - 0.5), log(high + 0.5)] : [log(low), log(high)]
  const round = (value: number) => clamp(isInteger ? Math.round(value) : value, low, high)
  return {
    count: isInteger ? high - low + 1 : Number.POSITIVE_INFINITY,
    at: u => round(exp(from + u * (to - from))),
    unit: value => clamp((log(value as number) - from) / (to - from), 0, 1),
  }
}

function numeric(where: string, spec: FloatParameter | IntParameter): Omit<Dimension, 'name' | 'isActive'> {
  const kind = 'int' in spec ? 'int' : 'float'
  checkOptions(where, spec, [kind, 'log', 'step', 'when'])
  const range: unknown = 'int' in spec ? spec.int : spec.float
  if (!Array.isArray(range) || range.length !== 2)
    throw new TypeError(`${where}: ${kind} must be [low, high], got ${show(range)}; write ${kind}: [1, 8]`)
  const [low, high] = range.map((bound, i) => finiteNumber(where, i === 0 ? 'low' : 'high', bound)) as [
    number,
    number,
  ]
  if (low >= high)
    throw new RangeError(`${where}: low must be less than high, got [${low}, ${high}]; swap or widen them`)
  if (kind === 'int' && !(Number.isSafeInteger(low) && Number.isSafeInteger(high)))
    throw new RangeError(`${where}: bounds must be integers, got [${low}, ${high}]; use float`)
  if (spec.log !== undefined && typeof spec.log !== 'boolean')
    throw new TypeError(`${where}: log must be true or false, got ${show(spec.log)}`)
  if (spec.log && spec.step !== undefined)
    throw new TypeError(`${where}: step must not come with log, got ${show(spec.step)}; leave one out`)
  if (spec.log && low <= 0)
    throw new RangeError(`${where}: low must be greater than 0 for log, got ${low}; raise it`)
  if (spec.step !== undefined) {
    if (kind === 'int') positiveInteger(where, 'step', spec.step)
    if (!(finiteNumber(where, 'step', spec.step) > 0 && spec.step <= high - low))
      throw new RangeError(`${where}: step must be in (0, high − low], got ${spec.step}; lower it`)
  }
  const step = spec.step ?? (kind === 'int' ? 1 : undefined)
  const scale = spec.log
    ? logarithmic(low, high, kind === 'int')
    : step === undefined
      ? continuous(low, high)
      : stepped(low, high, step)
  return { kind, log: spec.log ?? false, bounds: [low, high], choices: [], ...scale }
}

const isChoice = (value: unknown): value is Choice =>
  value === null || ['string', 'boolean'].includes(typeof value) || Number.isFinite(value)

function listOf(where: string, name: string, value: unknown): readonly Choice[] {
  const list = Array.isArray(value) ? value : [value]
  for (const item of list)
    if (!isChoice(item))
      throw new TypeError(
        `${where}: ${name} must hold texts, finite numbers, true, false or null, got ${show(item)}; name it by a text`,
      )
  return list
}

function chosen(where: string, spec: ChoiceParameter): Omit<Dimension, 'name' | 'isActive'> {
  checkOptions(where, spec, ['choice', 'when'])
  if (!Array.isArray(spec.choice) || spec.choice.length === 0)
    throw new TypeError(`${where}: choice must be a list of values, got ${show(spec.choice)}`)
  const choices = [...listOf(where, 'choice', spec.choice)]
  const count = choices.length
  const double = choices.find((value, i) => choices.indexOf(value) !== i)
  if (double !== undefined)
    throw new RangeError(`${where}: choice must have different values, got ${show(double)} twice`)
  return {
    kind: 'choice',
    log: false,
    count,
    bounds: [0, count - 1],
    choices,
    at: u => choices[cellOf(u, count)]!,
    unit: value => (choices.includes(value) ? middleOf(choices.indexOf(value), count) : undefined),
  }
}

/** Checks a condition against the parameters before; gives what it asks for. */
function conditionOf(
  where: string,
  when: Condition | undefined,
  before: readonly Dimension[],
): Dimension['isActive'] {
  if (when === undefined) return () => true
  if (!isPlainObject(when) || Object.keys(when).length === 0)
    throw new TypeError(`${where}: when must be { parameter: value }, got ${show(when)}`)
  const asked = Object.entries(when).map(([name, given]) => {
    const parent = before.find(each => each.name === name)
    if (!parent) {
      const known = suggestion(
        name,
        before.map(each => each.name),
      )
      throw new RangeError(`${where}: when must name parameters declared before it, got "${name}"; ${known}`)
    }
    const values = listOf(where, `when.${name}`, given)
    for (const value of values) {
      const unit = parent.count === Number.POSITIVE_INFINITY ? undefined : parent.unit(value)
      if (unit !== undefined && parent.at(unit) === value) continue
      const fix =
        parent.kind === 'float' ? 'only int, choice and stepped float can be asked for' : 'correct it'
      throw new RangeError(`${where}: when.${name} must be a value of "${name}", got ${show(value)}; ${fix}`)
    }
    return [name, values] as const
  })
  return values => asked.every(([name, list]) => name in values && list.includes(values[name]!))
}

function dimensionOf(name: string, spec: unknown, before: readonly Dimension[]): Dimension {
  const where = `tune: space.${name}`
  const kinds = ['float', 'int', 'choice'].filter(kind => isPlainObject(spec) && kind in spec)
  if (kinds.length !== 1)
    throw new TypeError(
      `${where} must have one of float, int or choice, got ${show(spec)}; write { float: [low, high] }`,
    )
  const parameter = spec as Parameter
  const values = 'choice' in parameter ? chosen(where, parameter) : numeric(where, parameter)
  return { name, ...values, isActive: conditionOf(where, parameter.when, before) }
}

/**
 * The dimensions of a space, in its order.
 * @throws TypeError or RangeError naming the parameter that is wrong
 */
export function dimensionsOf(space: unknown): Dimension[] {
  if (!isPlainObject(space) || Object.keys(space).length === 0)
    throw new TypeError(`tune: space must be { name: parameter }, got ${show(space)}`)
  const dimensions: Dimension[] = []
  for (const [name, spec] of Object.entries(space)) {
    if (/^\d+$/.test(name) || name === '__proto__')
      throw new RangeError(`tune: space must have names that are no numbers, got "${name}"; rename it`)
    dimensions.push(dimensionOf(name, spec, dimensions))
  }
  return dimensions
}

/** The values at a point of the cube [0, 1)^d, without those that are left out. */
export function valuesAt(dimensions: readonly Dimension[], unit: (index: number) => number): Values {
  const values: Values = {}
  for (const [i, dimension] of dimensions.entries())
    if (dimension.isActive(values)) values[dimension.name] = dimension.at(unit(i))
  return values
}
