import { createHash } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { Engine } from '../src/runtime/engine.ts'
import { canRevectorize, type Tier } from '../src/runtime/tiers.ts'
import { cases, type Example } from './cases.ts'
import { SideBySide } from './reference/network.ts'

/** A quarter of the cases is proved each day. */
const parts = 4
const day = Number(process.env.LOCKSTEP_DAY ?? Math.floor(Date.now() / 86_400_000))
/** Examples of one run. */
const together = 64

const chosen = cases
  .filter(([name]) => name !== 'inputLayer')
  .flatMap(([, list]) => list)
  .filter((_, i) => i % parts === day % parts)
const groups = Array.from({ length: Math.ceil(chosen.length / together) }, (_, i) =>
  chosen.slice(i * together, (i + 1) * together),
)

const tiers: readonly Tier[] = canRevectorize ? ['simd128', 'simd256'] : ['simd128']
const engines = tiers.map(tier => [tier, new Engine({ tier })] as const)
afterAll(async () => {
  for (const [, engine] of engines) await engine.close()
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

test(`day ${day}: ${chosen.length} cases are chosen`, () => {
  console.log(`LOCKSTEP_DAY=${day}: ${chosen.length} cases, on ${tiers.join(' and ')}`)
  expect(chosen.length).toBeGreaterThan(250)
})

test.each(groups.map(group => [group[0]!.title, group] as const))(
  'the same bits for any number of workers and either tier: %s and what follows',
  async (_, group: readonly Example[]) => {
    let initial: readonly ls.Tensor[] | undefined
    let expected: string[] | undefined
    for (const [tier, engine] of engines) {
      for (const workers of [1, 2, 3, 8]) {
        const network = new SideBySide(group, { learning: true, engine })
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
