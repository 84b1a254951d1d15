import { isTypedArray, type TypedArray } from '../data/nested.ts'
import { randomNumbers } from '../data/random.ts'
import { Tensor } from '../data/tensor.ts'
import { checkOptions, nonNegativeInteger, positiveInteger, show } from '../errors.ts'
import { derive } from './seeds.ts'
import type { Trial } from './trial.ts'

/** Row numbers, ascending. */
export interface Fold {
  readonly train: Int32Array
  readonly test: Int32Array
}

/** A value for each sample. */
export type Labels = Tensor | TypedArray | readonly (string | number | boolean)[]

export interface FoldOptions {
  /** Default 5. */
  folds?: number
  /** Which samples come together. Default 0. */
  seed?: number
  /** Every fold gets the same part of each class. */
  stratify?: Labels
  /** Samples of one group come into one fold. */
  groups?: Labels
}

function labelsOf(name: string, labels: Labels, samples: number): readonly unknown[] {
  const values = labels instanceof Tensor ? labels.dataSync() : labels
  const list: unknown = isTypedArray(values) ? [...values] : values
  if (!Array.isArray(list))
    throw new TypeError(`kFold: ${name} must be an array or a tensor, got ${show(labels)}`)
  if (list.length !== samples)
    throw new RangeError(
      `kFold: ${name} must have a value for each of ${samples} samples, got ${list.length}`,
    )
  return list
}

/** Samples that stay together, by their key. */
function gathered(keys: readonly unknown[]): Map<unknown, number[]> {
  const found = new Map<unknown, number[]>()
  for (const [i, key] of keys.entries()) {
    const members = found.get(key)
    if (members) members.push(i)
    else found.set(key, [i])
  }
  return found
}

/** In an order that follows from the seed (Fisher & Yates). */
function shuffled<T>(items: readonly T[], draw: () => number): T[] {
  const order = [...items]
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1))
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  return order
}

/** A fold for each sample: those of a class are dealt in turn, each class where the one before has ended. */
function dealt(classes: readonly unknown[], folds: number, draw: () => number): Int32Array {
  const foldOf = new Int32Array(classes.length)
  let next = 0
  for (const members of gathered(classes).values())
    for (const i of shuffled(members, draw)) foldOf[i] = next++ % folds
  return foldOf
}

/**
 * A fold for each sample: groups, the largest first, each go where Σ over classes of (its samples in the fold / all
 * its samples)² grows least.
 */
function placed(
  groups: readonly unknown[],
  classes: readonly unknown[],
  folds: number,
  draw: () => number,
): Int32Array {
  const sizes = new Map([...gathered(classes)].map(([key, members]) => [key, members.length]))
  const counts = Array.from({ length: folds }, () => new Map<unknown, number>())
  const foldOf = new Int32Array(groups.length)
  const order = shuffled([...gathered(groups).values()], draw).sort((a, b) => b.length - a.length)
  if (order.length < folds)
    throw new RangeError(`kFold: groups must be at least as many as folds (${folds}), got ${order.length}`)
  for (const members of order) {
    const parts = [...gathered(members.map(i => classes[i]))].map(([key, own]) => [key, own.length] as const)
    const growth = counts.map(count =>
      parts.reduce((sum, [key, own]) => {
        const before = count.get(key) ?? 0
        return sum + ((before + own) ** 2 - before ** 2) / sizes.get(key)! ** 2
      }, 0),
    )
    const fold = growth.indexOf(Math.min(...growth))
    for (const [key, own] of parts) counts[fold]!.set(key, (counts[fold]!.get(key) ?? 0) + own)
    for (const i of members) foldOf[i] = fold
  }
  return foldOf
}

/**
 * Splits samples 0 … n − 1 into folds: each sample is tested in one of them and trained on in all others.
 * @throws TypeError or RangeError for wrong options, for more folds than samples or groups
 */
export function kFold(samples: number, options: FoldOptions = {}): Fold[] {
  positiveInteger('kFold', 'samples', samples)
  checkOptions('kFold', options, ['folds', 'seed', 'stratify', 'groups'])
  const { folds = 5, seed = 0, stratify, groups } = options
  if (positiveInteger('kFold', 'folds', folds) < 2 || folds > samples)
    throw new RangeError(`kFold: folds must be in [2, ${samples}], the number of samples, got ${folds}`)
  const draw = randomNumbers(derive(nonNegativeInteger('kFold', 'seed', seed), 0))
  const classes = stratify ? labelsOf('stratify', stratify, samples) : new Array<number>(samples).fill(0)
  const foldOf = groups
    ? placed(labelsOf('groups', groups, samples), classes, folds, draw)
    : dealt(classes, folds, draw)
  const rows = Int32Array.from({ length: samples }, (_, i) => i)
  return Array.from({ length: folds }, (_, fold) => ({
    train: rows.filter(i => foldOf[i] !== fold),
    test: rows.filter(i => foldOf[i] === fold),
  }))
}

/** Some rows of a tensor, or elements of an array, in the order of the indices. */
export function takeRows(x: Tensor, indices: ArrayLike<number>): Tensor
export function takeRows<T>(x: ArrayLike<T>, indices: ArrayLike<number>): T[]
export function takeRows(x: Tensor | ArrayLike<unknown>, indices: ArrayLike<number>): unknown {
  const length = x instanceof Tensor ? (x.shape[0] ?? 0) : x.length
  const rows = Array.from(indices)
  const wrong = rows.find(i => !(Number.isInteger(i) && i >= 0 && i < length))
  if (wrong !== undefined)
    throw new RangeError(`takeRows: indices must be rows of ${length}, got ${show(wrong)}`)
  if (!(x instanceof Tensor)) return rows.map(i => x[i])
  const width = x.size / length
  const values = new (x.values.constructor as Float32ArrayConstructor)(rows.length * width)
  for (const [to, from] of rows.entries())
    values.set(x.values.subarray(from * width, (from + 1) * width), to * width)
  return new Tensor(values, [rows.length, ...x.shape.slice(1)], x.dtype, x.scale)
}

/**
 * The mean of an objective over folds, or over so many repetitions, each with a seed of its own. The mean so far is
 * reported after each, as epochs 1, 2, …, so that a pruner can end a trial after the first of them.
 */
export async function averaged<T>(
  trial: Pick<Trial, 'seed' | 'report'>,
  parts: number | readonly T[],
  run: (part: T, seed: number, index: number) => number | PromiseLike<number>,
): Promise<number> {
  const list = typeof parts === 'number' ? Array.from({ length: parts }, (_, i) => i as T) : parts
  if (list.length === 0) throw new RangeError(`averaged: parts must be at least one, got ${show(parts)}`)
  let sum = 0
  for (const [i, part] of list.entries()) {
    sum += await run(part, derive(trial.seed, i), i)
    if (trial.report(i + 1, sum / (i + 1))) return sum / (i + 1)
  }
  return sum / list.length
}
