import { createHash } from 'node:crypto'
import * as tf from '@tensorflow/tfjs'
import { afterAll, describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { Engine } from '../src/runtime/engine.ts'
import { canRevectorize, type Tier } from '../src/runtime/tiers.ts'
import { noise } from './bed.ts'
import { type Example, examples, masked } from './cases.ts'
import { caught } from './caught.ts'
import { withFolder } from './checkpoints/folder.ts'
import { chain, gpt, type Making, networks } from './recomputing.ts'
import { drawOf, setupOf } from './reference/draw.ts'
import { measure } from './reference/measure.ts'
import { close, predictionsOf, readByTheirs } from './reference/tfjs.ts'

const tiers: readonly Tier[] = canRevectorize ? ['simd256', 'simd128'] : ['simd128']
const engines = tiers.map(tier => new Engine({ tier }))
afterAll(async () => {
  for (const engine of engines) await engine.close()
})

/** Whole numbers that embeddings take for tokens, and others for features. */
function samplesOf({ inputShapes, outputShapes }: ls.Model, count: number): [ls.Tensor, ls.Tensor] {
  const [shape, outputShape] = [inputShapes[0] as number[], outputShapes[0] as number[]]
  const size = (sample: readonly number[]) => sample.reduce((product, n) => product * n, count)
  const x = noise(size(shape), 5).map(value => Math.floor(4 * (value + 1)))
  const steps = outputShape.slice(0, -1)
  const y = noise(size(steps), 6).map(value => Math.floor(1.5 * (value + 1)))
  return [ls.tensor(x, [count, ...shape]), ls.tensor(y, [count, ...steps, 1])]
}

interface Way {
  readonly recompute: boolean
  readonly workers?: number
  readonly leaves?: number
  readonly accumulate?: boolean
  readonly engine?: Engine
}

/** The loss of each epoch, what is predicted at the end, and a hash of all weights, moving statistics among them. */
async function train(make: Making, { recompute, engine = engines[0]!, leaves = 1, ...way }: Way) {
  const model = make(recompute, engine)
  model.compile({ optimizer: ls.train.adam(0.01), loss: 'sparseCategoricalCrossentropy', leaves })
  const [x, y] = samplesOf(model, 24)
  const { history } = await model.fit(x, y, { batchSize: 8, epochs: 2, seed: 3, ...way })
  const hash = createHash('sha256')
  for (const weight of model.getWeights()) hash.update(new Uint8Array(weight.dataSync().slice().buffer))
  const predicted = (model.predict(x) as ls.Tensor).dataSync() as Float32Array
  const { loss } = history
  model.dispose()
  return { loss, predicted: predicted.reduce((sum, value) => sum + value), bits: hash.digest('hex') }
}

describe('the same bits as without, for any number of workers and either tier', () => {
  test.each(Object.entries(networks))('%s', async (_, make) => {
    const expected = await train(make, { recompute: false })
    expect(expected.loss!.every(Number.isFinite)).toBe(true)
    for (const engine of engines)
      for (const workers of engine === engines[0] ? [1, 2, 3, 8] : [2])
        expect(await train(make, { recompute: true, workers, engine })).toEqual(expected)
  })

  const inTurns = Object.entries(networks).filter(([name]) => !/batchNormalization|stateful/.test(name))
  test.each(inTurns)('with leaves, all at once and one after the other: %s', async (_, make) => {
    const expected = await train(make, { recompute: false, leaves: 4 })
    for (const [workers, accumulate] of [
      [2, false],
      [3, true],
    ] as const)
      expect(await train(make, { recompute: true, leaves: 4, workers, accumulate })).toEqual(expected)
  })
})

describe('every layer', () => {
  const bytes = (values: Float32Array) => Buffer.from(values.buffer).toString('base64')
  const all = [...Object.entries(examples), ...Object.entries(masked)]
  test.each(all)('%s', (_, list: readonly Example[]) => {
    for (const example of list) {
      const { layers, ...setup } = setupOf(example)
      // What the layer puts out is needed within the block, not behind it.
      const stack = { ...setup, layers: [...layers, ls.layers.activation({ activation: 'tanh' })], leaves: 2 }
      const inputs = drawOf(example, stack)(1)
      const [kept, again] = [false, true].map(recompute => {
        const { y, losses, dx, gradients, after } = measure({ ...stack, recompute }, inputs)
        return [y, losses, dx, ...Object.values(gradients), ...Object.values(after)].map(bytes)
      })
      expect(again, example.title).toEqual(kept)
    }
  })
})

/** What a mini-batch of a model takes. */
function activationsOf(model: ls.Model, most: number): number {
  const batchSize = model.batchSize ?? most
  model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' })
  const [x, y] = samplesOf(model, batchSize)
  const { activations } = model.planMemory(x, y, { batchSize, workers: 2 })
  model.dispose()
  return activations
}

describe('memory', () => {
  test('of a GPT with six blocks falls to less than a third', () => {
    const sizes = { blocks: 6, width: 64, context: 32 }
    const [kept, again] = [false, true].map(recompute => activationsOf(gpt(recompute, undefined, sizes), 16))
    expect(again).toBeLessThan(kept! / 3)
    expect(again).toBeGreaterThan(kept! / 8)
  })

  test('of all other networks falls, too', () => {
    const ratios = Object.entries(networks).map(([name, make]) => {
      const [kept, again] = [false, true].map(recompute => activationsOf(make(recompute), 256))
      return [name, again! / kept!] as const
    })
    for (const [name, ratio] of ratios) expect(ratio, name).toBeLessThan(0.8)
  })

  test('of blocks in blocks grows with the square root of their number', () => {
    const width = 64
    const stack = (depth: number, recompute: boolean): ls.Sequential => {
      const inner = () =>
        depth === 0 ? ls.layers.dense({ units: width, activation: 'gelu' }) : stack(depth - 1, true)
      const first = ls.layers.activation({ activation: 'tanh', inputShape: [width] })
      return ls.sequential({ layers: [first, ...Array.from({ length: 6 }, inner)], recompute })
    }
    const [flat, nested] = [0, 1].map(depth => {
      const inputs = ls.input({ shape: [width] })
      const blocks = Array.from({ length: depth === 0 ? 36 : 6 }, () => stack(depth, true))
      return activationsOf(ls.model({ inputs, outputs: chain(inputs, ...blocks) }), 8192)
    })
    expect(nested).toBeLessThan(flat! / 1.5)
  })

  test('is what was planned', async () => {
    const [engine] = engines
    const before = engine!.info.bytes
    const model = gpt(true, engine, { blocks: 3, width: 32, context: 16 })
    model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' })
    const [x, y] = samplesOf(model, 64)
    const options = { batchSize: 32, epochs: 2, workers: 2, seed: 1 }
    const { total } = model.planMemory(x, y, options)
    let bytes = 0
    const onEpochEnd = () => {
      bytes = engine!.info.bytes - before
    }
    await model.fit(x, y, { ...options, callbacks: { onEpochEnd } })
    model.dispose()
    expect(bytes).toBe(total)
  })

  test('is what the refusal of a training says that it could be', async () => {
    const make = (recompute: boolean) => {
      const model = gpt(recompute, undefined, { blocks: 3, width: 32, context: 16 })
      model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' })
      return model
    }
    const [kept, again] = [make(false), make(true)]
    const [x, y] = samplesOf(kept, 64)
    const options = { batchSize: 32, workers: 1, seed: 1 }
    const { total } = again.planMemory(x, y, options)
    expect(await caught(() => kept.fit(x, y, { ...options, maxMemory: total }))).toMatch(
      /; .*, or lower batchSize to \d+, or set recompute: true in the models that are layers$/,
    )
    expect(await caught(() => kept.fit(x, y, { ...options, maxMemory: total - 1 }))).not.toContain(
      'recompute',
    )
    await again.fit(x, y, { ...options, maxMemory: total })
    expect(await caught(() => again.fit(x, y, { ...options, maxMemory: total - 1 }))).not.toContain(
      'recompute',
    )
    for (const model of [kept, again]) model.dispose()
  })
})

test('a training goes on with and without, from checkpoints of either', async () => {
  const options = { batchSize: 8, seed: 3, workers: 2 }
  const fit = async (recompute: boolean, more: ls.FitOptions) => {
    const model = networks['a GPT with dropout']!(recompute)
    model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' })
    const [x, y] = samplesOf(model, 24)
    const { history } = await model.fit(x, y, { ...options, ...more })
    model.dispose()
    return history.loss
  }
  const whole = await fit(false, { epochs: 4 })
  for (const recompute of [false, true])
    await withFolder(async directory => {
      await fit(recompute, { epochs: 2, callbacks: ls.callbacks.checkpoint({ directory }) })
      expect(await fit(!recompute, { epochs: 4, resume: directory })).toEqual(whole)
    })
})

describe('recompute', () => {
  test('is saved, and TensorFlow.js passes over it', async () => {
    const { dense } = ls.layers
    const block = ls.sequential({ layers: [dense({ units: 3, inputShape: [4] })], recompute: true })
    const inputs = ls.input({ shape: [4] })
    const inner = ls.model({
      inputs,
      outputs: dense({ units: 4, recompute: true }).apply(inputs),
      recompute: true,
    })
    const model = ls.sequential({ layers: [inner, block, dense({ units: 2 })], seed: 1 })
    const json = model.toJSON() as string
    expect(json.match(/"recompute":true/g)).toHaveLength(3)
    const back = ls.models.modelFromJSON(json)
    expect(back.toJSON()).toBe(json)
    expect(back.layers.map(({ recompute }) => recompute)).toEqual([true, true, false])
    const x = ls.tensor(noise(12, 1), [3, 4])
    const theirs = await readByTheirs(model)
    close(model.predict(x).dataSync(), predictionsOf(theirs, tf.tensor(x.dataSync(), [3, 4])), 'predictions')
    for (const each of [model, back]) each.dispose()
  })

  test('must be true or false', async () => {
    const yes = 'yes' as unknown as boolean
    const inputs = ls.input({ shape: [4] })
    expect(await caught(() => ls.layers.dense({ units: 3, recompute: yes }))).toBe(
      'TypeError: Dense: recompute must be true or false, got "yes"; leave it out',
    )
    expect(await caught(() => ls.sequential({ name: 's', recompute: yes }))).toMatch(
      /^TypeError: s: recompute must be/,
    )
    expect(await caught(() => ls.model({ name: 'm', inputs, outputs: inputs, recompute: yes }))).toMatch(
      /^TypeError: m: recompute must be true or false/,
    )
  })
})
