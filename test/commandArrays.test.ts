import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { Tensor } from '../src/data/tensor.ts'
import { loadLayersModel } from '../src/index.ts'
import { commandBed } from './commandBed.ts'
import { digits, idx, npy, npz } from './sampleFiles.ts'

const { folder, run, done, refused } = commandBed('arrays')
const quick = ['--workers', '1']
const write = (name: string, bytes: Uint8Array) => writeFileSync(join(folder, name), bytes)

test('a folder of IDX files becomes a network that reads digits, and is evaluated on its test part', {
  timeout: 150_000,
}, async () => {
  const [train, tested] = [digits('train', 800), digits('t10k', 300)]
  mkdirSync(join(folder, 'digits'))
  write('digits/train-images-idx3-ubyte.gz', gzipSync(idx([800, 28, 28], train.images)))
  write('digits/train-labels-idx1-ubyte.gz', gzipSync(idx([800], train.labels)))
  write('digits/t10k-images-idx3-ubyte', idx([300, 28, 28], tested.images))
  write('digits/t10k-labels-idx1-ubyte', idx([300], tested.labels))
  const args = ['digits', '--epochs', '5', '--hidden', '64', '--filters', '16,32']
  const result = JSON.parse(done('train', ...args, '--json', ...quick))
  expect(result).toMatchObject({
    kind: 'arrays',
    task: 'class',
    from: 'images of 28×28×1',
    rows: { training: 680, validation: 120, test: 300, setAside: 0 },
    network: { shape: '28×28×1-16 filters-32 filters-64', inputs: 784 },
    scores: { part: 'test' },
  })
  expect(result.scores.model.accuracy).toBeGreaterThan(0.85)
  const scores = JSON.parse(done('evaluate', 'digits.model', 'digits', '--json', ...quick))
  expect(scores).toEqual({ ...result.scores.model, warnings: [] })
  const lines = done('predict', 'digits.model', 'digits/t10k-images-idx3-ubyte', ...quick)
    .trim()
    .split('\n')
  expect(lines[0]).toBe(['prediction', ...Array.from({ length: 10 }, (_, i) => `probability ${i}`)].join())
  const hits = lines.slice(1).filter((line, i) => Number(line.split(',')[0]) === tested.labels[i])
  expect(hits.length / 300).toBe(scores.accuracy)
  expect(done('inspect', 'digits.model')).toMatch(
    'digits.model: class of "label" from samples of 28×28×1 (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)\nsamples: divided by 255\n',
  )
  expect(done('inspect', 'digits')).toMatch(/t10k-images-idx3-ubyte +uint8 +\[300, 28, 28\]/)
  const again = JSON.parse(
    done(
      'train',
      '--config',
      'digits.model/configuration.json',
      '--out',
      'again',
      '--json',
      '--workers',
      '2',
    ),
  )
  expect(again.scores).toEqual(result.scores)
})

test('images are moved in training only: the model that is saved is the plain one', {
  timeout: 150_000,
}, async () => {
  const args = [
    'digits',
    '--augment',
    '--dropout',
    '0',
    '--epochs',
    '5',
    '--filters',
    '8',
    '--hidden',
    '16',
    '--out',
    'moved',
  ]
  const result = JSON.parse(done('train', ...args, '--json', ...quick))
  expect(result.scores.model.accuracy).toBeGreaterThan(0.3)
  const model = await loadLayersModel(`file://${join(folder, 'moved')}`)
  expect(model.layers[0]!.className).toBe('Conv2D')
  const scores = JSON.parse(done('evaluate', 'moved', 'digits', '--json', ...quick))
  expect(scores.accuracy).toBe(result.scores.model.accuracy)
})

/** y = 3·a − 2·b + noise, columns of other scales. */
function line(rows: number, dtype: 'float32' | 'int32') {
  const x = new (dtype === 'float32' ? Float32Array : Int32Array)(3 * rows)
  const y = new Float32Array(rows)
  for (let i = 0; i < rows; i++) {
    const [a, b] = [((i * 37) % 101) - 50, (i * 53) % 97]
    x.set([a, b, 1000 + ((i * 17) % 13)], 3 * i)
    y[i] = 3 * a - 2 * b + (i % 5)
  }
  return { x: new Tensor(x, [rows, 3], dtype), y: new Tensor(y, [rows], 'float32') }
}

test('npz and npy: names of Keras, labels by name and by file, numbers as targets', {
  timeout: 150_000,
}, () => {
  const [train, tested] = [line(600, 'int32'), line(200, 'int32')]
  write('keras.npz', npz({ x_train: train.x, y_train: train.y, x_test: tested.x, y_test: tested.y }))
  const first = run('train', 'keras.npz', '--epochs', '30', '--json', ...quick)
  const result = JSON.parse(first.stdout)
  expect(result).toMatchObject({ task: 'regression', from: '3 columns', rows: { training: 510, test: 200 } })
  expect(result.scores.model.r2).toBeGreaterThan(0.99)
  const preprocessing = JSON.parse(readFileSync(join(folder, 'keras.model/preprocessing.json'), 'utf8'))
  expect(preprocessing.scaling.mean[2]).toBeCloseTo(1006, 0)
  expect(done('inspect', 'keras.model')).toMatch('standardised for each of 3 on the last axis')
  const predicted = done('predict', 'keras.model', 'keras.npz', ...quick)
    .trim()
    .split('\n')
  expect(predicted).toHaveLength(201)
  expect(Math.abs(Number(predicted[8]) - tested.y.values[7]!)).toBeLessThan(30)

  write('other.npz', npz({ inputs: train.x, truth: train.y, note: train.y }))
  const options = ['--epochs', '2', '--json', ...quick]
  expect(JSON.parse(done('train', 'other.npz', '--labels', 'truth', ...options)).rows).toMatchObject({
    training: 420,
    test: 90,
  })
  write('x.npy', npy(train.x))
  write('cost.npy', npy(train.y))
  const parts = JSON.parse(done('train', 'x.npy', '--labels', 'cost.npy', '--out', 'npy', ...options))
  expect(parts.scores.model.r2).toBe(
    JSON.parse(readFileSync(join(folder, 'other.model/metrics.json'), 'utf8')).scores.model.r2,
  )
  const scores = JSON.parse(done('evaluate', 'npy', 'x.npy', '--labels', 'cost.npy', '--json', ...quick))
  expect(scores.rows).toBe(600)
  expect(readdirSync(join(folder, 'npy'))).toContain('model.json')
  expect(JSON.parse(readFileSync(join(folder, 'npy/configuration.json'), 'utf8')).labels).toBe(
    join(folder, 'cost.npy'),
  )
})

test('arrays that cannot be trained on are refused by name', () => {
  const { x, y } = line(60, 'float32')
  write('lone.npy', npy(x))
  expect(refused(1, 'train', 'lone.npy')).toMatch(
    'lockstep: lone.npy: must come with labels, got none; name their file or array as labels',
  )
  write('short.npz', npz({ x, y: new Tensor(y.values.subarray(0, 59), [59], 'float32') }))
  expect(refused(1, 'train', 'short.npz')).toMatch('short.npz y: must have shape [60] or [60, k], got [59]')
  write('named.npz', npz({ a: x, b: y }))
  expect(refused(1, 'train', 'named.npz')).toMatch(
    /named.npz: must hold arrays named x and y.* got \["a", "b"\]/,
  )
  expect(refused(1, 'train', 'named.npz', '--labels', 'c')).toMatch(
    'must have the array "c", got none; known are a, b',
  )
  const broken = Float32Array.from(x.values)
  broken[3 * 7 + 1] = Number.NaN
  write('broken.npz', npz({ x: new Tensor(broken, [60, 3], 'float32'), y }))
  expect(refused(1, 'train', 'broken.npz')).toMatch(
    'broken.npz x: must hold finite numbers, got NaN in sample 7, place 1',
  )
  write('first.npz', npz({ x: new Tensor(new Uint8Array(4 * 3 * 64), [4, 3, 8, 8], 'uint8'), y }))
  expect(refused(1, 'train', 'first.npz')).toMatch(
    'first.npz x: must have its channels last, got [4, 3, 8, 8]',
  )
  expect(refused(1, 'train', 'keras.npz', '--target', 'y', '--out', 'new')).toMatch(
    'train: target must not be given for arrays, got "y"; leave it out',
  )
  expect(refused(1, 'train', 'keras.npz', '--filters', '8', '--out', 'new')).toMatch(
    'train: filters must not be given for samples that are no images, got [8]',
  )
  expect(refused(1, 'predict', 'keras.model', 'digits')).toMatch(
    'samples must have shape [3], as in training, got [28, 28, 1]',
  )
  expect(refused(1, 'evaluate', 'digits.model', 'keras.npz')).toMatch('samples must have shape [28, 28, 1]')
  mkdirSync(join(folder, 'empty'))
  expect(refused(1, 'train', 'empty')).toMatch(
    'empty: must be a file, or a folder of IDX files, npy files or images, got a folder of []',
  )
})
