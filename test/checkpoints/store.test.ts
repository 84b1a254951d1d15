import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import type { Checkpoint } from '../../src/checkpoints/checkpoint.ts'
import { openStore } from '../../src/checkpoints/store.ts'
import { noise } from '../bed.ts'
import { caught } from '../caught.ts'

const root = mkdtempSync(join(tmpdir(), 'store-'))
let directory = ''
let runs = 0
beforeEach(() => void (directory = join(root, `run${runs++}`, 'inner')))
afterAll(() => rmSync(root, { recursive: true }))

/** A checkpoint that tells its number. */
const numbered = (step: number): Checkpoint => ({
  header: { step, history: { loss: [0.5, 0.25] } },
  tensors: new Map([['w', { dtype: 'float32', shape: [3, step], data: noise(3 * step, step) }]]),
})
const names = () => readdirSync(directory).filter(name => !name.startsWith('.lock'))

test('the newest of what was saved is read again, equal in all', async () => {
  const store = await openStore({ directory })
  expect(await store.newest()).toBeUndefined()
  for (const step of [1, 2]) await store.save(numbered(step), { step })
  const newest = (await store.newest())!
  expect(newest.checkpoint).toEqual(numbered(2))
  expect(newest.skipped).toEqual([])
  expect(basename(newest.path)).toBe('step-000000000002-save-000002.ckpt')
  await store.close()
  expect(readdirSync(directory).sort()).toEqual([
    'step-000000000001-save-000001.ckpt',
    'step-000000000002-save-000002.ckpt',
  ])
})

test('all but the newest and the best are removed', async () => {
  const store = await openStore({ directory, keep: 2 })
  for (const step of [1, 2, 3, 4, 5, 6]) await store.save(numbered(step), { step, best: step < 3 })
  expect((await store.list()).map(({ step, best }) => [step, best])).toEqual([
    [2, true],
    [5, false],
    [6, false],
  ])
  await store.close()
})

test('one that does not validate is skipped, with the reason', async () => {
  const store = await openStore({ directory })
  const paths = [1, 2, 3].map(step => store.save(numbered(step), { step }))
  const [, second, third] = await Promise.all(paths)
  const bytes = readFileSync(third!)
  bytes[200]! ^= 1
  writeFileSync(third!, bytes)
  writeFileSync(second!, bytes.subarray(0, 100))
  const { path, checkpoint, skipped } = (await store.newest())!
  expect(checkpoint).toEqual(numbered(1))
  expect(path).toContain('step-000000000001')
  expect(skipped.map(each => each.path)).toEqual([third, second])
  expect(skipped[0]!.reason).toContain('must have the SHA-256')
  await store.close()
})

test('a second writer is refused, a reader is not', async () => {
  const store = await openStore({ directory })
  await store.save(numbered(1), { step: 1 })
  expect(await caught(() => openStore({ directory }))).toContain('must have one writer, got this process')
  const reader = await openStore({ directory, readOnly: true })
  expect((await reader.newest())!.checkpoint).toEqual(numbered(1))
  expect(await caught(() => reader.save(numbered(2), { step: 2 }))).toContain('got one that is read-only')
  await store.close()
  await (await openStore({ directory })).close()
  expect(names()).toHaveLength(1)
})
