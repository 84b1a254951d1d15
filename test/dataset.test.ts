import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { caught } from './caught.ts'
import { withFolder } from './reference/tfjs.ts'

beforeAll(() => tf.setBackend('cpu'))

const { data } = ls
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i)
/** Counts what is pulled and whether the pass was ended. */
function watched(n: number) {
  const seen = { pulled: 0, ended: 0 }
  const dataset = data.generator(async function* () {
    try {
      for (const i of upTo(n)) {
        seen.pulled++
        yield i
      }
    } finally {
      seen.ended++
    }
  })
  return { dataset, seen }
}

describe('elements and sizes are those of TensorFlow.js', () => {
  type Any = ls.Dataset<number>
  const chains: [string, (d: Any) => { toArray(): Promise<unknown>; size: number | null }][] = [
    ['map', d => d.map(x => x * 2)],
    ['mapAsync', d => d.mapAsync(async x => x * 2)],
    ['filter', d => d.filter(x => x % 3 === 0)],
    ['take', d => d.take(3)],
    ['take more than there are', d => d.take(30)],
    ['take nothing', d => d.take(0)],
    ['skip', d => d.skip(3)],
    ['skip more than there are', d => d.skip(30)],
    ['repeat', d => d.repeat(3)],
    ['repeat never', d => d.repeat(0)],
    ['endless', d => d.repeat().take(25)],
    ['concatenate', d => d.concatenate(d.map(x => -x))],
    ['prefetch', d => d.prefetch(4)],
    [
      'a chain',
      d =>
        d
          .skip(1)
          .repeat(2)
          .filter(x => x > 3)
          .map(x => x + 0.5)
          .prefetch(2)
          .take(7),
    ],
  ]
  test.each(chains)('%s', async (_, chain) => {
    const [ours, theirs] = [chain(data.array(upTo(10))), chain(tf.data.array(upTo(10)) as never as Any)]
    expect(await ours.toArray()).toEqual(await theirs.toArray())
    expect(ours.size).toBe(theirs.size)
    // Each pass begins anew.
    expect(await ours.toArray()).toEqual(await ours.toArray())
  })

  test.each([true, false])('batch, last one too: %s', async last => {
    const rows = upTo(7).map(i => ({ xs: [i, 2 * i], ys: i, deep: { t: [[i], [i + 1]] } }))
    const ours = data.array(rows).batch(3, last)
    const theirs = tf.data.array(rows).batch(3, last)
    const found = await ours.toArray()
    const expected = (await theirs.toArray()) as never as typeof found
    expect(ours.size).toBe(theirs.size)
    expect(found.length).toBe(expected.length)
    found.forEach((batch, i) => {
      for (const pick of [
        (b: typeof batch) => b.xs,
        (b: typeof batch) => b.ys,
        (b: typeof batch) => b.deep.t,
      ]) {
        const [a, b] = [pick(batch), pick(expected[i]!)]
        expect(a.shape).toEqual(b.shape)
        expect([...a.dataSync()]).toEqual([...b.dataSync()])
      }
    })
  })

  test('zip of arrays and objects', async () => {
    const [a, b] = [upTo(5), upTo(3).map(x => 10 * x)]
    const ours = data.zip([data.array(a), data.array(b)])
    expect(await ours.toArray()).toEqual(await tf.data.zip([tf.data.array(a), tf.data.array(b)]).toArray())
    expect(ours.size).toBe(3)
    const named = data.zip({ xs: data.array(a), ys: data.array(b) })
    expect(await named.take(1).toArray()).toEqual([{ xs: 0, ys: 0 }])
  })
})

test('func calls its function for each element, as that of TensorFlow.js', async () => {
  const counting = () => {
    let i = 0
    return () => ({ value: i++, done: i > 4 })
  }
  const ours = data.func(counting())
  const theirs = tf.data.func(counting() as never)
  expect(await ours.take(2).toArray()).toEqual(await theirs.take(2).toArray())
  expect(await ours.toArray()).toEqual(await theirs.toArray())
  expect(
    await data
      .func(async () => ({ value: 7, done: false }))
      .take(2)
      .toArray(),
  ).toEqual([7, 7])
  expect(() => data.func(7 as never)).toThrow(
    new TypeError('func: must be given a function, got 7; write () => ({ value, done: false })'),
  )
})

describe('pulling', () => {
  test('is lazy, and ends what it began', async () => {
    const { dataset, seen } = watched(100)
    const chain = dataset
      .map(x => x + 1)
      .filter(x => x % 2 === 0)
      .batch(2)
      .take(2)
    expect(seen.pulled).toBe(0)
    expect((await chain.toArray()).map(t => [...t.dataSync()])).toEqual([
      [2, 4],
      [6, 8],
    ])
    expect(seen).toEqual({ pulled: 8, ended: 1 })
    for await (const x of dataset) if (x === 2) break
    expect(seen).toEqual({ pulled: 11, ended: 2 })
    const zipped = data.zip([dataset, data.array([1])])
    await zipped.toArray()
    expect(seen.ended).toBe(3)
  })

  test('prefetch asks ahead, in order, and passes errors on', async () => {
    const { dataset, seen } = watched(10)
    const pass = await dataset.prefetch(3).iterator()
    expect(await pass.next()).toEqual({ value: 0, done: false })
    await sleep(5)
    expect(seen.pulled).toBe(4)
    await pass.return()
    expect(seen.ended).toBe(1)
    const failing = data.array(upTo(5)).map(x => {
      if (x === 2) throw new Error('at 2')
      return x
    })
    const got: number[] = []
    await expect(failing.prefetch(4).forEachAsync(x => void got.push(x))).rejects.toThrow('at 2')
    expect(got).toEqual([0, 1])
  })

  test('forEachAsync awaits', async () => {
    const got: string[] = []
    await data.array([1, 2]).forEachAsync(async x => {
      got.push(`begin ${x}`)
      await sleep(2)
      got.push(`end ${x}`)
    })
    expect(got).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2'])
  })

  test('generators of every kind', async () => {
    const plain = data.generator(function* () {
      yield* [1, 2]
    })
    const later = data.generator(async () => [3, 4][Symbol.iterator]())
    const endless = data.generator(() => ({ next: () => ({ value: 5, done: false }) }))
    expect([await plain.toArray(), await later.toArray(), await endless.take(2).toArray()]).toEqual([
      [1, 2],
      [3, 4],
      [5, 5],
    ])
    expect(plain.size).toBe(null)
    expect(await data.array([]).repeat().toArray().catch(String)).toEqual([])
  })
})

describe('shuffle', () => {
  const orders = async (dataset: ls.Dataset<number>) => [await dataset.toArray(), await dataset.toArray()]

  test('is a permutation that follows from the seed and the pass', async () => {
    const [first, second] = await orders(data.array(upTo(50)).shuffle(50, 7))
    expect(first!.toSorted((a, b) => a - b)).toEqual(upTo(50))
    expect(first).not.toEqual(upTo(50))
    expect(second).not.toEqual(first)
    expect(await orders(data.array(upTo(50)).shuffle(50, 7))).toEqual([first, second])
    expect((await orders(data.array(upTo(50)).shuffle(50, 8)))[0]).not.toEqual(first)
    const [one, again] = await orders(data.array(upTo(50)).shuffle(50, 'a', false))
    expect(again).toEqual(one)
    expect((await orders(data.array(upTo(50)).shuffle(50)))[0]!.length).toBe(50)
  })

  test('draws from a window, evenly', async () => {
    const few = await data.array(upTo(100)).shuffle(10, 3).toArray()
    few.forEach((x, i) => expect(x).toBeLessThan(i + 10))
    const counts = new Array(4).fill(0)
    for (let seed = 0; seed < 4000; seed++)
      counts[(await data.array(upTo(4)).shuffle(4, seed).toArray())[0]!]++
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120)
  })
})

describe('batches', () => {
  test('keep the kind of typed arrays and tensors', async () => {
    const rows = upTo(2).map(i => ({ bytes: Uint8Array.of(i, 2), t: ls.tensor([[i]], null, 'int32') }))
    const [batch] = await data.array(rows).batch(2).toArray()
    expect(batch!.bytes).toMatchObject({ dtype: 'uint8', shape: [2, 2] })
    expect(batch!.t).toMatchObject({ dtype: 'int32', shape: [2, 1, 1] })
    expect([...batch!.bytes.values, ...batch!.t.values]).toEqual([0, 2, 1, 2, 0, 1])
  })

  test('train a model', async () => {
    const model = ls.sequential({ layers: [ls.layers.dense({ units: 1, inputShape: [2] })] })
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const dataset = data
      .array(upTo(6))
      .map(i => ({ xs: [i / 6, 1], ys: [i / 3] }))
      .batch(3)
    await dataset.forEachAsync(({ xs, ys }) => model.trainOnBatch(xs, ys))
    model.dispose()
  })
})

describe('csv', () => {
  const parsed = (text: string, options?: Parameters<typeof data.csv>[1]) =>
    withFolder(async folder => {
      const path = join(folder, 'a.csv')
      await writeFile(path, text)
      const found = await data.csv(path, options).toArray()
      expect(await data.csv(pathToFileURL(path).href, options).toArray()).toEqual(found)
      return found
    })

  test('names, numbers, text, and what is missing', async () => {
    const text = '\ufeffa,b,c\r\n1,x,\r\n-2.5e1,"y, ""z""\nw",3\n\n'
    expect(await parsed(text)).toEqual([
      { a: 1, b: 'x', c: undefined },
      { a: -25, b: 'y, "z"\nw', c: 3 },
    ])
    expect(await parsed('1;2', { hasHeader: false, delimiter: ';' })).toEqual([{ 0: 1, 1: 2 }])
    expect(await parsed('a,b\n""\n'.replace('""', '"",'), {})).toEqual([{ a: undefined, b: undefined }])
  })

  test('columns are configured', async () => {
    const options = {
      columnNames: ['p', 'q', 'r', 's'],
      columnConfigs: {
        p: { default: 7 },
        q: { dtype: 'int32', isLabel: true },
        r: { dtype: 'bool' },
      },
      configuredColumnsOnly: true,
    } as const
    expect(await parsed('a,b,c,d\n,2.7,true,1\n3,4,0,1', options)).toEqual([
      { xs: { p: 7, r: 1 }, ys: { q: 2 } },
      { xs: { p: 3, r: 0 }, ys: { q: 4 } },
    ])
    expect(await parsed('a\n05\n', { columnConfigs: { a: { dtype: 'string' } } })).toEqual([{ a: '05' }])
  })

  test.each([
    ['a,b\n1', {}, 'RangeError: csv: FILE record 1 must have 2 fields, got 1'],
    ['a,a\n1,2', {}, 'RangeError: csv: FILE must have columns of different names, got "a"; give columnNames'],
    [
      'a,b\n1,',
      { columnConfigs: { b: { required: true } } },
      'RangeError: csv: FILE record 1 must have a field in column "b", got an empty one',
    ],
    [
      'a,b\n1,2',
      { columnConfigs: { c: {} } },
      'RangeError: csv: FILE must have the columns of columnConfigs, got none called "c"; known are a, b',
    ],
    [
      'a,b\n1,2',
      { columnNames: ['a'] },
      'RangeError: csv: FILE must have the columns of columnNames, 1, got 2; correct them',
    ],
  ])('message %#', async (text, options, message) => {
    const found = await caught(() => parsed(text, options))
    expect(found.replace(/\/\S+a\.csv/, 'FILE')).toBe(message)
  })

  test('a file that is not there', async () => {
    expect(await caught(() => data.csv('/nowhere.csv').toArray())).toContain('ENOENT')
  })
})

const one = data.array([1])
test.each([
  [() => data.array(5 as never), 'TypeError: array: items must be an array, got 5; write [1, 2, 3]'],
  [
    () => data.generator(5 as never),
    'TypeError: generator: must be given a function, got 5; write function* () { … }',
  ],
  [
    () => data.generator((() => 5) as never).toArray(),
    'TypeError: generator: the function must return an iterator, got 5; write function*',
  ],
  [
    () => data.zip([one, 5] as never),
    'TypeError: zip: must be given an array or object of datasets, got 5; make them by ls.data',
  ],
  [() => one.batch(0), 'RangeError: Dataset.batch: batchSize must be a positive integer, got 0'],
  [() => one.take(-2), 'RangeError: Dataset.take: count must be a non-negative integer, got -2'],
  [() => one.shuffle(0), 'RangeError: Dataset.shuffle: bufferSize must be a positive integer, got 0'],
  [() => one.map(5 as never), 'TypeError: Dataset.map: transform must be a function, got 5; write x => …'],
  [
    () => one.repeat().toArray(),
    'RangeError: Dataset.toArray: the dataset must end, got an endless one; call take() first',
  ],
  [
    () =>
      data
        .array([ls.scalar(1), ls.tensor([1])])
        .batch(2)
        .toArray(),
    'RangeError: Dataset.batch: tensors must have one shape, dtype and scale, got float32 [] and float32 [1]',
  ],
  [
    () => data.csv('a', { delimiter: '' }),
    'TypeError: csv: delimiter must be one character, got ""; write \',\'',
  ],
])('message %#', async (run, text) => {
  expect(await caught(run as () => unknown)).toBe(text)
})
