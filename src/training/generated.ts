import { Tensor } from '../data/tensor.ts'
import { finiteNumber, inRange, nonNegativeInteger, positiveInteger, show, withDefaults } from '../errors.ts'
import { common, Draws, type GeneratedClasses, inOrder, matrix, shared } from './draws.ts'
import { cos, sin } from './elementary.ts'

// Data that is drawn: names, options, defaults and formulas of scikit-learn 1.x, whose random numbers are others. The same
// seed gives the same bits in every JavaScript engine.

const withNoise = (draws: Draws, rows: readonly number[][], noise: number): number[][] =>
  noise > 0 ? rows.map(row => row.map(value => value + noise * draws.normal())) : [...rows]

const evenly = (i: number, count: number) => (count > 1 ? i / (count - 1) : 0)

const moonsDefaults = { ...common, /** Deviation of what is added to each number. */ noise: 0 }

/** Two half circles that reach into each other: x (n, 2), y 0 for the upper and 1 for the lower one. */
export function makeMoons(options?: Partial<typeof moonsDefaults>): GeneratedClasses {
  const { nSamples, shuffle, seed, noise } = withDefaults('makeMoons', moonsDefaults, options)
  positiveInteger('makeMoons', 'nSamples', nSamples)
  inRange('makeMoons', 'noise', noise, '[0, Infinity)')
  const draws = new Draws(seed)
  const upper = Math.floor(nSamples / 2)
  const classes = Array.from({ length: nSamples }, (_, i) => (i < upper ? 0 : 1))
  const rows = classes.map((lower, i) => {
    const angle = Math.PI * evenly(lower ? i - upper : i, lower ? nSamples - upper : upper)
    return lower ? [1 - cos(angle), 0.5 - sin(angle)] : [cos(angle), sin(angle)]
  })
  const order = draws.order(nSamples, shuffle)
  return inOrder(order, withNoise(draws, rows, noise), classes)
}

const spiralsDefaults = {
  ...common,
  nClasses: 2,
  /** How often each goes round. */
  turns: 1.5,
  /** Deviation of what is added to each number. */
  noise: 0,
}

/** Spirals within the unit circle, one for each class, all turned by the same angle: x (n, 2). Not in scikit-learn. */
export function makeSpirals(options?: Partial<typeof spiralsDefaults>): GeneratedClasses {
  const { nSamples, shuffle, seed, nClasses, turns, noise } = withDefaults(
    'makeSpirals',
    spiralsDefaults,
    options,
  )
  positiveInteger('makeSpirals', 'nSamples', nSamples)
  positiveInteger('makeSpirals', 'nClasses', nClasses)
  inRange('makeSpirals', 'turns', turns, '(0, Infinity)')
  inRange('makeSpirals', 'noise', noise, '[0, Infinity)')
  const draws = new Draws(seed)
  const sizes = shared(nSamples, nClasses)
  const classes = sizes.flatMap((size, k) => new Array<number>(size).fill(k))
  const rows = sizes.flatMap((size, k) =>
    Array.from({ length: size }, (_, i) => {
      const radius = (i + 1) / size
      const angle = 2 * Math.PI * (turns * radius + k / nClasses)
      return [radius * cos(angle), radius * sin(angle)]
    }),
  )
  const order = draws.order(nSamples, shuffle)
  return inOrder(order, withNoise(draws, rows, noise), classes)
}

const blobsDefaults = {
  ...common,
  nFeatures: 2,
  /** How many, or where they are; 3 unless given. */
  centers: null as number | readonly (readonly number[])[] | null,
  /** Deviation, of all or of each. */
  clusterStd: 1 as number | readonly number[],
  /** Where centers are drawn. */
  centerBox: [-10, 10] as readonly [number, number],
}

/** Normally distributed clouds, one a class: x (n, nFeatures), and where their centers are (classes, nFeatures). */
export function makeBlobs(options?: Partial<typeof blobsDefaults>): GeneratedClasses & { centers: Tensor } {
  const where = 'makeBlobs'
  const { nSamples, shuffle, seed, nFeatures, centers, clusterStd, centerBox } = withDefaults(
    where,
    blobsDefaults,
    options,
  )
  positiveInteger(where, 'nSamples', nSamples)
  const draws = new Draws(seed)
  const [low, high] = centerBox
  if (!(low <= high)) throw new RangeError(`${where}: centerBox must be lowest first, got ${show(centerBox)}`)
  const drawn = () => {
    const count = positiveInteger(where, 'centers', centers ?? 3)
    const width = positiveInteger(where, 'nFeatures', nFeatures)
    return Array.from({ length: count }, () =>
      Array.from({ length: width }, () => low + (high - low) * draws.uniform()),
    )
  }
  const places = Array.isArray(centers) ? (centers as number[][]) : drawn()
  const width = places[0]?.length ?? 0
  for (const place of places) for (const value of place) finiteNumber(where, 'centers', value)
  if (width === 0 || places.some(place => place.length !== width))
    throw new RangeError(`${where}: centers must be lists of numbers of one length, got ${show(centers)}`)
  const deviations = typeof clusterStd === 'number' ? places.map(() => clusterStd) : clusterStd
  if (deviations.length !== places.length)
    throw new RangeError(
      `${where}: clusterStd must be one number, or ${places.length}, got ${show(clusterStd)}`,
    )
  for (const deviation of deviations) inRange(where, 'clusterStd', deviation, '[0, Infinity)')
  const classes = shared(nSamples, places.length).flatMap((size, k) => new Array<number>(size).fill(k))
  const rows = classes.map(k => places[k]!.map(value => value + deviations[k]! * draws.normal()))
  return { ...inOrder(draws.order(nSamples, shuffle), rows, classes), centers: matrix(places, width) }
}

const regressionDefaults = {
  ...common,
  nFeatures: 100,
  /** Features that the targets depend on. */
  nInformative: 10,
  nTargets: 1,
  bias: 0,
  /** Deviation of what is added to the targets. */
  noise: 0,
}

/**
 * y = x · coef + bias + noise, x normally distributed: x (n, nFeatures), y (n) or (n, nTargets), coef (nFeatures, nTargets)
 * between 0 and 100 in nInformative rows, 0 in the others.
 */
export function makeRegression(options?: Partial<typeof regressionDefaults>): {
  x: Tensor
  y: Tensor
  coef: Tensor
} {
  const where = 'makeRegression'
  const given = withDefaults(where, regressionDefaults, options)
  const { nSamples, shuffle, seed, nFeatures, nTargets, bias, noise } = given
  for (const name of ['nSamples', 'nFeatures', 'nTargets'] as const) positiveInteger(where, name, given[name])
  const nInformative = Math.min(nFeatures, nonNegativeInteger(where, 'nInformative', given.nInformative))
  finiteNumber(where, 'bias', bias)
  inRange(where, 'noise', noise, '[0, Infinity)')
  const draws = new Draws(seed)
  const places = draws.order(nFeatures, shuffle)
  const coef = Array.from({ length: nFeatures }, () => new Array<number>(nTargets).fill(0))
  for (const place of places.slice(0, nInformative))
    coef[place] = coef[place]!.map(() => 100 * draws.uniform())
  const rows = Array.from({ length: nSamples }, () =>
    Array.from({ length: nFeatures }, () => Math.fround(draws.normal())),
  )
  const y = rows.flatMap(row =>
    Array.from({ length: nTargets }, (_, t) => {
      const sum = row.reduce((all, value, f) => all + value * coef[f]![t]!, bias)
      return noise > 0 ? sum + noise * draws.normal() : sum
    }),
  )
  return {
    x: matrix(rows, nFeatures),
    y: new Tensor(Float32Array.from(y), nTargets === 1 ? [nSamples] : [nSamples, nTargets], 'float32'),
    coef: matrix(coef, nTargets),
  }
}
