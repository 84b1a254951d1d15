import { describe, expect, test } from 'vitest'
import * as ls from '../../src/index.ts'
import { withFolder } from './folder.ts'
import { hashOf, network, type OptimizerName, optimizers, rehearse, whole } from './rehearsal.ts'
import { resumeFromAll } from './resuming.ts'

describe('a resumed training ends with the bits of one that never ended', () => {
  // 19, 38 … 190: each at another place of its epoch, and two at once with another number of workers.
  test.each(Object.keys(optimizers) as OptimizerName[])('%s, from ten of its steps', async optimizer => {
    const { saving, steps, different } = await withFolder(folder => resumeFromAll(optimizer, 19, folder))
    expect(saving).toBe(await whole(optimizer))
    expect({ steps: steps.length, different }).toEqual({ steps: 10, different: [] })
  })

  test('adam, aborted twenty times in a row', async () => {
    const expected = await whole('adam')
    await withFolder(async directory => {
      for (let i = 1; ; i++) {
        const model = network('adam')
        const controller = new AbortController()
        const stop = new ls.Callback()
        let steps = 0
        stop.onBatchEnd = () => {
          if (++steps === 1 + ((i * 7) % 17) && i <= 20) controller.abort()
        }
        const history = await rehearse(model, 'adam', {
          callbacks: [stop, ls.callbacks.checkpoint({ directory, every: { epochs: 1000 } })],
          ...{ signal: controller.signal, workers: 1 + (i % 3), resume: directory },
        })
        const hash = hashOf(model, history)
        model.dispose()
        if (history.stopReason === 'aborted') continue
        expect({ i, hash }).toEqual({ i: 21, hash: expected })
        return
      }
    })
  })
})
