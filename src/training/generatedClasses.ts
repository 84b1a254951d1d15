import { finiteNumber, inRange, nonNegativeInteger, positiveInteger, show, withDefaults } from '../errors.ts'
import { common, Draws, type GeneratedClasses, inOrder } from './draws.ts'

const defaults = {
  ...common,
  nFeatures: 20,
  /** Features that tell the classes apart. */
  nInformative: 2,
  /** Features that are sums of informative ones. */
  nRedundant: 2,
  /** Features that are copies of informative or redundant ones; all others are noise. */
  nRepeated: 0,
  nClasses: 2,
  nClustersPerClass: 2,
  /** Share of each class. */
  weights: null as readonly number[] | null,
  /** Share of samples whose class is drawn anew. */
  flipY: 0.01,
  /** Half the distance between neighbouring clusters. */
  classSep: 1,
  /** Whether clusters are at the corners of a hypercube, or of a polytope drawn. */
  hypercube: true,
  /** Added to all features. */
  shift: 0,
  /** All features are multiplied by it. */
  scale: 1,
}

/** So many different corners of a hypercube, each a list of 0 and 1. */
function corners(draws: Draws, count: number, axes: number): number[][] {
  const found = new Map<string, number[]>()
  while (found.size < count) {
    const corner = Array.from({ length: axes }, () => draws.below(2))
    found.set(corner.join(''), corner)
  }
  return [...found.values()]
}

/** Samples of each cluster: as the weights of their classes say; what rounding leaves over goes to the first ones. */
function sizesOf(nSamples: number, shares: readonly number[], clusters: number, perClass: number): number[] {
  const sizes = Array.from({ length: clusters }, (_, k) =>
    Math.floor((nSamples * shares[k % shares.length]!) / perClass),
  )
  let left = nSamples - sizes.reduce((sum, size) => sum + size, 0)
  for (let k = 0; left > 0; k = (k + 1) % clusters, left--) sizes[k]!++
  return sizes
}

const square = (draws: Draws, rows: number, columns: number) =>
  Array.from({ length: rows }, () => Array.from({ length: columns }, () => 2 * draws.uniform() - 1))

const times = (row: readonly number[], b: readonly (readonly number[])[], columns: number) =>
  Array.from({ length: columns }, (_, j) => row.reduce((sum, value, i) => sum + value * b[i]![j]!, 0))

function checked(where: string, options: Partial<typeof defaults> | undefined) {
  const given = withDefaults(where, defaults, options)
  for (const name of ['nSamples', 'nFeatures', 'nInformative', 'nClasses', 'nClustersPerClass'] as const)
    positiveInteger(where, name, given[name])
  for (const name of ['nRedundant', 'nRepeated'] as const) nonNegativeInteger(where, name, given[name])
  inRange(where, 'flipY', given.flipY, '[0, 1]')
  for (const name of ['classSep', 'shift', 'scale'] as const) finiteNumber(where, name, given[name])
  const { nFeatures, nInformative, nRedundant, nRepeated, nClasses, nClustersPerClass, weights } = given
  const used = nInformative + nRedundant + nRepeated
  if (used > nFeatures)
    throw new RangeError(
      `${where}: nInformative, nRedundant and nRepeated must together be at most nFeatures (${nFeatures}), got ${used}`,
    )
  const clusters = nClasses * nClustersPerClass
  if (clusters > 2 ** nInformative)
    throw new RangeError(
      `${where}: nClasses · nClustersPerClass must be at most 2^nInformative (${2 ** nInformative}), got ${clusters}`,
    )
  const shares = weights ?? new Array<number>(nClasses).fill(1 / nClasses)
  const sum = shares.reduce((all, share) => all + inRange(where, 'weights', share, '[0, 1]'), 0)
  if (shares.length !== nClasses || Math.abs(sum - 1) > 1e-9)
    throw new RangeError(
      `${where}: weights must be ${nClasses} shares that add up to 1, got ${show(weights)}`,
    )
  return { ...given, used, clusters, shares }
}

/**
 * Normally distributed clusters at the corners of a hypercube with sides 2 · classSep, each stretched and turned its own way;
 * features that are sums or copies of these, and noise: x (n, nFeatures), y (n). I. Guyon, Design of experiments of the NIPS
 * 2003 variable selection benchmark, as in scikit-learn; without shuffling, informative features come first, then
 * redundant, repeated and useless ones.
 * @throws RangeError for more features than there are, more clusters than corners, and weights that do not add up to 1
 */
export function makeClassification(options?: Partial<typeof defaults>): GeneratedClasses {
  const given = checked('makeClassification', options)
  const { nSamples, nFeatures, nInformative, nRedundant, nRepeated, nClasses, classSep } = given
  const draws = new Draws(given.seed)
  const factors = Array.from({ length: nInformative }, () => (given.hypercube ? 1 : draws.uniform()))
  const centers = corners(draws, given.clusters, nInformative).map(corner => {
    const stretch = given.hypercube ? 1 : draws.uniform()
    return corner.map((side, i) => (2 * side - 1) * classSep * stretch * factors[i]!)
  })
  const sums = square(draws, nInformative, nRedundant)
  const copies = Array.from({ length: nRepeated }, () => draws.below(nInformative + nRedundant))
  const sizes = sizesOf(nSamples, given.shares, given.clusters, given.nClustersPerClass)
  const order = draws.order(nFeatures, given.shuffle)
  const classes: number[] = []
  const rows = sizes.flatMap((size, k) => {
    const turn = square(draws, nInformative, nInformative)
    return Array.from({ length: size }, () => {
      const drawn = Array.from({ length: nInformative }, () => draws.normal())
      const informative = times(drawn, turn, nInformative).map((value, i) => value + centers[k]![i]!)
      const known = [...informative, ...times(informative, sums, nRedundant)]
      const useless = Array.from({ length: nFeatures - given.used }, () => draws.normal())
      const all = [...known, ...copies.map(i => known[i]!), ...useless]
      classes.push(draws.uniform() < given.flipY ? draws.below(nClasses) : k % nClasses)
      return order.map(i => given.scale * (all[i]! + given.shift))
    })
  })
  return inOrder(draws.order(nSamples, given.shuffle), rows, classes)
}
