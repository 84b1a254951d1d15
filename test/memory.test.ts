import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { Engine } from '../src/runtime/engine.ts'
import { noise } from './bed.ts'
import { caught } from './caught.ts'

const engine = new Engine()
afterAll(() => engine.close())

const count = 512
const x = ls.tensor(noise(count * 64, 3), [count, 64])
const y = ls.tensor(
  Int32Array.from({ length: count }, (_, i) => i % 3),
  [count],
)

function network(leaves = 1, units = 256, on = engine): ls.Sequential {
  const { dense } = ls.layers
  const layers = [
    dense({ units, activation: 'relu', inputShape: [64] }),
    dense({ units, activation: 'tanh' }),
    dense({ units: 3, activation: 'softmax' }),
  ]
  const model = new ls.Sequential({ name: 'net', seed: 7, layers }, on)
  model.compile({ optimizer: ls.train.adam(0.01), loss: 'sparseCategoricalCrossentropy', leaves })
  return model
}

function bitsOf(model: ls.Sequential): string {
  const hash = createHash('sha256')
  for (const { values } of model.getWeights()) hash.update(new Uint8Array(values.slice().buffer))
  return hash.digest('hex')
}

const options = { batchSize: 256, epochs: 2, seed: 1, workers: 2 }

/** Weights after training, and the most bytes that were in use while it ran. */
async function train(leaves: number, more: ls.FitOptions = {}): Promise<{ bits: string; bytes: number }> {
  const model = network(leaves)
  let bytes = 0
  const onEpochEnd = () => {
    bytes = Math.max(bytes, engine.info.bytes)
  }
  await model.fit(x, y, { ...options, callbacks: { onEpochEnd }, ...more })
  const bits = bitsOf(model)
  model.dispose()
  return { bits, bytes }
}

describe('what a training takes', () => {
  test.each<[string, ls.FitOptions, number]>([
    ['alone', {}, 1],
    ['with validation', { validationSplit: 0.25 }, 1],
    ['streamed', { stream: true }, 1],
    ['leaf by leaf', { accumulate: true }, 8],
    ['with weights of samples and one worker', { classWeight: { 0: 1, 1: 2, 2: 3 }, workers: 1 }, 1],
    ['a few steps an epoch', { stepsPerEpoch: 1, batchSize: 100 }, 1],
  ])('%s is known to the byte before it begins', async (_, more, leaves) => {
    const model = network(leaves)
    const { total, stream, accumulate, ...parts } = model.planMemory(x, y, { ...options, ...more })
    model.dispose()
    expect(Object.values(parts).reduce((sum, bytes) => sum + bytes)).toBe(total)
    expect({ stream, accumulate }).toEqual({ stream: !!more.stream, accumulate: !!more.accumulate })
    expect(Object.values(parts).every(bytes => bytes >= 0)).toBe(true)
    expect((await train(leaves, more)).bytes).toBe(total)
  })

  test('has samples once that are trained on and validated with', () => {
    const model = network()
    const alone = model.planMemory(x, y, options)
    const split = model.planMemory(x, y, { ...options, validationSplit: 0.25 })
    const given = model.planMemory(x, y, { ...options, validationData: [x, y] })
    expect(split.data - alone.data).toBe(4 * -0.25 * count)
    const other = [
      ls.tensor(x.dataSync().slice(), x.shape),
      ls.tensor(y.dataSync().slice(), y.shape),
    ] as const
    const copied = model.planMemory(x, y, { ...options, validationData: other })
    expect(copied.total - given.total).toBeGreaterThan(4 * count * 65)
    model.dispose()
  })

  test('falls with leaves that run one after the other, and with streamed data', () => {
    const model = network(8)
    const many = ls.zeros([400_000, 64])
    const labels = ls.zeros([400_000])
    const planned = (more: ls.FitOptions) => model.planMemory(many, labels, { ...options, ...more })
    const whole = planned({ batchSize: 8192 })
    expect(planned({ batchSize: 8192, accumulate: true }).activations).toBeLessThan(whole.activations / 6)
    const [resident, streamed] = [false, true].map(stream => planned({ stream }))
    expect(resident!.data).toBeGreaterThan(400_000 * 65 * 4)
    expect(streamed!.data).toBeLessThan(80e6)
    model.dispose()
  })
})

describe('a training that does not fit', () => {
  test('is refused before it takes memory, with the sum of its parts and what would help', async () => {
    const model = network(1, 64)
    const before = { bytes: engine.info.bytes, grown: engine.arena.memory.buffer.byteLength }
    const { total } = model.planMemory(x, y, { ...options, batchSize: 250 })
    const attempt = { ...options, batchSize: 500, maxMemory: total }
    const refused = await caught(() => model.fit(x, y, attempt))
    expect(refused.replaceAll(/\d+\.\d+/g, '#')).toBe(
      'RangeError: fit: training must fit into the # MiB of maxMemory, got # MiB: # weights + # optimizer + # snapshot + ' +
        '# activations + # derived + # data + # workers; compile with leaves: 4 and set accumulate: true, or lower ' +
        'batchSize to 250',
    )
    const [most, sum, ...parts] = [...refused.matchAll(/\d+\.\d+/g)].map(Number)
    expect(most).toBeCloseTo(total / 2 ** 20, 1)
    expect(sum).toBeCloseTo(
      parts.reduce((a, b) => a + b),
      1,
    )
    expect(await caught(() => model.planMemory(x, y, attempt))).toBe(refused)
    expect({ bytes: engine.info.bytes, grown: engine.arena.memory.buffer.byteLength }).toEqual(before)
    await model.fit(x, y, { ...attempt, batchSize: 250 })
    model.dispose()
  })

  test('into 4 GiB is refused in the same way', async () => {
    const layers = [ls.layers.dense({ units: 20_000, inputShape: [64] }), ls.layers.dense({ units: 1 })]
    const model = new ls.Sequential({ layers }, engine)
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const before = { bytes: engine.info.bytes, grown: engine.arena.memory.buffer.byteLength }
    const rows = 70_000
    const fit = () => model.fit(ls.zeros([rows, 64]), ls.zeros([rows]), { batchSize: rows, workers: 2 })
    expect(await caught(fit)).toMatch(
      /^RangeError: fit: training must fit into the 409\d\.\d MiB that are left, got 107\d\d\.\d MiB: .* \+ 10705\.0 activations/,
    )
    expect(await caught(fit)).toMatch(
      / workers; compile with leaves: 4 and set accumulate: true, or lower batchSize to 17500$/,
    )
    expect({ bytes: engine.info.bytes, grown: engine.arena.memory.buffer.byteLength }).toEqual(before)
    model.dispose()
  })

  test('runs leaf by leaf where only that fits, to the same bits', async () => {
    const { bits, bytes } = await train(8, { batchSize: 512 })
    const model = network(8)
    const accumulated = model.planMemory(x, y, { ...options, batchSize: 512, accumulate: true })
    const settings = { ...options, batchSize: 512, maxMemory: accumulated.total + 1000 }
    expect(settings.maxMemory).toBeLessThan(bytes)
    expect(model.planMemory(x, y, settings)).toEqual(accumulated)
    model.dispose()
    expect(await train(8, settings)).toEqual({ bits, bytes: accumulated.total })
    expect(await caught(() => train(8, { ...settings, accumulate: false }))).toMatch(
      /leave accumulate: false out, or compile with leaves: 4 and set accumulate: true, or lower batchSize to 64$/,
    )
    const whole = network(1)
    expect(await caught(() => whole.fit(x, y, settings))).toMatch(
      /MiB of maxMemory, got .*; compile with leaves: 4 and set accumulate: true, or lower batchSize to 256$/,
    )
    whole.dispose()
  })

  test('streams its data where only that fits, to the same bits', async () => {
    const rows = 200_000
    const [large, labels] = [ls.tensor(noise(rows * 16, 5), [rows, 16]), ls.zeros([rows])]
    const fit = async (maxMemory?: number) => {
      const model = new ls.Sequential(
        { seed: 3, layers: [ls.layers.dense({ units: 1, inputShape: [16] })] },
        engine,
      )
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
      const settings = { batchSize: 20, stepsPerEpoch: 100, seed: 1, ...(maxMemory && { maxMemory }) }
      const { stream, total } = model.planMemory(large, labels, settings)
      await model.fit(large, labels, settings)
      const bits = bitsOf(model)
      const refused = await caught(() => model.fit(large, labels, { ...settings, stream: false }))
      model.dispose()
      return { bits, stream, total, refused }
    }
    const resident = await fit()
    expect(resident).toMatchObject({ stream: false, refused: 'nothing' })
    const streamed = await fit(resident.total - 1)
    expect(streamed).toMatchObject({ stream: true, bits: resident.bits })
    expect(streamed.refused).toMatch(/; leave stream: false out, or lower batchSize to 10$/)
  })

  test('leaf by leaf is not tried where layers forbid it', async () => {
    const { batchNormalization, dense } = ls.layers
    const layers = [dense({ units: 64, inputShape: [64] }), batchNormalization({}), dense({ units: 3 })]
    const model = new ls.Sequential({ layers }, engine)
    model.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy', leaves: 4 })
    const maxMemory = model.planMemory(x, y, { ...options, batchSize: 128 }).total
    expect(await caught(() => model.fit(x, y, { ...options, maxMemory }))).toMatch(
      /; lower batchSize to 128$/,
    )
    model.dispose()
  })

  test('leaves a model untouched whose weights, or optimizer, are too large', async () => {
    const { bytes } = engine.info
    const wide = (units: number) => {
      const layers = [ls.layers.dense({ units, inputShape: [16], kernelInitializer: 'zeros' })]
      return new ls.Sequential({ name: 'wide', layers }, engine)
    }
    expect(await caught(() => wide(80_000_000).initialize())).toMatch(
      /^RangeError: wide: the model must fit into the \d+ bytes that are left, got 5440000000 of the weights \+ 0 of/,
    )
    const small = new Engine({ maxMemory: 2 ** 25 })
    const layers = [ls.layers.dense({ units: 1000, inputShape: [3000] })]
    const model = new ls.Sequential({ name: 'net', seed: 1, layers }, small)
    const before = bitsOf(model)
    const compile = (optimizer: ls.CompileOptions['optimizer']) => () =>
      model.compile({ optimizer, loss: 'meanSquaredError' })
    expect(await caught(compile('adam'))).toMatch(
      /^RangeError: net: the model must fit .*, got 12100032 of the weights \+ 24200064 of the optimizer; use fewer units/,
    )
    expect(bitsOf(model)).toBe(before)
    compile('sgd')()
    expect(await caught(() => model.fit(ls.zeros([9, 3000]), ls.zeros([9, 1000])))).toMatch(
      /^RangeError: fit: training must fit into the \d\d\.\d MiB that are left, got \d\d\.\d MiB: 11\.5 weights/,
    )
    expect(bitsOf(model)).toBe(before)
    model.dispose()
    await small.close()
    expect(engine.info.bytes).toBe(bytes)
    expect(await caught(() => new Engine({ maxMemory: 1000 }))).toBe(
      'RangeError: configure: maxMemory must be in [16777216, 4294967296], got 1000',
    )
  })

  test('on a dataset, whose batches are not known before, fails at the first that is too large', async () => {
    const batches = [64, 256].map(rows => ({ xs: x.slice([0, 0], [rows, 64]), ys: y.slice([0], [rows]) }))
    const settings = { seed: 1, workers: 1, prefetch: 3 }
    const { bytes: others } = engine.info
    const fit = async (maxMemory?: number, accumulate?: boolean) => {
      const model = network(8)
      let bytes = 0
      const most = {
        ...settings,
        ...(maxMemory && { maxMemory }),
        ...(accumulate !== undefined && { accumulate }),
        callbacks: {
          onEpochEnd: () => {
            bytes = engine.info.bytes - others
          },
        },
      }
      const message = await caught(() => model.fitDataset(() => batches.values(), most))
      const bits = bitsOf(model)
      model.dispose()
      return { message, bits, bytes }
    }
    const whole = await fit()
    expect(await fit(whole.bytes)).toEqual(whole)
    const less = await fit(whole.bytes - 200_000)
    expect(less).toMatchObject({ message: 'nothing', bits: whole.bits })
    expect(less.bytes).toBeLessThanOrEqual(whole.bytes - 200_000)
    expect((await fit(whole.bytes - 200_000, false)).message).toMatch(
      /^RangeError: fitDataset: training must fit into the \d\.\d MiB of maxMemory, got \d\.\d MiB: .*; use smaller/,
    )
    const { bytes } = engine.info
    expect((await fit(1_000_000)).message).toMatch(/use smaller batches, or less prefetch$/)
    expect(engine.info.bytes).toBe(bytes)
  })
})

describe('without a training', () => {
  const rows = 20_000
  const large = ls.tensor(noise(rows * 64, 5), [rows, 64])
  const labels = ls.zeros([rows], 'int32')
  const first = (count: number) => [large.slice([0, 0], [count, 64]), labels.slice([0], [count])] as const
  type Given = { readonly batchSize: number; readonly workers?: number }
  const ways: Record<string, (model: ls.Sequential, given: Given) => unknown> = {
    predict: (model, { batchSize }) => model.predict(large, { batchSize }),
    predictAsync: (model, given) => model.predictAsync(large, given),
    evaluate: (model, { batchSize }) => model.evaluate(large, labels, { batchSize }),
    evaluateAsync: (model, given) => model.evaluateAsync(large, labels, given),
    trainOnBatch: (model, { batchSize }) => model.trainOnBatch(...first(batchSize)),
  }

  test.each(Object.keys(ways))('%s refuses what does not fit, and says what would', async name => {
    const small = new Engine({ maxMemory: 2 ** 25 })
    const model = network(1, 256, small)
    const run = (batchSize: number) =>
      ways[name]!(model, { batchSize, ...(name.endsWith('Async') && { workers: 2 }) })
    await run(16)
    const { bytes } = small.info
    const refused = await caught(() => run(rows))
    expect(small.info.bytes).toBe(bytes)
    const sum =
      /^RangeError: (\w+): [\w ]+ must fit into the [\d.]+ MiB that are left, got ([\d.]+) MiB: (.*); (.*)$/
    const [, where, total, parts, advice] = sum.exec(refused) ?? []
    expect(where).toBe(name)
    expect(parts!.replaceAll(/[\d.]+ /g, '')).toBe('weights + activations + derived + data + workers')
    expect(parts!.split(' + ').reduce((all, part) => all + Number.parseFloat(part), 0)).toBeCloseTo(
      Number(total),
      0,
    )
    const lower = Number(/\d+/.exec(advice!))
    expect(advice).toBe(
      name === 'trainOnBatch' ? `use a batch of ${lower} samples` : `lower batchSize to ${lower}`,
    )
    expect(lower).toBeGreaterThan(rows / 16)
    await run(lower)
    expect(small.info.bytes).toBe(bytes)
    model.dispose()
    await small.close()
  })

  test('samples that do not fit by themselves are said to be too many', async () => {
    const small = new Engine({ maxMemory: 2 ** 24 })
    const model = network(1, 8, small)
    const more = ls.zeros([4 * rows, 64])
    expect(await caught(() => model.predict(more))).toMatch(
      /^RangeError: predict: prediction must fit .* [\d.]+ data .*; give fewer samples at a time$/,
    )
    model.dispose()
  })
})

describe('a process', () => {
  /** Prints what was planned, how far the shared memory grew, and how far the process did. */
  const program = `
    import * as ls from 'lockstep'
    import { setTimeout as sleep } from 'node:timers/promises'
    const network = units => {
      const { dense } = ls.layers
      const layers = [dense({ units, activation: 'relu', inputShape: [256] }), dense({ units: 1 })]
      const model = ls.sequential({ layers, seed: 1 })
      model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
      return model
    }
    const samples = 100_000
    const x = new Float32Array(samples * 256).fill(0.5)
    const y = new Float32Array(samples).fill(0.5)
    const fit = (model, count, batchSize, callbacks) =>
      model.fit(x.subarray(0, count * 256), y.subarray(0, count), { batchSize, workers: 2, seed: 1, callbacks })
    const small = network(8)
    await fit(small, 64, 32)
    globalThis.gc()
    await sleep(100)
    const { rss } = process.memoryUsage()
    const large = network(1024)
    const options = { batchSize: 20_000, workers: 2, seed: 1 }
    const { total } = large.planMemory(x, y, options)
    let [real, inUse] = [0, 0]
    const onEpochEnd = () => {
      globalThis.gc()
      real = process.memoryUsage().rss - rss
      inUse = ls.engine().bytes
    }
    await fit(large, samples, 20_000, { onEpochEnd })
    console.log(JSON.stringify({ total, real, inUse }))`

  test('grows by what was planned, within 5 %', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--expose-gc', '--input-type=module', '-e', program],
      { cwd: fileURLToPath(new URL('..', import.meta.url)), timeout: 290_000 },
    )
    const { total, real, inUse } = JSON.parse(stdout) as Record<string, number>
    expect(total).toBeGreaterThan(300e6)
    // The small model is still there.
    expect(inUse! / total!).toBeCloseTo(1, 3)
    expect(Math.abs(real! / total! - 1)).toBeLessThan(0.05)
  }, 300_000)
})
