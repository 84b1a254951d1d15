import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { tune } from '../../src/tune/tune.ts'
import { hashOf } from './killing.ts'
import { onTable } from './tableCourse.ts'
import { networks } from './tables.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('on wine Hyperband reaches the loss of full trials in half of the epochs', async () => {
  const { score, within, share } = await onTable('wine', 18, 2)
  console.log(
    `wine: ${within.toFixed(4)} in ${Math.round(100 * share)} % of the epochs, ${score.toFixed(4)} in all`,
  )
  expect(share).toBeLessThanOrEqual(0.5)
  expect(within).toBeLessThanOrEqual(score + 0.005)
}, 60_000)

test('networks are trained side by side on threads of their own, to the same study', async () => {
  const url = new URL('./networkObjective.ts', import.meta.url)
  const options = { trials: 6, seed: 3, sampler: 'random' } as const
  const two = await tune(networks, url, { ...options, parallel: 2 })
  const { default: objective } = await import('./networkObjective.ts')
  expect(two.trials.every(({ state }) => state === 'complete')).toBe(true)
  expect(hashOf(two)).toBe(hashOf(await tune(networks, objective, options)))
}, 60_000)

test('the example of docs/tuning.md runs', async () => {
  const page = readFileSync(join(root, 'docs/tuning.md'), 'utf8')
  const source = /^```ts\n(.+?)^```/ms
    .exec(page)![1]!
    .replace("'lockstep'", "'../../src/index.ts'")
    .replace("'lockstep/tune'", "'../../src/tune/tune.ts'")
    .replaceAll('console.log', 'printed.push')
  await mkdir(join(root, 'tmp'), { recursive: true })
  const folder = await mkdtemp(join(root, 'tmp/tuning-'))
  try {
    const file = join(folder, 'example.ts')
    const ring = join(folder, 'ring.jsonl')
    await writeFile(
      file,
      `export const printed = []\n${source.replace("'ring.jsonl'", JSON.stringify(ring))}`,
    )
    const { printed } = (await import(pathToFileURL(file).href)) as { printed: unknown[] }
    const table = String(printed[0]).split('\n')
    expect(table).toHaveLength(4)
    expect(Number(/complete +(\S+)/.exec(table[1]!)![1])).toBeLessThan(0.25)
    expect((await readFile(ring, 'utf8')).split('\n')).toHaveLength(42)
  } finally {
    await rm(folder, { recursive: true })
  }
}, 60_000)
