import { type Choice, type Space, tune } from '../../src/tune/tune.ts'
import { compare, median } from './statistics.ts'

/** The best values of TPE and of Sobol' points for seeds 1, 2, …, and how often TPE's is smaller. */
export async function beaten(
  space: Space,
  value: (parameters: never) => number | Promise<number>,
  trials: number,
  seeds: number,
): Promise<ReturnType<typeof compare> & { medians: number[] }> {
  const best = async (sampler: 'tpe' | 'random', seed: number) => {
    const objective = (trial: { parameters: Readonly<Record<string, Choice | undefined>> }) =>
      value(trial.parameters as never)
    return (await tune<Space>(space, objective, { sampler, trials, seed })).best!.value!
  }
  const [tpe, random]: [number[], number[]] = [[], []]
  for (let seed = 1; seed <= seeds; seed++) {
    tpe.push(await best('tpe', seed))
    random.push(await best('random', seed))
  }
  return { ...compare(tpe, random), medians: [median(tpe), median(random)] }
}
