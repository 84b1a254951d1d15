import { findLearningRate, type RateRange } from '../model/rateRange.ts'
import type { Chosen } from './choosing.ts'
import { trialDataOf } from './kinds.ts'
import type { TrainOptions } from './options.ts'
import { chooseFitting } from './room.ts'
import { standardPlan } from './trying.ts'

export interface RateOptions {
  /** The first rate. Default 1e-6. */
  from?: number
  /** The last one, unless the loss grows too large before. Default 10. */
  to?: number
  /** Updates, as many passes as it takes. Default 200. */
  steps?: number
}

/** What a range test found, and what was tested. */
export type TrainRates = RateRange &
  Pick<Chosen, 'plan' | 'shape'> & {
    readonly rows: number
    readonly warnings: readonly string[]
  }

/**
 * A learning-rate range test of the standard network of `train`, on the training part.
 * @throws as `train` and `findLearningRate`
 */
export async function findTrainRate({
  from,
  to,
  steps,
  ...training
}: TrainOptions & RateOptions): Promise<TrainRates> {
  const data = await trialDataOf(training)
  const { seed = 7, workers = 'auto', signal } = training
  const ground = data.ground()
  const standard = await standardPlan(training, data)
  const choose = (more?: object) => ground.choose({ ...standard, ...more }, seed)
  const { warnings } = data
  const { model, plan, shape } = await chooseFitting(choose, training, ground, warnings)
  const range = { from, to, steps }
  const found = await findLearningRate(model, ground.training.x, ground.training.y, {
    ...Object.fromEntries(Object.entries(range).filter(([, value]) => value !== undefined)),
    batchSize: plan.batchSize,
    seed,
    workers,
    ...(ground.classWeight && { classWeight: ground.classWeight }),
    ...(signal && { signal }),
  })
  model.dispose()
  return { ...found, plan, shape, rows: ground.problem.rows, warnings: warnings.lines() }
}
