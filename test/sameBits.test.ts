import { createHash } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { Engine } from '../src/runtime/engine.ts'
import { canRevectorize } from '../src/runtime/tiers.ts'
import { type Case, trainCase } from './steps.ts'

const hashOf = (values: Float32Array): string =>
  createHash('sha256').update(values).digest('hex').slice(0, 16)
const engines = new Map<string, Engine>()
const engineOf = (tier: 'simd128' | 'simd256'): Engine => {
  if (!engines.has(tier)) engines.set(tier, new Engine({ tier }))
  return engines.get(tier)!
}
afterAll(async () => {
  for (const engine of engines.values()) await engine.close()
})

const base = { batchSize: 32, samples: 83 }
const cases: (Case & { label: string })[] = [
  {
    label: 'softmax, adam',
    sizes: [13, 37, 20, 10],
    loss: 'sparseCategoricalCrossentropy',
    optimizer: 'adam',
    leaves: 1,
    ...base,
  },
  {
    label: '4 leaves',
    sizes: [13, 37, 20, 10],
    loss: 'sparseCategoricalCrossentropy',
    optimizer: 'adam',
    leaves: 4,
    ...base,
  },
  {
    label: '3 leaves',
    sizes: [20, 16, 3],
    loss: 'meanSquaredError',
    optimizer: 'rmsprop',
    leaves: 3,
    ...base,
  },
  { label: 'one feature', sizes: [1, 1], loss: 'meanSquaredError', optimizer: 'sgd', leaves: 1, ...base },
  {
    label: 'dropout',
    sizes: [13, 37, 20, 10],
    loss: 'sparseCategoricalCrossentropy',
    optimizer: 'adam',
    leaves: 1,
    dropout: 0.3,
    ...base,
  },
  {
    label: 'clipped',
    sizes: [9, 33, 5],
    loss: 'huber',
    optimizer: 'adamw',
    leaves: 2,
    clip: { globalClipNorm: 0.1 },
    ...base,
  },
]

for (const { label, ...c } of cases) {
  test(`the same bits for any number of workers and either tier: ${label}`, async () => {
    const tiers = canRevectorize ? (['simd256', 'simd128'] as const) : (['simd128'] as const)
    const hashes = new Set<string>()
    for (const tier of tiers) {
      for (const workers of [1, 2, 3, 5, 8]) {
        const { state, loss } = await trainCase(engineOf(tier), c, workers)
        expect(state.every(Number.isFinite)).toBe(true)
        hashes.add(`${hashOf(state)} ${loss}`)
      }
    }
    expect(hashes.size).toBe(1)
  })
}

test('another learning history gives other bits (the hash can tell)', async () => {
  const c = cases[0]!
  const one = await trainCase(engineOf('simd128'), c, 1, 1)
  const two = await trainCase(engineOf('simd128'), c, 1, 2)
  expect(hashOf(one.state)).not.toBe(hashOf(two.state))
})
