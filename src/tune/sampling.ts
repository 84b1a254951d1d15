import { randomNumbers } from '../data/random.ts'
import { checkOptions, inRange, isPlainObject, oneOf, positiveInteger, show } from '../errors.ts'
import { Parzen, pointOf } from './parzen.ts'
import { derive } from './seeds.ts'
import { sobolBits, sobolDimensions } from './sobol.ts'
import { type Dimension, type Values, valuesAt } from './space.ts'
import { type Direction, isBetter, type TrialRecord } from './trial.ts'

/** Every combination: all values of choices and integers, `points` of a range that has more. */
export interface GridSampler {
  readonly kind: 'grid'
  /** Values of a range; evenly spaced, logarithmically with `log`, its ends included. Default 5. */
  readonly points?: number
}

/** Tree-structured Parzen estimator: where good trials are dense and the others are not. */
export interface TpeSampler {
  readonly kind: 'tpe'
  /** Trials at Sobol' points before the first one that is learned. Default 10. */
  readonly startup?: number
  /** Points drawn for each proposal, of which the most promising is taken. Default 24. */
  readonly candidates?: number
  /** Part of the trials that counts as good, in (0, 1). Default 0.1. */
  readonly good?: number
}

export type Sampler = 'grid' | 'random' | 'tpe' | { readonly kind: 'random' } | GridSampler | TpeSampler

/** A sampler with all that was left out; JSON of the study's file. */
export type FullSampler = Readonly<{ kind: 'random' } | Required<GridSampler> | Required<TpeSampler>>

/** @throws TypeError or RangeError for wrong options */
export function fullSampler(sampler: unknown): FullSampler {
  const given = typeof sampler === 'string' ? { kind: sampler } : sampler
  if (!isPlainObject(given))
    throw new TypeError(`tune: sampler must be a name or { kind, … }, got ${show(sampler)}; write 'tpe'`)
  const kind = oneOf('tune', 'sampler', given.kind, ['grid', 'random', 'tpe'])
  const where = `tune: sampler ${kind}`
  const count = (name: string, otherwise: number) => positiveInteger(where, name, given[name] ?? otherwise)
  if (kind === 'random') {
    checkOptions(where, given, ['kind'])
    return { kind }
  }
  if (kind === 'grid') {
    checkOptions(where, given, ['kind', 'points'])
    return { kind, points: count('points', 5) }
  }
  checkOptions(where, given, ['kind', 'startup', 'candidates', 'good'])
  const good = inRange(where, 'good', given.good ?? 0.1, '(0, 1)')
  return { kind, startup: count('startup', 10), candidates: count('candidates', 24), good }
}

/**
 * Proposal `number`, from the trials that it may know; undefined where there is none, after the last point of a grid.
 */
export type Propose = (number: number, known: readonly TrialRecord[]) => Values | undefined

/** Most points of a grid. */
const largestGrid = 100_000

/** The points of a grid, the last parameter changing first. */
function gridPoints(dimensions: readonly Dimension[], points: number): Values[] {
  let grid: Values[] = [{}]
  for (const dimension of dimensions) {
    const { count, kind, name } = dimension
    const isWhole = kind === 'choice' || count <= points
    const length = isWhole ? count : points
    const at = (i: number) => (isWhole ? (i + 0.5) / count : length === 1 ? 0.5 : i / (length - 1))
    const values = Array.from({ length }, (_, i) => dimension.at(at(i)))
    grid = grid.flatMap(point =>
      dimension.isActive(point) ? values.map(value => ({ ...point, [name]: value })) : [point],
    )
    if (grid.length > largestGrid)
      throw new RangeError(
        `tune: the grid must have at most ${largestGrid} points, got more at space.${name}; lower points, or use sampler 'tpe'`,
      )
  }
  return grid
}

/**
 * Sobol' points, shifted by an exclusive or with bits that follow from the seed, which keeps their evenness; even
 * random numbers in the dimensions for which there are no direction numbers (from the 21st on).
 */
function sobolValues(dimensions: readonly Dimension[], seed: number, number: number): Values {
  return valuesAt(dimensions, d => {
    const shift = derive(seed, d)
    const bits = d < sobolDimensions ? (sobolBits(number, d) ^ shift) >>> 0 : derive(shift, number)
    return bits / 2 ** 32
  })
}

/** Complete trials by their value, then pruned ones by how far they came, then failed ones. */
function ranked(direction: Direction, trials: readonly TrialRecord[]): TrialRecord[] {
  const tier = { complete: 0, pruned: 1, failed: 2 }
  const last = ({ state, reports }: TrialRecord) => (state === 'pruned' ? (reports.at(-1)?.[0] ?? 0) : 0)
  const byValue = ({ value: a }: TrialRecord, { value: b }: TrialRecord) => {
    if (a === undefined || b === undefined || a === b) return 0
    return isBetter(direction, a, b) ? -1 : 1
  }
  return trials.toSorted(
    (a, b) => tier[a.state] - tier[b.state] || last(b) - last(a) || byValue(a, b) || a.number - b.number,
  )
}

/** Most trials that count as good. */
const mostGood = 25

/** Draws points where good trials are dense; takes the one of the highest ratio of both densities. */
function parzenValues(
  dimensions: readonly Dimension[],
  { candidates, good }: Required<TpeSampler>,
  direction: Direction,
  known: readonly TrialRecord[],
  draw: () => number,
): Values {
  const points = ranked(direction, known).map(({ parameters }) => pointOf(dimensions, parameters))
  const split = Math.min(Math.ceil(good * points.length), mostGood)
  const dense = new Parzen(dimensions, points.slice(0, split))
  const others = new Parzen(dimensions, points.slice(split))
  let best: Values = {}
  let highest = -1
  for (let i = 0; i < candidates; i++) {
    const values = dense.draw(draw)
    const point = pointOf(dimensions, values)
    const ratio = dense.at(point) / others.at(point)
    if (ratio <= highest) continue
    highest = ratio
    best = values
  }
  return best
}

export interface Proposer {
  readonly propose: Propose
  /** How many proposals there are. */
  readonly size: number
}

/** Proposals that follow from the seed, the number and the known trials alone. */
export function proposerOf(
  sampler: FullSampler,
  dimensions: readonly Dimension[],
  direction: Direction,
  seed: number,
): Proposer {
  if (sampler.kind === 'grid') {
    const grid = gridPoints(dimensions, sampler.points)
    return { propose: number => grid[number], size: grid.length }
  }
  const random = (number: number) => sobolValues(dimensions, derive(seed, 0), number)
  if (sampler.kind === 'random') return { propose: random, size: Number.POSITIVE_INFINITY }
  const drawsOf = (number: number) => randomNumbers(derive(derive(seed, 1), number))
  return {
    propose: (number, known) =>
      number < sampler.startup || known.length === 0
        ? random(number)
        : parzenValues(dimensions, sampler, direction, known, drawsOf(number)),
    size: Number.POSITIVE_INFINITY,
  }
}
