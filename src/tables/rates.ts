import { findLearningRate, type RateRange } from '../model/rateRange.ts'
import { type Chosen, chooseNetwork } from './choosing.ts'
import { checkTrainOptions, type TrainOptions } from './options.ts'
import { chooseFitting } from './room.ts'
import { groundOf, prepareTable } from './trying.ts'
import { Warnings } from './warnings.ts'

export interface RateOptions {
  /** The first rate. Default 1e-6. */
  from?: number
  /** The last one, unless the loss grows too large before. Default 10. */
  to?: number
  /** Updates, as many passes as it takes. Default 200. */
  steps?: number
}

/** What a range test found, and what was tested. */
export type TableRates = RateRange & Pick<Chosen, 'plan' | 'shape'> & { readonly rows: number }

/**
 * A learning-rate range test of the network that `trainTable` would train, on the training part.
 * @throws as `trainTable` and `findLearningRate`
 */
export async function findTableRate({
  from,
  to,
  steps,
  ...training
}: TrainOptions & RateOptions): Promise<TableRates> {
  checkTrainOptions(training, 'table')
  const { seed = 7, workers = 'auto', signal } = training
  const prepared = await prepareTable(training)
  const ground = groundOf(prepared, training)
  const choose = (more?: object) => chooseNetwork({ ...training, ...more }, ground.problem, seed)
  const { model, plan, shape } = await chooseFitting(choose, training, ground, new Warnings())
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
  return { ...found, plan, shape, rows: ground.problem.rows }
}
