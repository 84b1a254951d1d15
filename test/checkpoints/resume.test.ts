import { describe, expect, test } from 'vitest'
import * as ls from '../../src/index.ts'
import { withFolder } from './folder.ts'
import { optimizerNames, rehearsal } from './rehearsal.ts'
import { resumeFromAll } from './resuming.ts'

describe('a resumed training ends with the bits of one that never ended', () => {
  // 19, 38 … 190: each at another place of its epoch.
  test.each(optimizerNames)('%s, from ten of its steps', async name => {
    const { hash } = await rehearsal(ls, name).train({ workers: 1 })
    const { saving, steps, different } = await withFolder(folder => resumeFromAll(name, 19, folder))
    expect({ saving, steps: steps.length, different }).toEqual({ saving: hash, steps: 10, different: [] })
  })

  test('aborted twenty times in a row', async () => {
    const { train } = rehearsal(ls, 'adam')
    const whole = await train({ workers: 1 })
    await withFolder(async directory => {
      for (let i = 1; ; i++) {
        const controller = new AbortController()
        const stop = new ls.Callback()
        let steps = 0
        stop.onBatchEnd = () => {
          if (++steps === 1 + ((i * 7) % 17) && i <= 20) controller.abort()
        }
        const { history, hash } = await train({
          callbacks: [stop, ls.callbacks.checkpoint({ directory, every: { epochs: 1000 } })],
          ...{ signal: controller.signal, workers: 1 + (i % 2), resume: directory },
        })
        if (history.stopReason === 'aborted') continue
        expect({ i, hash }).toEqual({ i: 21, hash: whole.hash })
        return
      }
    })
  })
})
