import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise } from './bed.ts'
import { caught } from './caught.ts'
import { withFolder } from './reference/tfjs.ts'

const values = noise(40, 3)
const x = ls.tensor(values, [10, 4])
const y = ls.tensor(noise(10, 4), [10, 1])
const options = { batchSize: 4, epochs: 2, seed: 1, verbose: 0 as const }

function make(rate = 0.1) {
  const model = ls.sequential({ layers: [ls.layers.dense({ units: 1, inputShape: [4] })], seed: 1 })
  model.compile({ optimizer: ls.train.sgd(rate), loss: 'meanSquaredError', metrics: ['mae'] })
  return model
}

const hookNames = [
  'onTrainBegin',
  'onTrainEnd',
  'onEpochBegin',
  'onEpochEnd',
  'onBatchBegin',
  'onBatchEnd',
] as const

/** Hooks that note what they are called with; each takes its time. */
function spies(seen: unknown[]) {
  const spy = (name: string) => async (first: unknown, logs?: object) => {
    const number = typeof first === 'number' ? first : ''
    const names = Object.keys((typeof first === 'number' ? logs : (first as object)) ?? {})
    seen.push(`${name} ${number} begins ${names}`)
    await sleep(2)
    seen.push(`${name} ${number} ends`)
  }
  return Object.fromEntries(hookNames.map(name => [name, spy(name)]))
}

test('hooks are called in the order of TensorFlow.js, and awaited', async () => {
  await tf.setBackend('cpu')
  const theirs = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [4] })] })
  theirs.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['mae'] })
  const expected: string[] = []
  const { values: targets } = y
  await theirs.fit(tf.tensor(values, [10, 4]), tf.tensor(targets as Float32Array, [10, 1]), {
    ...options,
    callbacks: spies(expected),
    validationSplit: 0.2,
  })
  const found: string[] = []
  const model = make()
  await model.fit(x, y, { ...options, callbacks: spies(found), validationSplit: 0.2, workers: 2 })
  const plain = (list: string[]) => list.map(line => line.replace(/begins .*/, 'begins'))
  expect(plain(found)).toEqual(plain(expected))
  // No hook begins while another waits.
  found.forEach((line, i) => expect(line.includes('begins')).toBe(i % 2 === 0))
  expect(found.filter(line => line.startsWith('onEpochEnd 1 begins'))).toEqual([
    'onEpochEnd 1 begins loss,mae,val_loss,val_mae',
  ])
  expect(found.filter(line => line.startsWith('onBatchEnd 1 begins'))[0]).toBe(
    'onBatchEnd 1 begins batch,size,loss,mae',
  )
  model.dispose()
})

test('an error of an asynchronous hook ends training', async () => {
  const model = make()
  const onBatchEnd = async () => {
    await sleep(1)
    throw new Error('mine')
  }
  await expect(model.fit(x, y, { ...options, callbacks: { onBatchEnd } })).rejects.toThrow('mine')
  model.dispose()
})

test('learningRateScheduler sets the rate of each epoch', async () => {
  const model = make(1)
  const rates: number[] = []
  const scheduler = ls.callbacks.learningRateScheduler(async (epoch, rate) => rate / (epoch + 2))
  const onBatchEnd = () => void rates.push(model.learningRate)
  await model.fit(x, y, { ...options, batchSize: 10, epochs: 3, callbacks: [scheduler, { onBatchEnd }] })
  expect(rates).toEqual([1 / 2, 1 / 6, 1 / 24])
  const wrong = ls.callbacks.learningRateScheduler(() => -1)
  await expect(model.fit(x, y, { ...options, callbacks: wrong })).rejects.toThrow(
    new RangeError('learningRateScheduler: the rate of epoch 0 must be a number >= 0, got -1'),
  )
  model.dispose()
})

test('csvLogger writes a line an epoch', () =>
  withFolder(async folder => {
    const path = join(folder, 'log.csv')
    const model = make()
    const linesOf = async () => (await readFile(path, 'utf8')).trimEnd().split('\n')
    const { history } = await model.fit(x, y, { ...options, callbacks: ls.callbacks.csvLogger(path) })
    const row = (epoch: number) => `${epoch},${history.loss![epoch]},${history.mae![epoch]}`
    expect(await linesOf()).toEqual(['epoch,loss,mae', row(0), row(1)])
    const more = ls.callbacks.csvLogger(path, { append: true, separator: ';' })
    await model.fit(x, y, { ...options, epochs: 1, callbacks: more })
    expect((await linesOf()).length).toBe(4)
    await model.fit(x, y, { ...options, epochs: 1, callbacks: ls.callbacks.csvLogger(path) })
    expect((await linesOf()).length).toBe(2)
    await writeFile(path, '')
    await model.fit(x, y, { ...options, epochs: 1, callbacks: more })
    expect((await linesOf())[0]).toBe('epoch;loss;mae')
    model.dispose()
  }))

test('a name with a separator is quoted, what is missing is NA', () =>
  withFolder(async folder => {
    const path = join(folder, 'log.csv')
    const logger = ls.callbacks.csvLogger(path)
    await logger.onTrainBegin()
    await logger.onEpochEnd(0, { loss: 1, 'a,"b"': 2 })
    await logger.onEpochEnd(1, { loss: Number.NaN })
    expect(await readFile(path, 'utf8')).toBe('epoch,loss,"a,""b"""\n0,1,2\n1,NaN,NA\n')
  }))

test('wrong options are refused', () => {
  const { csvLogger, learningRateScheduler } = ls.callbacks
  expect(() => learningRateScheduler(0.1 as never)).toThrow(
    new TypeError(
      'learningRateScheduler: schedule must be a function, got 0.1; write epoch => 0.1 / (1 + epoch)',
    ),
  )
  expect(() => csvLogger('')).toThrow(
    new TypeError('csvLogger: path must be that of a file, got ""; write \'training.csv\''),
  )
  expect(() => csvLogger('a', { separator: '"' })).toThrow(
    new TypeError('csvLogger: separator must be text without quotes and line breaks, got "\\""; write \',\''),
  )
})

test('onYield at intervals, while the workers go on; what it throws ends training', async () => {
  const many = [x, y].map(({ values, shape }) => {
    const times = 4000
    const all = Float32Array.from({ length: values.length * times }, (_, i) => values[i % values.length]!)
    return ls.tensor(all, [10 * times, shape[1]!])
  }) as [ls.Tensor, ls.Tensor]
  const calls: [epoch: number, batch: number][] = []
  const onYield = async (epoch: number, batch: number, logs?: ls.Logs) => {
    expect(logs!.loss).toBeGreaterThan(0)
    calls.push([epoch, batch])
    await sleep(3)
  }
  const long = { batchSize: 2, epochs: 3, seed: 1, workers: 1 }
  await make(1e-5).fit(...many, { ...long, yieldEvery: 2, callbacks: { onYield } })
  expect(calls.length).toBeGreaterThan(2)
  expect(calls).toEqual(calls.toSorted(([e, b], [f, c]) => e - f || b - c))
  calls.length = 0
  for (const yieldEvery of ['never', 'batch', 'epoch'] as const)
    await make(1e-5).fit(...many, { ...long, yieldEvery, callbacks: { onYield } })
  expect(calls).toEqual([])
  const failing = { onYield: () => Promise.reject(new Error('the disk is full')) }
  await expect(make(1e-5).fit(...many, { ...long, yieldEvery: 1, callbacks: failing })).rejects.toThrow(
    'the disk is full',
  )
})

test('progress is reported to an object of a class, too', async () => {
  class Reports {
    readonly intervalMs = 1
    readonly steps: number[] = []
    report(step: number) {
      this.steps.push(step)
    }
  }
  const reports = new Reports()
  const long = ls.zeros([40_000, 4])
  await make().fit(long, ls.zeros([40_000, 1]), { batchSize: 2, seed: 1, workers: 1, onProgress: reports })
  expect(reports.steps.length).toBeGreaterThan(0)
})

test.each([
  ['often', 'RangeError: fit: yieldEvery must be one of "auto", "batch", "epoch", "never", got "often"'],
  [0, 'RangeError: fit: yieldEvery must be a number > 0, got 0'],
])('yieldEvery must be one of its words or an interval, not %s', async (yieldEvery, message) => {
  expect(await caught(() => make().fit(x, y, { yieldEvery: yieldEvery as never }))).toBe(message)
})
