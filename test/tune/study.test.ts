import { readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { readStudy, type Study, tune } from '../../src/tune/tune.ts'
import { caught } from '../caught.ts'
import { withFolder } from '../checkpoints/folder.ts'
import { branin } from './functions.ts'
import { hashOf, killedStudy } from './killing.ts'

const pruner = { kind: 'hyperband', maxEpochs: 9 } as const

/** Trials that take their time by their number, so that they end in another order than they begin. */
async function study(parallel: number, path?: string, trials = 30): Promise<Study<unknown>> {
  return tune(
    branin.space,
    async ({ number, parameters, seed, report }) => {
      await sleep((number * 7) % 5)
      if (number % 11 === 5) throw new Error('unlucky')
      const value = branin.value(parameters) + (seed % 100) / 1000
      for (let epoch = 1; epoch <= 9; epoch++) if (report(epoch, value + 9 / epoch)) break
      return value
    },
    { trials, seed: 4, parallel, pruner, ...(path && { study: path }) },
  )
}

test('1, 2 and 4 trials side by side are the same study', async () => {
  const [one, two, four] = [await study(1), await study(2), await study(4)]
  expect(hashOf(two)).toBe(hashOf(one))
  expect(hashOf(four)).toBe(hashOf(one))
  const states = new Set(one.trials.map(({ state }) => state))
  expect(states).toEqual(new Set(['complete', 'pruned', 'failed']))
})

test('a study whose process is killed goes on to the same study', async () => {
  const { kills, whole, found } = await withFolder(folder => killedStudy(folder, 5, 1))
  expect(kills).toBe(5)
  expect(found).toBe(whole)
}, 60_000)

test('a file that is cut anywhere goes on to the same study', async () => {
  await withFolder(async folder => {
    const path = join(folder, 's.jsonl')
    const whole = hashOf(await study(2, path, 14))
    const bytes = await readFile(path)
    const header = bytes.indexOf('\n') + 1
    const cuts = [0, 3, header - 1, header, header + 1, bytes.length - 1, bytes.length - 40, bytes.length / 2]
    for (const cut of cuts) {
      await writeFile(path, bytes)
      await truncate(path, Math.floor(cut))
      expect(hashOf(await study(1, path, 14))).toBe(whole)
      expect(hashOf(await readStudy(path))).toBe(whole)
    }
    // Locks and temporary files are gone.
    expect(await readdir(folder)).toEqual(['s.jsonl'])
  })
})

test('a longer study begins as a shorter one, and goes on from its file', async () => {
  await withFolder(async folder => {
    const path = join(folder, 's.jsonl')
    await study(2, path, 12)
    expect(hashOf(await study(4, path, 20))).toBe(hashOf(await study(1, undefined, 20)))
  })
})

test('what is no study, or another one, is refused', async () => {
  await withFolder(async folder => {
    const path = join(folder, 's.jsonl')
    await study(1, path, 3)
    const text = await readFile(path, 'utf8')
    const messageOf = async (content: string, run = () => study(1, path, 4) as Promise<unknown>) => {
      await writeFile(path, content)
      return (await caught(run)).replaceAll(folder, '').replace(/^\w+: /, '')
    }
    const other = () => tune({ x: { float: [0, 1] } }, () => 0, { study: path })
    expect(await messageOf(text, other)).toMatch(
      /^tune: space must be that of the study in \/s.jsonl, \{"x".+ got \{"x"/,
    )
    const seed = () => tune(branin.space, () => 0, { study: path, pruner, seed: 5 })
    expect(await messageOf(text, seed)).toMatch(/^tune: seed must be that of .+, 4, got 5; restore it/)
    expect(await messageOf(text.replace('"complete"', '"done"'))).toBe(
      'tune: /s.jsonl line 2: state must be complete, pruned or failed, got "done"; restore the file, or begin another',
    )
    expect(await messageOf(text.replace('"x":', '"z":'))).toMatch(/line 1|space/)
    expect(await messageOf(`${text}${text.split('\n')[1]}\n`)).toMatch(
      /line 5: each trial must be there once, got 0/,
    )
    expect(await messageOf('[]\n')).toMatch(/line 1: the first line must describe a study, got \[\]/)
    expect(await messageOf(text.replace('"sampler":{', '"sampler":{"kin":1,'))).toMatch(
      /line 1: the first line must describe a study, got another: tune: sampler .+ unknown option "kin"/,
    )
    expect(await messageOf(text.replace(/"lag":\d+/, '"lag":0'))).toMatch(
      /line 1: lag must be 1, 2, …, got 0/,
    )
    expect(await messageOf(text.replace('"number":1,', '"number":1,"number":1,'))).toMatch(
      /line 3 .+"number" twice/,
    )
  })
})

test('one process writes a study at a time; several may lie in a folder', async () => {
  await withFolder(async folder => {
    const path = join(folder, 'a.jsonl')
    const inside = async () => {
      await study(1, join(folder, 'b.jsonl'), 2)
      const refusal = await caught(() => study(1, path, 2))
      return refusal.includes('must have one writer, got this process') ? 1 : 0
    }
    const { trials } = await tune({ x: { choice: [1] } }, inside, { study: path, trials: 1 })
    expect(trials[0]!.value).toBe(1)
    expect((await readdir(folder)).sort()).toEqual(['a.jsonl', 'b.jsonl'])
  })
})

test('an aborted study drops the trials in progress, and goes on', async () => {
  await withFolder(async folder => {
    const path = join(folder, 's.jsonl')
    const stop = new AbortController()
    const objective = async ({
      number,
      parameters,
      signal,
    }: {
      number: number
      parameters: { x: number }
      signal: AbortSignal
    }) => {
      if (number === 6 && !stop.signal.aborted) stop.abort()
      await sleep(1)
      return signal.aborted ? -1 : parameters.x
    }
    const space = { x: { float: [0, 1] } } as const
    const options = { study: path, trials: 9, seed: 1, parallel: 3 }
    const cut = await tune(space, objective, { ...options, signal: stop.signal })
    expect(cut.trials.length).toBeLessThan(7)
    const again = await tune(space, objective, options)
    expect(again.trials.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    expect(again.best!.value).toBeGreaterThan(0)
  })
})

test('trials of a module run on threads; one that ends its thread has failed', async () => {
  const url = new URL('./objective.ts', import.meta.url)
  const space = { x: { float: [0, 1] }, mode: { choice: ['fine', 'throw', 'exit'] } } as const
  const options = { trials: 12, seed: 1, sampler: 'random', pruner: 'median' } as const
  const found = await tune(space, url, { ...options, parallel: 3 })
  expect(hashOf(found)).toBe(hashOf(await tune(space, url, options)))
  for (const { state, error, parameters } of found.trials) {
    if (parameters.mode === 'fine') expect(state).not.toBe('failed')
    if (parameters.mode === 'throw') expect(error).toBe('Error: as asked')
    if (parameters.mode === 'exit') expect(error).toBe('Error: the thread ended with exit code 3')
  }
  const lost = await caught(() => tune(space, new URL('./statistics.ts', import.meta.url), options))
  expect(lost).toMatch(/must export the objective by default, got undefined; write export default/)
})
