import { runPowerLoss } from '../checkpoints/powerLoss.ts'
import type { Campaign } from './index.ts'

/** 100,000 distinct states of a disk after the power went. */
export const powerLoss: Campaign = async print => {
  const { states, repeated, failures } = await runPowerLoss(100_000, 2)
  print(`${states} distinct states (${repeated} more came up again), ${failures.length} failed`)
  return failures
}
