import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { randomNumbers } from '../src/data/random.ts'
import { Tensor } from '../src/data/tensor.ts'
import { writeParquet } from '../src/formats/parquet.ts'
import { Encoder } from '../src/tables/encoder.ts'
import { type Encoding, EncodingLearner } from '../src/tables/encoding.ts'
import { evaluateTable, openTable, predictTable, profile, trainTable, Warnings } from '../src/tables/index.ts'
import { textLines } from '../src/tables/lines.ts'
import { columnOf } from '../src/tables/words.ts'

const folder = mkdtempSync(join(tmpdir(), 'inputs-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('texts become words, weighed by how rare they are, as scikit-learn does', () => {
  const column = columnOf('note', 'text')
  const texts = ['the cat sat', 'The CAT, the cat!', 'a dog sat', undefined, 'the bird', 'the cat']
  for (const text of texts) column.push(text)
  const learner = new EncodingLearner(column)
  learner.take(column, [0, 1])
  learner.take(column, [2, 3, 4])
  const encoding = learner.finish(true, 1) as Extract<Encoding, { type: 'text' }>
  // Of the training rows: a, bird, dog and "!" occur once; the last row is not one of them.
  expect(encoding.words).toEqual(['the', 'cat', 'sat'])
  expect(encoding.indicator).toBe(true)
  const x = new Encoder([encoding]).tensors([column], [1, 3, 4]) as Tensor
  const rarity = [Math.log(6 / 4) + 1, Math.log(6 / 3) + 1]
  const row = rarity.map(one => (1 + Math.log(2)) * one)
  const length = Math.hypot(...row)
  expect(x.shape).toEqual([3, 4])
  expect([...x.values].map(value => value.toFixed(5))).toEqual(
    [row[0]! / length, row[1]! / length, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0].map(value => value.toFixed(5)),
  )
})

test.each(['', '\n'])(
  'lines are whole, however they are cut while they are read; at the end %j',
  async end => {
    const lengths = [
      1,
      0,
      65_535,
      65_536,
      65_537,
      3,
      200_000,
      ...Array.from({ length: 90_000 }, (_, i) => i % 7),
    ]
    const lines = lengths.map(
      (length, i) => 'aé東𐐷'.repeat(length).slice(0, length) + (i % 1000 === 0 ? '\r' : 'x'),
    )
    const path = join(folder, 'lines.txt')
    writeFileSync(path, `\ufeff${lines.join('\n')}${end}`)
    const read: string[] = []
    for await (const piece of textLines('lines.txt', path)) {
      expect(piece.line).toBe(read.length + 1)
      read.push(...piece.lines)
    }
    // What half a character becomes in a file.
    const written = lines.map(line => Buffer.from(line).toString())
    expect(read.length).toBe(written.length)
    expect(read.findIndex((line, i) => line !== written[i])).toBe(-1)
  },
)

test('words of other scripts, and columns that are no prose', async () => {
  const column = columnOf('t', 'text')
  for (const text of ["L'été 2024 à Köln", '東京 is 東', "don't"]) column.push(text)
  expect(column.words).toEqual(["l'été", '2024', 'à', 'köln', '東', '京', 'is', "don't"])
  expect(column.word(0)).toBe("l'été 2024 à köln")
  const names = Array.from({ length: 100 }, (_, i) => `id-${i},word${i} and more ${i % 7}`)
  writeFileSync(join(folder, 'names.csv'), ['id,note', ...names].join('\n'))
  const columns = await profile(await openTable(join(folder, 'names.csv')), new Warnings())
  expect(columns.map(({ type, useless }) => [type, useless])).toEqual([
    ['text', 'it is text of one word each that hardly repeats'],
    ['text', undefined],
  ])
})

/** Complaints have words of their own, among many that say nothing. */
function mails(count: number, seed: number): string[] {
  const draw = randomNumbers(seed)
  const words = (list: string[], n: number) =>
    Array.from({ length: n }, () => list[Math.floor(draw() * list.length)]!).join(' ')
  const plain = Array.from(
    { length: 200 },
    (_, i) => `word${String.fromCharCode(97 + (i % 26), 97 + Math.floor(i / 26))}`,
  )
  return Array.from({ length: count }, (_, i) => {
    const isComplaint = i % 3 === 0
    return `"${words(plain, 8)} ${words(isComplaint ? ['late', 'broken', 'refund'] : ['thanks', 'great', 'happy'], 2)}",${isComplaint}`
  })
}

test('a network learns from a column of text', { timeout: 120_000 }, async () => {
  writeFileSync(join(folder, 'mails.csv'), ['text,complaint', ...mails(600, 1)].join('\n'))
  writeFileSync(join(folder, 'new.csv'), ['text,complaint', ...mails(200, 2)].join('\n'))
  const out = join(folder, 'mails')
  const result = await trainTable({
    data: join(folder, 'mails.csv'),
    target: 'complaint',
    out,
    epochs: 20,
    workers: 1,
  })
  expect(result.columns).toEqual([{ name: 'text', type: 'text' }])
  expect(result.network.inputs).toBeGreaterThan(100)
  const { scores } = await evaluateTable(out, join(folder, 'new.csv'), { workers: 1 })
  expect(scores).toMatchObject({ task: 'class', accuracy: 1 })
  expect(JSON.parse(readFileSync(join(out, 'preprocessing.json'), 'utf8')).columns[0].words).toContain(
    'refund',
  )
})

test('text without words that repeat is set aside', async () => {
  const lines = Array.from({ length: 60 }, (_, i) => `${i},x${i}y z${i}w ${i}`)
  writeFileSync(
    join(folder, 'unique.csv'),
    ['n,note,m', ...lines.map((line, i) => `${line},${i % 5}.5`)].join('\n'),
  )
  const data = join(folder, 'unique.csv')
  const only = { data, target: 'n', ignore: ['m'], out: join(folder, 'never') }
  await expect(trainTable(only)).rejects.toThrow(
    /must have a column to predict from, got only text that does not repeat/,
  )
})

test('categories of a table of many rows are looked up, and tell apart what they are', {
  timeout: 180_000,
}, async () => {
  const place = (i: number) => (i * 7919) % 40
  async function* rows(count: number) {
    for (let i = 0; i < count; i++)
      yield {
        place: i % 1000 === 5 ? undefined : `p${place(i)}`,
        day: 1e12 + i * 1e5,
        size: (i % 17) / 17,
        cost: (place(i) % 2) * 4 + (i % 17) / 17,
      }
  }
  const data = join(folder, 'many.parquet')
  await writeParquet(data, rows(290_000))
  const out = join(folder, 'many')
  const result = await trainTable({ data, target: 'cost', ignore: ['day'], out, epochs: 2, workers: 2 })
  expect(result.rows.training).toBe(203_000)
  expect(result.network.inputs).toBe(2)
  expect(result.scores!.model).toMatchObject({ task: 'regression' })
  expect((result.scores!.model as { r2: number }).r2).toBeGreaterThan(0.98)
  expect(result.rowsPerSecond).toBeGreaterThan(1000)
  expect(Object.keys(result.seconds)).toEqual(['reading', 'encoding', 'training'])
  const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'))
  expect(report.importance.columns[0].name).toBe('place')
  writeFileSync(join(folder, 'few.csv'), 'place,size\np1,0.5\np2,0.5\nnowhere,0.5\n,0.5\n')
  const { rows: predicted, warnings } = await predictTable(out, join(folder, 'few.csv'), { workers: 1 })
  const values: number[] = []
  for await (const { prediction } of predicted) values.push(prediction as number)
  expect(values[0]).toBeCloseTo(4.5, 0)
  expect(values[1]).toBeCloseTo(0.5, 0)
  expect(values.every(Number.isFinite)).toBe(true)
  expect(warnings.lines().join()).toMatch(/column "place": values that were not seen in training: 1/)
})

test('rows of numbers and words, joined and taken apart again', () => {
  const number = columnOf('n', 'number')
  const word = columnOf('w', 'category')
  for (const [n, w] of [
    [1, 'a'],
    [2, 'b'],
    [3, undefined],
    [4, 'c'],
  ] as const) {
    number.push(n)
    word.push(w)
  }
  const encodings: Encoding[] = [
    { name: 'w', type: 'category', words: ['b', 'a'], other: false, embedded: true, indicator: true },
    { name: 'n', type: 'number', mean: 0, deviation: 1, indicator: false },
  ]
  const encoder = new Encoder(encodings)
  const heard: number[] = []
  const tensors = encoder.tensors([word, number], [0, 1, 2, 3], (_, row) => heard.push(row)) as Tensor[]
  expect(tensors.map(({ dtype, shape }) => [dtype, shape])).toEqual([
    ['float32', [4, 1]],
    ['int32', [4, 1]],
  ])
  expect([...tensors[1]!.values]).toEqual([1, 0, 3, 2])
  expect(heard).toEqual([3])
  const joined = encoder.joined(tensors)
  expect(joined.arraySync()).toEqual([
    [1, 1],
    [2, 0],
    [3, 3],
    [4, 2],
  ])
  expect(encoder.places).toEqual([
    { from: 1, to: 2 },
    { from: 0, to: 1 },
  ])
  expect((encoder.parted(joined) as Tensor[]).map(tensor => tensor.arraySync())).toEqual(
    tensors.map(tensor => tensor.arraySync()),
  )
  const alone = new Encoder(encodings.slice(0, 1))
  const words = alone.tensors([word], [0, 1]) as Tensor
  expect(words.dtype).toBe('int32')
  expect(alone.parted(new Tensor(Float32Array.of(1, 0), [2, 1], 'float32'))).toMatchObject({ dtype: 'int32' })
})
