import { createHash } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { Engine } from '../src/runtime/engine.ts'
import { canRevectorize, type Tier } from '../src/runtime/tiers.ts'
import { cases, type Example } from './cases.ts'
import { SideBySide } from './reference/network.ts'

/** Each day a quarter of the cases runs on the narrow tier too. */
const parts = 4
const day = Number(process.env.LOCKSTEP_DAY ?? Math.floor(Date.now() / 86_400_000))
/** Examples of one run. */
const together = 64

const all = cases.filter(([name]) => name !== 'inputLayer').flatMap(([, list]) => list)
const tiers: readonly Tier[] = canRevectorize ? ['simd256', 'simd128'] : ['simd128']
const groups = Array.from({ length: parts }, (_, part) => {
  const own = all.filter((_, i) => i % parts === part)
  const count = Math.ceil(own.length / together)
  return Array.from({ length: count }, (_, i) => ({
    group: own.slice(i * together, (i + 1) * together),
    tiers: part === day % parts ? tiers : tiers.slice(0, 1),
  }))
}).flat()

const engines = new Map(tiers.map(tier => [tier, new Engine({ tier })]))
afterAll(async () => {
  for (const engine of engines.values()) await engine.close()
})

/** Of each example: its weights after a few steps, and what is predicted then. */
async function digests(
  network: SideBySide,
  initial: readonly ls.Tensor[],
  workers: number,
): Promise<string[]> {
  const { model } = network
  model.setWeights(initial)
  model.compile({ loss: 'meanSquaredError', optimizer: ls.train.adam(0.01), leaves: 2 })
  await model.fit(network.x(13), network.y(13), { batchSize: 5, epochs: 1, seed: 3, workers })
  const predicted = network.byBranch(await model.predictAsync(network.x(13), { batchSize: 5, workers }))
  return network.branches.map(({ weights }, i) => {
    const hash = createHash('sha256')
    for (const values of [...weights.map(weight => model.state.read(weight)), ...predicted[i]!])
      hash.update(values)
    return hash.digest('hex').slice(0, 16)
  })
}

test(`day ${day}: a quarter of ${all.length} cases runs on every tier`, () => {
  const count = groups
    .filter(each => each.tiers.length === tiers.length)
    .reduce((sum, { group }) => sum + group.length, 0)
  console.log(`LOCKSTEP_DAY=${day}: ${all.length} cases on ${tiers[0]}, ${count} on ${tiers.join(' and ')}`)
  expect(count).toBeGreaterThanOrEqual(Math.floor(all.length / parts))
})

test.each(groups.map(each => [each.group[0]!.title, each] as const))(
  'the same bits for any number of workers and either tier: %s and what follows',
  async (_, { group, tiers }: { group: readonly Example[]; tiers: readonly Tier[] }) => {
    let initial: readonly ls.Tensor[] | undefined
    let expected: string[] | undefined
    for (const tier of tiers) {
      for (const workers of [1, 2, 3, 8]) {
        const network = new SideBySide(group, { learning: true, engine: engines.get(tier)! })
        initial ??= network.model.getWeights()
        const found = await digests(network, initial, workers)
        expected ??= found
        const wrong = group.filter((_, i) => found[i] !== expected![i])
        expect(
          wrong.map(({ title }) => title),
          `${workers} workers, ${tier}`,
        ).toEqual([])
        network.model.dispose()
      }
    }
    expect(new Set(expected).size).toBe(group.length)
  },
  120_000,
)
