import type { History } from '../model/history.ts'
import type { FitOptions } from '../model/options.ts'
import type { Batches } from '../model/pass.ts'
import type { Lesson, Samples } from './learning.ts'
import type { TrainOptions } from './options.ts'
import { roomFor } from './room.ts'

/** Mini-batches that are read ahead of the workers, at most. */
const prefetch = 8

const areSamples = (data: Samples | Batches): data is Samples => 'x' in data

/** Trains the network of a lesson, on samples in memory or as they are read; goes on from `directory` if that is asked. */
export function fitLesson(
  { model, plan, training, validation, held, stepsPerEpoch, classWeight }: Lesson,
  options: TrainOptions,
  seed: number,
  callbacks: NonNullable<FitOptions['callbacks']>,
  { directory, isValidated }: { readonly directory: string; readonly isValidated: boolean },
): Promise<History> {
  const { workers = 'auto', maxSeconds, maxMemory, signal, resume = false } = options
  const room = roomFor(maxMemory, held)
  const common = {
    epochs: plan.epochs,
    seed,
    workers,
    ...(classWeight && { classWeight }),
    ...(maxSeconds !== undefined && { maxSeconds }),
    ...(room !== undefined && { maxMemory: room }),
    ...(signal && { signal }),
    ...(resume && { resume: directory }),
    callbacks,
  }
  if (!areSamples(training) || !areSamples(validation))
    return model.fitDataset(training as Batches, {
      ...common,
      prefetch,
      ...(isValidated && { validationData: validation as Batches }),
    })
  return model.fit(training.x, training.y, {
    ...common,
    batchSize: plan.batchSize,
    ...(isValidated && { validationData: [validation.x, validation.y] }),
    ...(stepsPerEpoch !== undefined && { stepsPerEpoch }),
  })
}
