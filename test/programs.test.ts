import * as tf from '@tensorflow/tfjs'
import { beforeAll, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { accelerate } from '../src/tfjs/accelerate.ts'
import { noise, relativeError } from './bed.ts'
import { addition } from './programs/addition.ts'
import { boston } from './programs/boston.ts'
import { characters } from './programs/characters.ts'
import { convolvedDigits, denseDigits } from './programs/digits.ts'
import { iris } from './programs/iris.ts'
import { sentiment } from './programs/sentiment.ts'
import { shapes } from './programs/shapes.ts'
import type { Options, Program, Shared } from './programs/shared.ts'
import { weather } from './programs/weather.ts'

beforeAll(() => tf.setBackend('cpu'))

const programs: Record<string, Program> = {
  iris,
  boston,
  denseDigits,
  convolvedDigits,
  addition,
  characters,
  weather,
  sentiment,
  shapes,
}

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
  accelerated: [tf, model => accelerate(model, { workers: 1 })],
  imported: [ours, model => model],
}

/** Losses of the first steps, and the weights after them. */
async function run(program: Program, way: keyof typeof ways) {
  const [library, take] = ways[way]
  const prepare: Options['prepare'] = model => {
    setWeights(library, model)
    return take(model)
  }
  const { losses, model } = await program(library, { prepare })
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
