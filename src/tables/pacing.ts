import type { Trainable } from '../model/trainable.ts'
import type { Samples } from './learning.ts'

const warmingSteps = 6
const timedSteps = 6

/** Seconds that a training step of a network takes here, which is used up by it. */
export async function secondsAStep(
  model: Trainable,
  { x, y }: Samples,
  batchSize: number,
  workers: number | 'auto',
): Promise<number> {
  const options = { batchSize, epochs: 1, seed: 0 }
  const warm = await model.fit(x, y, { ...options, workers, stepsPerEpoch: warmingSteps })
  const start = performance.now()
  await model.fit(x, y, { ...options, workers: warm.workers, stepsPerEpoch: timedSteps })
  const seconds = (performance.now() - start) / 1000
  model.dispose()
  return seconds / timedSteps
}
