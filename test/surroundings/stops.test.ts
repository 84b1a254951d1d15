import { expect, test } from 'vitest'
import * as ls from '../../src/index.ts'
import { rehearsal } from '../checkpoints/rehearsal.ts'
import { stopAndGo } from './stopping.ts'

test('a process that is stopped for longer than a worker may be silent goes on as if nothing had been', async () => {
  const epochs = 60
  const { hash } = await rehearsal(ls, 'adam', epochs).train({ workers: 1 })
  const stopped = { epochs, stallMs: 1500, stopped: [2500, 2500], running: 20 }
  expect(await stopAndGo(stopped)).toEqual({ said: ['begun', hash], complaint: '', stops: 2 })
}, 240_000)
