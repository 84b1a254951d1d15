import { type Objective, type Pruner, type Space, tune } from '../../src/tune/tune.ts'
import { noise } from '../bed.ts'

export const maxEpochs = 27

const space = {
  rate: { float: [1e-4, 1], log: true },
  width: { int: [8, 512], log: true },
  dropout: { float: [0, 0.8] },
} as const

/**
 * A loss that falls towards what the parameters can reach: slowly where that is best, so that curves cross; with noise
 * of 0.01 in each epoch.
 */
function curve(
  { rate, width, dropout }: { rate: number; width: number; dropout: number },
  seed: number,
): number[] {
  const floor =
    0.1 + 0.05 * Math.log10(rate / 0.01) ** 2 + 0.02 * Math.log2(width / 128) ** 2 + (dropout - 0.3) ** 2
  const speed = 0.15 + 0.1 * Math.log10(rate / 1e-4) * (1 - dropout / 2)
  const shake = noise(maxEpochs, seed)
  return Array.from({ length: maxEpochs }, (_, i) => floor + 2 * Math.exp(-speed * (i + 1)) + shake[i]! / 100)
}

/** Each trial that came to its end: its best value, and how many epochs the search had taken by then. */
export type Course = readonly (readonly [value: number, epochs: number])[]

/** A search in which each epoch is reported. */
export async function courseOf<S extends Space>(
  of: S,
  losses: (trial: Parameters<Objective<S>>[0]) => readonly number[] | Promise<readonly number[]>,
  pruner: Pruner,
  trials: number,
  seed: number,
): Promise<Course> {
  let epochs = 0
  const course: [number, number][] = []
  const objective: Objective<S> = async trial => {
    let best = Number.POSITIVE_INFINITY
    for (const [i, loss] of (await losses(trial)).entries()) {
      epochs++
      best = Math.min(best, loss)
      if (trial.report(i + 1, loss)) return best
    }
    course.push([best, epochs])
    return best
  }
  await tune<S>(of, objective, { sampler: 'random', pruner, trials, seed })
  return course
}

/** The best value within so many epochs. */
export const bestWithin = (course: Course, epochs: number): number =>
  Math.min(...course.filter(([, at]) => at <= epochs).map(([value]) => value))

/** `trials` in full, and Hyperband over as many as it takes. */
export async function onCurves(trials: number, seed: number): Promise<{ full: Course; pruned: Course }> {
  const losses = (trial: Parameters<Objective<typeof space>>[0]) => curve(trial.parameters, trial.seed)
  const full = await courseOf(space, losses, 'none', trials, seed)
  const pruned = await courseOf(space, losses, { kind: 'hyperband', maxEpochs }, 3 * trials, seed)
  return { full, pruned }
}
