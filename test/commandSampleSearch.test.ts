import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Tensor } from '../src/data/tensor.ts'
import { readStudy } from '../src/tune/tune.ts'
import { commandBed } from './commandBed.ts'
import { digits, idx, npz, writeBars } from './sampleFiles.ts'
import { hashOf } from './tune/killing.ts'

const { folder, done, run, refused } = commandBed('sample-search')
const path = (...names: string[]) => join(folder, ...names)
const write = (name: string, bytes: Uint8Array | string) => writeFileSync(path(name), bytes)
const json = (...args: string[]) => JSON.parse(done(...args, '--json'))
const read = (...names: string[]) => JSON.parse(readFileSync(path(...names), 'utf8'))

const { images, labels } = digits('train', 240)
/** Every other pixel. */
const small = images.filter((_, i) => i % 2 === 0 && Math.floor(i / 28) % 2 === 0)
mkdirSync(path('digits'))
write('digits/train-images-idx3-ubyte', idx([240, 14, 14], small))
write('digits/train-labels-idx1-ubyte', idx([240], labels))

const [rows, columns] = [120, 3]
const numbers = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(7 * i) + (i % columns))
const sums = Float32Array.from({ length: rows }, (_, row) => {
  const [a, b, c] = numbers.subarray(row * columns) as unknown as [number, number, number]
  return 3 * a - b * c
})
write(
  'columns.npz',
  npz({ x: new Tensor(numbers, [rows, columns], 'float32'), y: new Tensor(sums, [rows], 'float32') }),
)

writeBars(path('bars'), 20, 1)
write('bars/across/torn.png', readFileSync(path('bars/across/000.png')).subarray(0, 90))
const bars = ['bars', '--size', '12', '--filters', '4,8', '--hidden', '8', '--epochs', '2']

test('a search over images: what is compared is what train does, and the best is trained', {
  timeout: 120_000,
}, async () => {
  const search = ['--search', 'filters,augment,depth,width,learning-rate', '--trials', '8', '--epochs', '3']
  const tune = (out: string, ...more: string[]) => json('tune', 'digits', ...search, '--out', out, ...more)
  const found = tune('two', '--parallel', '2')
  const { trials, best, standard } = found
  expect(trials).toHaveLength(8)
  expect(
    new Set(trials.map(({ parameters }: { parameters: object }) => Object.keys(parameters).length)),
  ).toEqual(new Set([4, 5]))
  expect(best.value).toBeLessThan(standard)
  const { filters, augment } = best.parameters
  const configuration = read('two', 'configuration.json')
  expect(configuration).toMatchObject({ augment, filters: [filters, 2 * filters] })
  done('train', 'digits', '--epochs', '3', '--out', 'plain', '--workers', '1')
  expect(Math.min(...read('plain', 'metrics.json').history.val_loss)).toBeCloseTo(standard, 6)

  tune('one', '--parallel', '1', '--workers', '1')
  const [one, two] = await Promise.all(
    ['one', 'two'].map(name => readStudy(path(`${name}.study.jsonl`)).then(hashOf)),
  )
  expect(one).toBe(two)

  // Another label makes it another study.
  write(
    'digits/train-labels-idx1-ubyte',
    idx(
      [240],
      labels.map((label, i) => (i === 0 ? 9 - label : label)),
    ),
  )
  expect(refused(1, 'tune', 'digits', ...search, '--out', 'three', '--study', 'one.study.jsonl')).toMatch(
    'about must be that of the study',
  )
  write('digits/train-labels-idx1-ubyte', idx([240], labels))
})

test('a search over columns of arrays, with folds', { timeout: 60_000 }, () => {
  const found = json(
    'tune',
    'columns.npz',
    '--trials',
    '4',
    '--folds',
    '3',
    '--epochs',
    '5',
    '--out',
    'folds',
  )
  expect(found.trials.every(({ state }: { state: string }) => state !== 'failed')).toBe(true)
  expect(found.result).toMatchObject({ kind: 'arrays', task: 'regression' })
  expect(found.trials[0].parameters).toHaveProperty('noise')
})

test('a folder of images has a suggested rate, and what cannot be read is told', { timeout: 60_000 }, () => {
  const { status, stdout, stderr } = run('lr', ...bars, '--updates', '60', '--json')
  expect(status).toBe(0)
  expect(stderr).toMatch(
    'warning: images that cannot be read, and are set aside: 1 (the first: bars/across/torn.png',
  )
  const found = JSON.parse(stdout)
  expect(found).toMatchObject({ rows: 28, hidden: [8], steps: found.rates.length })
  expect(found.suggested).toBeGreaterThan(1e-5)
  expect(found.warnings).toHaveLength(1)
})

test('more and more images, and variants of their network', { timeout: 120_000 }, () => {
  const curve = ['learning-curve', ...bars, '--repeats', '2']
  const { points, task } = json(...curve, '--sizes', '2')
  expect(points.map(({ rows }: { rows: number }) => rows)).toEqual([14, 28])
  expect(task).toBe('class')
  const names = ['augmentation', 'smaller', 'larger', 'dropout', 'weight-decay']
  const { variants, plan } = json(...curve, '--augment', '--compare', names.join())
  expect(variants.map(({ name }: { name: string }) => name)).toEqual(['plain', ...names, 'standard'])
  expect(plan).toMatchObject({ augment: true, filters: [4, 8] })
  const losses = variants.map(({ seeds }: { seeds: { validation: number }[] }) => seeds[0]!.validation)
  expect(new Set(losses).size).toBe(names.length + 2)

  const compared = json('learning-curve', 'columns.npz', '--compare', 'augmentation,l2', '--epochs', '3')
  expect(compared.task).toBe('regression')
  expect(compared.variants[1].seeds[0].validation).not.toBe(compared.variants[0].seeds[0].validation)
})

test('what networks for images do not have is neither searched nor compared', () => {
  expect(refused(1, 'learning-curve', ...bars, '--compare', 'l2')).toMatch(
    'learningCurve: compare must name what networks for images have, got "l2"; there are dropout, weight-decay, augmentation, ' +
      'smaller, larger, ensemble, no-stopping\n',
  )
  expect(refused(1, 'tune', 'digits', '--search', 'noise')).toMatch(
    'tune: search must name parameters, got "noise"; known are learningRate, schedule, optimizer, depth, width, dropout, ' +
      'filters, augment, weightDecay, batchSize\n',
  )
  expect(refused(1, 'tune', 'digits', '--search', 'filters', '--filters', '8')).toMatch(
    'tune: filters must be given or searched, got both; leave one of them out\n',
  )
})
