import type { Trainable } from '../model/trainable.ts'
import type { Samples } from './learning.ts'
import type { TrainOptions } from './options.ts'

const warmingSteps = 6
const timedSteps = 6

/** Seconds that a training step of a network takes here, which is used up by it; undefined where it takes more memory. */
export async function secondsAStep(
  model: Trainable,
  { x, y }: Samples,
  batchSize: number,
  { workers = 'auto', maxMemory }: Pick<TrainOptions, 'workers' | 'maxMemory'>,
): Promise<number | undefined> {
  const options = { batchSize, epochs: 1, seed: 0, ...(maxMemory !== undefined && { maxMemory }) }
  try {
    const warm = await model.fit(x, y, { ...options, workers, stepsPerEpoch: warmingSteps })
    const start = performance.now()
    await model.fit(x, y, { ...options, workers: warm.workers, stepsPerEpoch: timedSteps })
    return (performance.now() - start) / 1000 / timedSteps
  } catch (error) {
    if (maxMemory !== undefined && error instanceof RangeError) return undefined
    throw error
  } finally {
    model.dispose()
  }
}
