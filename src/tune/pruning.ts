import { checkOptions, inRange, isPlainObject, oneOf, positiveInteger, show } from '../errors.ts'
import { type Bars, bestUntil, type Direction, isBetter, type TrialRecord } from './trial.ts'

/** Ends a trial whose best value so far is worse than the median of what earlier ones had at the same epoch. */
export interface MedianPruner {
  readonly kind: 'median'
  /** Earlier trials that must have come to an epoch. Default 5. */
  readonly startup?: number
  /** First epoch at which trials may end. Default 1. */
  readonly minEpochs?: number
}

/** At minEpochs · factor^k a trial goes on if it is among the best 1/factor of the trials that have come there. */
export interface HalvingPruner {
  readonly kind: 'halving'
  /** Epochs of a trial that is never pruned. */
  readonly maxEpochs: number
  /** Default 1. */
  readonly minEpochs?: number
  /** Default 3. */
  readonly factor?: number
}

/** Successive halving in several brackets, which begin to prune after 1, factor, factor², … times minEpochs. */
export interface HyperbandPruner extends Omit<HalvingPruner, 'kind'> {
  readonly kind: 'hyperband'
}

export type Pruner =
  | 'none'
  | 'median'
  | { readonly kind: 'none' }
  | MedianPruner
  | HalvingPruner
  | HyperbandPruner

/** A pruner with all that was left out; JSON of the study's file. */
export type FullPruner = Readonly<
  { kind: 'none' } | Required<MedianPruner> | Required<HalvingPruner> | Required<HyperbandPruner>
>

/** @throws TypeError or RangeError for wrong options */
export function fullPruner(pruner: unknown): FullPruner {
  const given = typeof pruner === 'string' ? { kind: pruner } : pruner
  if (!isPlainObject(given))
    throw new TypeError(`tune: pruner must be a name or { kind, … }, got ${show(pruner)}; write 'median'`)
  const kind = oneOf('tune', 'pruner', given.kind, ['none', 'median', 'halving', 'hyperband'])
  const where = `tune: pruner ${kind}`
  const count = (name: string, otherwise: number) => positiveInteger(where, name, given[name] ?? otherwise)
  if (kind === 'none') {
    checkOptions(where, given, ['kind'])
    return { kind }
  }
  if (kind === 'median') {
    checkOptions(where, given, ['kind', 'startup', 'minEpochs'])
    return { kind, startup: count('startup', 5), minEpochs: count('minEpochs', 1) }
  }
  checkOptions(where, given, ['kind', 'maxEpochs', 'minEpochs', 'factor'])
  if (given.maxEpochs === undefined)
    throw new TypeError(
      `${where}: maxEpochs must be given, got undefined; write { kind: '${kind}', maxEpochs: 27 }`,
    )
  const [maxEpochs, minEpochs] = [count('maxEpochs', 1), count('minEpochs', 1)]
  const factor = inRange(where, 'factor', given.factor ?? 3, '[2, 100]')
  if (minEpochs > maxEpochs)
    throw new RangeError(`${where}: minEpochs must be at most maxEpochs (${maxEpochs}), got ${minEpochs}`)
  return { kind, maxEpochs, minEpochs, factor }
}

/** Epochs at which halving compares: minEpochs · factor^k, whole, below maxEpochs. */
function rungsOf({ minEpochs, maxEpochs, factor }: Omit<Required<HalvingPruner>, 'kind'>): number[] {
  const rungs: number[] = []
  for (let epochs = minEpochs; Math.round(epochs) < maxEpochs; epochs *= factor)
    rungs.push(Math.round(epochs))
  return rungs
}

/**
 * The bracket of a trial: how many of the first rungs it passes freely. Of brackets 0 … s the one that begins with the
 * fewest epochs gets most trials: Hyperband's ⌈(s + 1) / (rungs left + 1) · factor^(rungs left)⌉ each round, whoever is
 * furthest behind first. The brackets follow from the number alone.
 */
function bracketOf(number: number, rungs: number, factor: number): number {
  const shares = Array.from({ length: rungs + 1 }, (_, skipped) =>
    Math.ceil(((rungs + 1) / (rungs - skipped + 1)) * factor ** (rungs - skipped) - 1e-9),
  )
  const total = shares.reduce((sum, share) => sum + share, 0)
  const given = shares.map(() => 0)
  let bracket = 0
  for (let n = 0; n <= number % total; n++) {
    const behind = shares.map((share, i) => (share * (n + 1)) / total - given[i]!)
    bracket = behind.indexOf(Math.max(...behind))
    given[bracket]!++
  }
  return bracket
}

/** What trials had that came to an epoch: their best value until then, the best first. */
function valuesAt(direction: Direction, trials: readonly TrialRecord[], epoch: number): number[] {
  return trials
    .filter(({ reports }) => (reports.at(-1)?.[0] ?? -1) >= epoch)
    .flatMap(({ reports }) => bestUntil(direction, reports, epoch) ?? [])
    .sort((a, b) => (isBetter(direction, a, b) ? -1 : isBetter(direction, b, a) ? 1 : 0))
}

function halvingBars(
  direction: Direction,
  rungs: readonly number[],
  factor: number,
  trials: readonly TrialRecord[],
): Bars {
  return rungs.flatMap(epoch => {
    const values = valuesAt(direction, trials, epoch)
    // Of the trials that have come here and this one.
    const staying = Math.max(1, Math.floor((values.length + 1) / factor))
    return values.length < staying ? [] : [[epoch, values[staying - 1]!] as const]
  })
}

function medianBars(
  direction: Direction,
  { startup, minEpochs }: Required<MedianPruner>,
  trials: readonly TrialRecord[],
): Bars {
  const epochs = [...new Set(trials.flatMap(({ reports }) => reports.map(([epoch]) => epoch)))]
  return epochs
    .filter(epoch => epoch >= minEpochs)
    .sort((a, b) => a - b)
    .flatMap(epoch => {
      const values = valuesAt(direction, trials, epoch)
      // Of two middle ones the worse.
      return values.length < startup ? [] : [[epoch, values[Math.floor(values.length / 2)]!] as const]
    })
}

/**
 * What trial `number` must reach to go on, from the trials that it may know. Successive halving is that of L. Li et al.
 * 2020, https://arxiv.org/abs/1810.05934, in the form that stops trials instead of pausing them; brackets are those of L.
 * Li et al. 2018, https://jmlr.org/papers/v18/16-558.html.
 */
export function barsFor(
  pruner: FullPruner,
  direction: Direction,
  number: number,
  trials: readonly TrialRecord[],
): Bars {
  if (pruner.kind === 'none') return []
  if (pruner.kind === 'median') return medianBars(direction, pruner, trials)
  const rungs = rungsOf(pruner)
  if (pruner.kind === 'halving') return halvingBars(direction, rungs, pruner.factor, trials)
  const bracket = bracketOf(number, rungs.length, pruner.factor)
  const same = trials.filter(each => bracketOf(each.number, rungs.length, pruner.factor) === bracket)
  return halvingBars(direction, rungs.slice(bracket), pruner.factor, same)
}
