import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as ls from '../../src/index.ts'
import { hashOf, network, type OptimizerName, optimizers, rehearse } from './rehearsal.ts'

async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Ends training after this step of its life, saving in the folder, and goes on with other workers. */
async function interruptedAt(step: number, optimizer: OptimizerName, directory: string): Promise<string> {
  const first = network(optimizer)
  const controller = new AbortController()
  const onBatchEnd = () => {
    if (++made === step) controller.abort()
  }
  let made = 0
  const stop = new ls.Callback()
  stop.onBatchEnd = onBatchEnd
  const checkpoint = ls.callbacks.checkpoint({ directory, every: { epochs: 1000 } })
  const { signal } = controller
  const cut = await rehearse(first, optimizer, {
    callbacks: [stop, checkpoint],
    signal,
    workers: 1 + (step % 2),
  })
  expect(cut).toMatchObject({ stopReason: 'aborted', checkpoint: expect.stringContaining(directory) })
  first.dispose()
  const second = network(optimizer)
  const options = { resume: directory, workers: 2 - (step % 2) }
  const history = await rehearse(second, optimizer, options)
  expect(history.resumed?.step).toBe(step)
  const hash = hashOf(second, history)
  second.dispose()
  return hash
}

describe('a resumed training ends with the bits of one that never ended', () => {
  test.each(Object.keys(optimizers) as OptimizerName[])('%s', async optimizer => {
    const model = network(optimizer)
    const whole = hashOf(model, await rehearse(model, optimizer, { workers: 1 }))
    model.dispose()
    for (const step of [1, 7, 19, 20, 21, 50, 93, 140, 199])
      expect({ step, hash: await withFolder(folder => interruptedAt(step, optimizer, folder)) }).toEqual({
        step,
        hash: whole,
      })
  })
})
