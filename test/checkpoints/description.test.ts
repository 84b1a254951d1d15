import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStore } from '../../src/checkpoints/store.ts'
import { checkpoints } from '../../src/index.ts'
import { caught } from '../caught.ts'
import { bytesOf, numbered } from './bytes.ts'

const root = mkdtempSync(join(tmpdir(), 'description-'))
let path = ''
beforeAll(async () => {
  const store = await openStore({ directory: root })
  const header = { step: 3, history: { loss: Array(40).fill(0.125) }, note: null }
  await store.save(numbered(2), { step: 2 })
  path = await store.save({ ...numbered(3), header }, { step: 3 })
  await store.close()
})
afterAll(() => rmSync(root, { recursive: true }))

test('it tells what a file holds', async () => {
  const { header, tensors, byteLength, sha256, path: found } = await checkpoints.describe(path)
  expect(found).toBe(path)
  expect(header.step).toBe(3)
  const bytes = bytesOf({ ...numbered(3), header })
  expect([byteLength, sha256]).toEqual([bytes.length, bytes.toString('hex', bytes.length - 32)])
  expect(tensors.map(({ name, dtype, shape, byteLength }) => [name, dtype, shape, byteLength])).toEqual([
    ['dense/kernel', 'float32', [2, 3], 24],
    ['totals', 'float64', [], 8],
    ['order', 'int32', [3], 12],
    ['mask', 'uint8', [3], 3],
  ])
  expect(bytes.readFloatLE(tensors[0]!.offset + 4)).toBe(Math.fround(1 / 3))
})

test('it prints the newest in a directory, long values cut', async () => {
  const lines: string[] = []
  await checkpoints.print(root, line => lines.push(line))
  expect(lines[0]).toMatch(new RegExp(`^${basename(path)}: 872 bytes, SHA-256 [0-9a-f]{64}$`))
  expect(lines.slice(1)).toEqual([
    'step: 3',
    `history: {"loss":[${'0.125,'.repeat(13)}0...`,
    'note: null',
    'dense/kernel  float32  [2, 3]  24 bytes',
    'totals        float64  []      8 bytes',
    'order         int32    [3]     12 bytes',
    'mask          uint8    [3]     3 bytes',
  ])
})

test('what is no checkpoint is refused', async () => {
  expect(await caught(() => checkpoints.describe(''))).toBe(
    'TypeError: describe: path must be that of a checkpoint or a directory, got ""',
  )
  const empty = mkdtempSync(join(root, 'empty-'))
  expect(await caught(() => checkpoints.print(empty))).toBe(
    `RangeError: describe: ${empty} must have a checkpoint, got none; choose another directory`,
  )
  const file = new URL(import.meta.url).pathname
  expect(await caught(() => checkpoints.describe(file))).toMatch(
    /^RangeError: describe: .*description.test.ts must begin with 934c535445500d0a, got /,
  )
})
