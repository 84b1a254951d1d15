import { bestWithin, courseOf, maxEpochs } from './curves.ts'
import { lossesOf, networks, readTable, type Table } from './tables.ts'

/**
 * The best loss of `trials` networks trained in full; the best that Hyperband reaches in half of those epochs, and in
 * which part of them it reaches that of the full ones (Infinity where it does not): the same networks, then others.
 */
export async function onTable(
  table: Table,
  trials: number,
  seed: number,
): Promise<{ score: number; within: number; share: number }> {
  const data = await readTable(table)
  // Training is the same to the bit each time: the courses of loss are kept.
  const kept = new Map<number, Promise<number[]>>()
  const losses = ({ seed, parameters }: { seed: number; parameters: Parameters<typeof lossesOf>[1] }) => {
    const course = kept.get(seed) ?? lossesOf(data, parameters, seed)
    kept.set(seed, course)
    return course
  }
  const full = await courseOf(networks, losses, 'none', trials, seed)
  const pruner = { kind: 'hyperband', maxEpochs } as const
  const pruned = await courseOf(networks, losses, pruner, 2 * trials, seed)
  const budget = trials * maxEpochs
  const score = bestWithin(full, budget)
  // As good as the same: a hundredth of what telling nothing costs.
  const reached = pruned.find(([loss]) => loss <= score + 0.005)
  return {
    score,
    within: bestWithin(pruned, budget / 2),
    share: (reached?.[1] ?? Number.POSITIVE_INFINITY) / budget,
  }
}
