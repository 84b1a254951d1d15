import * as tf from '@tensorflow/tfjs'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import * as ls from '../src/index.ts'
import { accelerate } from '../src/tfjs/accelerate.ts'
import { noise, relativeError } from './bed.ts'
import { programs } from './programs/all.ts'
import type { Program, Shared } from './programs/shared.ts'

beforeAll(() => tf.setBackend('cpu'))

/** Gives a model the weights that it has in each of the three ways; biases begin equal anyway. */
function setWeights(library: Shared, model: tf.LayersModel): void {
  library.tidy(() => {
    const values = model.getWeights().map((weight, i) => {
      if (weight.rank < 2) return weight
      const bound = Math.sqrt(6 / (weight.size / weight.shape[0]! + weight.size / weight.shape.at(-1)!))
      const drawn = noise(weight.size, 50 + i).map(value => value * bound)
      return library.tensor(drawn, weight.shape)
    })
    model.setWeights(values)
  })
}

const ours = ls as unknown as Shared
const ways: Record<
  'alone' | 'accelerated' | 'imported',
  [Shared, <M extends tf.LayersModel>(model: M) => M]
> = {
  alone: [tf, model => model],
  accelerated: [tf, model => accelerate(model, { workers: 1, seed: 5 })],
  imported: [ours, model => model],
}

/** Losses of all steps, and the weights after them. */
async function run(program: Program, way: keyof typeof ways, epochs?: number) {
  const [library, take] = ways[way]
  const losses: number[] = []
  const model = await program(library, {
    prepare: made => {
      setWeights(library, made)
      return take(made)
    },
    callbacks: { onBatchEnd: (_, logs) => void losses.push(logs!.loss as number) },
    ...(epochs !== undefined && { epochs }),
  })
  const weights = library.tidy(() => model.getWeights().map(weight => Float32Array.from(weight.dataSync())))
  model.dispose()
  return { losses, weights }
}

test.each(Object.entries(programs))(
  '%s trains alike in all three ways',
  { timeout: 60_000 },
  async (_, program) => {
    const alone = await run(program, 'alone')
    expect(alone.losses).toHaveLength(10)
    expect(alone.losses.at(-1)).not.toBe(alone.losses[0])
    for (const way of ['accelerated', 'imported'] as const) {
      const { losses, weights } = await run(program, way)
      expect(losses, way).toHaveLength(10)
      losses.forEach((loss, i) => {
        expect(Math.abs(loss / alone.losses[i]! - 1), `${way}: step ${i}`).toBeLessThan(1e-4)
      })
      expect(weights.map(({ length }) => length)).toEqual(alone.weights.map(({ length }) => length))
      weights.forEach((found, i) => {
        expect(relativeError(found, alone.weights[i]!), `${way}: weight ${i}`).toBeLessThan(1e-4)
      })
    }
  },
)

/** Epochs that show what a program learns, and the part of the first loss that is left then. */
const lengths: Record<string, [epochs: number, left: number]> = {
  iris: [30, 0.8],
  boston: [8, 0.5],
  denseDigits: [3, 0.5],
  convolvedDigits: [2, 1],
  addition: [3, 0.95],
  characters: [2, 0.95],
  weather: [8, 0.9],
  // It takes many more to tell reviews apart.
  sentiment: [3, 1.05],
  shapes: [10, 0.9],
  variational: [5, 0.6],
}

describe('shuffled, and with dropout', () => {
  // TensorFlow.js draws from Math.random: the same in each run of this test.
  beforeEach(() => {
    ls.seed(1)
    let state = 1
    vi.spyOn(Math, 'random').mockImplementation(() => {
      state = (state * 48271) % 2147483647
      return state / 2147483647
    })
  })
  afterEach(() => void vi.restoreAllMocks())

  test.each(Object.entries(programs))(
    '%s learns as much in all three ways',
    { timeout: 60_000 },
    async (name, program) => {
      const [epochs, left] = lengths[name]!
      const rest: Partial<Record<keyof typeof ways, number>> = {}
      for (const way of ['alone', 'accelerated', 'imported'] as const) {
        const { losses } = await run(program, way, epochs)
        expect(losses.length, way).toBeGreaterThanOrEqual(5 * epochs)
        rest[way] = losses.slice(-10).reduce((sum, loss) => sum + loss, 0) / 10 / losses[0]!
      }
      for (const [way, part] of Object.entries(rest)) {
        expect(part, way).toBeLessThan(left)
        expect(Math.abs(part - rest.alone!), way).toBeLessThan(0.1)
      }
    },
  )
})
