import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { commandBed } from './commandBed.ts'

const { folder, run, done, refused } = commandBed('searches')
const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
const read = (...names: string[]) => JSON.parse(readFileSync(join(folder, ...names), 'utf8'))

/** 240 flowers of three kinds, of which one is so rare that not every part has all of its colours. */
const flowers = Array.from({ length: 240 }, (_, i) => {
  const jitter = (n: number) => ((i * n) % 29) / 29 - 0.5
  return [(i % 3) + jitter(7), 2 - (i % 3) + jitter(11), i % 60 === 0 ? `c${i}` : 'red', 'abc'[i % 3]].join()
})

const net = (more = '') => `
export default ({ shape, lockstep: { layers, sequential, train } }) => {
  const hidden = layers.dense({ units: 8, activation: 'tanh', inputShape: shape })
  const model = sequential({ layers: [hidden, layers.dense({ units: 3, activation: 'softmax' })] })
  ${more}
  return model
}
`
const compiled = "model.compile({ optimizer: train.sgd(0.1), loss: 'sparseCategoricalCrossentropy' })"

beforeAll(() => {
  write('flowers.csv', ['long,wide,colour,kind', ...flowers].join('\n'))
  write('net.mjs', net())
  write('compiled.mjs', net(compiled))
})

const kinds = ['flowers.csv', '--target', 'kind', '--epochs', '6']
const own = [...kinds, '--model', 'net.mjs']
const tune = (out: string, ...more: string[]) => [
  'tune',
  ...own,
  '--trials',
  '4',
  '--out',
  out,
  '--json',
  ...more,
]

test('tune searches what a network of a file leaves open, beside each other to the same bits', {
  timeout: 90_000,
}, () => {
  const found = JSON.parse(done(...tune('one', '--parallel', '1')))
  const names = ['learningRate', 'schedule', 'optimizer', 'weightDecay', 'batchSize']
  expect(Object.keys(found.trials[0].parameters)).toEqual(names)
  expect(found.plan).toMatchObject({ model: join(folder, 'net.mjs'), epochs: 6 })
  expect(found.plan).not.toHaveProperty('hidden')
  const beside = JSON.parse(done(...tune('two', '--parallel', '2')))
  const valuesOf = ({ trials }: { trials: { value: number }[] }) => trials.map(({ value }) => value)
  expect(valuesOf(beside)).toEqual(valuesOf(found))
  expect(beside.standard).toBe(found.standard)
  // What is written repeats the best, with the same network alone.
  const again = ['train', '--config', 'one/configuration.json', '--json', '--workers', '1', '--out']
  expect(JSON.parse(done(...again, 'again')).scores).toEqual(found.result.scores)
  write('net.mjs', `${net()}// another`)
  expect(refused(1, ...again, 'other')).toMatch('must be the network of the configuration')
  expect(run(...tune('three', '--study', 'one.study.jsonl')).stderr).toMatch(
    'about must be that of the study',
  )
  write('net.mjs', net())
})

test('folds may have other inputs; a network that is compiled has its own rate', { timeout: 60_000 }, () => {
  const folds = JSON.parse(done(...tune('folds', '--folds', '4', '--search', 'batch-size,learning-rate')))
  expect(folds.trials.every(({ state }: { state: string }) => state !== 'failed')).toBe(true)
  const rate = JSON.parse(done(...tune('rate', '--model', 'compiled.mjs')))
  expect(Object.keys(rate.trials[0].parameters)).toEqual(['schedule', 'batchSize'])
  expect(read('rate', 'configuration.json')).not.toHaveProperty('optimizer')
})

test('learning-curve trains a network of a file on more and more rows, and compares what it leaves open', {
  timeout: 90_000,
}, () => {
  const curve = ['learning-curve', ...own, '--repeats', '2', '--json']
  const { points, plan } = JSON.parse(done(...curve, '--sizes', '3'))
  expect(points.map(({ rows }: { rows: number }) => rows)).toEqual([42, 84, 168])
  expect(plan).toMatchObject({ model: join(folder, 'net.mjs'), learningRate: 0.003 })
  const open = ['weight-decay', 'ensemble', 'no-stopping']
  const { variants } = JSON.parse(done(...curve, '--compare', open.join()))
  expect(variants.map(({ name }: { name: string }) => name)).toEqual(['plain', ...open, 'standard'])
  const lossOf = (i: number) => variants[i].seeds[0].validation
  expect(lossOf(1)).not.toBe(lossOf(0))
  expect(lossOf(2)).not.toBe(lossOf(0))
  expect(lossOf(4)).toBe(lossOf(0))
  done(...curve, '--model', 'compiled.mjs', '--compare', 'ensemble')
})

test('what the file decides is neither searched nor compared', { timeout: 60_000 }, () => {
  for (const name of ['depth', 'width', 'dropout', 'noise'])
    expect(refused(1, ...tune('no', '--search', name))).toMatch(
      `tune: search must name what net.mjs does not decide itself, got "${name}"; there are learningRate, schedule, ` +
        'optimizer, weightDecay, batchSize',
    )
  expect(refused(1, ...tune('no', '--model', 'compiled.mjs', '--search', 'optimizer'))).toMatch(
    'what compiled.mjs does not decide itself, got "optimizer"; there are schedule, batchSize',
  )
  expect(refused(1, ...tune('no', '--hidden', '8'))).toMatch(
    'hidden must not be given for a network of a file',
  )
  const compare = (model: string, name: string) =>
    refused(1, 'learning-curve', ...kinds, '--model', model, '--compare', name)
  for (const name of ['dropout', 'l2', 'augmentation', 'smaller', 'larger'])
    expect(compare('net.mjs', name)).toMatch(
      `learningCurve: compare must name what net.mjs does not decide itself, got "${name}"; there are weight-decay, ` +
        'ensemble, no-stopping',
    )
  expect(compare('compiled.mjs', 'weight-decay')).toMatch('there are ensemble, no-stopping')
  done('train', ...own, '--out', 'saved')
  expect(refused(1, 'learning-curve', ...kinds, '--model', 'saved/model.json')).toMatch(
    /model\.json: must take samples of \[\d\], got \[\d\]; change its inputShape, or make it in a module, which is told/,
  )
})
