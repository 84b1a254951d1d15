import { expect, test } from 'vitest'
import { lagWhile, trainings } from '../../bench/lag.ts'

test.each(Object.entries(trainings()))(
  'the event loop goes on turning during %s',
  async (_, train) => {
    const { p99 } = await lagWhile(() => train(1))
    expect(p99).toBeLessThan(500)
  },
  60_000,
)
