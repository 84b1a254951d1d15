import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { charactersOf, codesOf, windowsOf } from '../src/tables/texts.ts'
import { Warnings } from '../src/tables/warnings.ts'
import { commandBed } from './commandBed.ts'

const { folder, run, done, refused } = commandBed('text')
const quick = ['--workers', '1']
const novel = gunzipSync(
  readFileSync(fileURLToPath(new URL('../examples/data/moby-dick.txt.gz', import.meta.url))),
).toString()
const write = (name: string, text: string | Uint8Array) => writeFileSync(join(folder, name), text)

test('a text becomes a model that expects what follows, and writes', { timeout: 150_000 }, () => {
  write('novel.txt', novel.slice(30_000, 80_000))
  const args = ['novel.txt', '--text', '--blocks', '1', '--width', '32', '--context', '32', '--steps', '400']
  const result = JSON.parse(done('train', ...args, '--json', ...quick))
  expect(result).toMatchObject({
    kind: 'text',
    task: 'text',
    from: '32 characters before it',
    rows: { training: 45_000, validation: 2500, test: 2500 },
    network: { blocks: 1, width: 32, steps: 400, epochs: 8 },
    scores: { part: 'test', model: { task: 'text' } },
  })
  const { model, baseline } = result.scores
  // Of 32 characters of a window the first are hard to tell.
  expect(model.nats).toBeLessThan(baseline.nats - 0.25)
  expect(model.bits).toBeCloseTo(model.nats / Math.LN2, 10)
  expect(baseline.perplexity).toBeCloseTo(Math.exp(baseline.nats), 8)

  write('new.txt', `${novel.slice(90_000, 92_000)}☃☃`)
  const evaluated = run('evaluate', 'novel.model', 'new.txt', '--json', ...quick)
  expect(evaluated.stderr).toBe(
    'warning: new.txt: characters that are not known, and count as others: 2 (the first: "☃")\n',
  )
  expect(JSON.parse(evaluated.stdout).nats).toBeLessThan(baseline.nats - 0.1)
  expect(done('evaluate', 'novel.model', 'new.txt', ...quick)).toMatch(
    /rows: .* nats \(.* bits\) a character, perplexity/,
  )
  expect(done('inspect', 'novel.model')).toMatch(
    /novel.model: text of \d+ characters \(.*\), each from 32 before it/,
  )

  const wrote = (...more: string[]) =>
    done('predict', 'novel.model', '--prompt', 'the whale ', '--length', '60', ...more)
  const text = wrote()
  expect(text).toHaveLength(10 + 60 + 1)
  expect(text.startsWith('the whale ')).toBe(true)
  expect(wrote('--seed', '1')).toBe(text)
  expect(wrote('--seed', '2')).not.toBe(text)
  expect(wrote('--temperature', '0', '--seed', '3')).toBe(wrote('--temperature', '0'))
  expect(JSON.parse(wrote('--json'))).toEqual({ prompt: 'the whale ', text: text.slice(10, -1) })
  wrote('--output', 'written.txt')
  expect(readFileSync(join(folder, 'written.txt'), 'utf8')).toBe(text)
})

test('size and steps are chosen for the time there is, and kept', { timeout: 150_000 }, () => {
  write('short.txt', novel.slice(30_000, 36_000))
  const result = JSON.parse(done('train', 'short.txt', '--text', '--max-seconds', '5', '--json', ...quick))
  expect(result.network).toMatchObject({ blocks: 1, width: 32, context: 64 })
  const { steps, epochs } = JSON.parse(readFileSync(join(folder, 'short.model/configuration.json'), 'utf8'))
  expect([result.network.steps, result.network.epochs]).toEqual([steps, epochs])
  expect(steps).toBeGreaterThanOrEqual(20)
  expect(steps).toBeLessThanOrEqual(1000)
})

test('what cannot be trained on, or continued, is refused', () => {
  write('tiny.txt', 'abc')
  expect(refused(1, 'train', 'tiny.txt', '--text')).toMatch(
    'tiny.txt: must have 1000 characters or more, got 3',
  )
  write('latin.txt', Buffer.from(novel.slice(0, 5000).replaceAll('e', '\xe9'), 'latin1'))
  expect(refused(1, 'train', 'latin.txt', '--text')).toMatch('latin.txt: must be UTF-8, got other bytes')
  expect(refused(1, 'train', 'novel.txt', '--text', '--hidden', '8', '--out', 'no')).toMatch(
    'train: hidden must not be given for a text, got [8]; leave it out',
  )
  expect(refused(1, 'train', 'novel.txt', '--text', '--width', '40', '--out', 'no')).toMatch(
    'train: width must be a multiple of 32, got 40; try 64',
  )
  expect(
    refused(
      1,
      'train',
      'short.txt',
      '--text',
      '--context',
      '400',
      '--steps',
      '1',
      '--width',
      '32',
      '--out',
      'no',
    ),
  ).toMatch(
    'short.txt: must have parts of more than 400 characters, the context, got 300; give a smaller context',
  )
  expect(refused(1, 'predict', 'novel.model', '--prompt', 'a☃')).toMatch(
    'predict: prompt must be of characters of the training, got "☃"; leave it out',
  )
  expect(refused(1, 'predict', 'novel.model', '--prompt', 'a', '--temperature', '-1')).toMatch(
    'predict: temperature must be a number >= 0, got -1',
  )
  expect(refused(2, 'predict', 'novel.model')).toMatch('predict: DATA must be given, got none')
  expect(refused(2, 'predict', 'novel.model', 'new.txt', '--prompt', 'a')).toMatch(
    'DATA must not be given with --prompt',
  )
  expect(refused(1, 'predict', 'novel.model', 'new.txt')).toMatch('a model of text must be given a prompt')
})

test('characters and windows', () => {
  const characters = charactersOf('banana 😀!')
  expect(characters).toEqual([' ', '!', 'a', 'b', 'n', '😀', '\ufffd'])
  const warnings = new Warnings()
  const codes = codesOf('t', 'ban😀q', characters, warnings)
  expect([...codes]).toEqual([3, 2, 4, 5, 6])
  expect(warnings.lines()).toEqual([
    't: characters that are not known, and count as others: 1 (the first: "q")',
  ])
  const { x, y } = windowsOf(
    Int32Array.from({ length: 10 }, (_, i) => i),
    4,
    3,
  )
  expect(x.arraySync()).toEqual([
    [0, 1, 2, 3],
    [3, 4, 5, 6],
  ])
  expect(y.shape).toEqual([2, 4, 1])
  expect([...y.values]).toEqual([1, 2, 3, 4, 4, 5, 6, 7])
  expect(windowsOf(new Int32Array(1000), 4, 1, 10).x.shape[0]).toBeLessThanOrEqual(10)
})
