import { expect, test } from 'vitest'
import { runPowerLoss } from './powerLoss.ts'

test('power loss: whatever of the unsynced is lost, the last checkpoint saved is there, or a later one', {
  timeout: 120_000,
}, async () => {
  const { states, repeated, failures } = await runPowerLoss(3000, 1)
  console.log(
    `${states} distinct states after a loss of power (${repeated} more came up again), ${failures.length} failed`,
  )
  expect(failures).toEqual([])
  expect(states).toBeGreaterThanOrEqual(2000)
})
