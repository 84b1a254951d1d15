import { join } from 'node:path'
import type { History } from '../model/history.ts'
import { bestEpochOf } from '../report/curves.ts'
import { callbacks } from '../training/callbacks.ts'
import type { EpochRecord } from '../training/recorder.ts'
import { fitLesson } from './fitting.ts'
import { files } from './folder.ts'
import type { Lesson } from './learning.ts'
import { fewRows } from './networks.ts'
import type { TrainOptions } from './options.ts'
import type { Warnings } from './warnings.ts'

/** Whether a network is trained once more, with the rows of the validation part, which have decided for how long. */
export const isRefit = ({ refit }: TrainOptions, { whole, rows }: Lesson): boolean =>
  whole !== undefined && (refit ?? (rows.training < fewRows && rows.test > 0))

/** Epochs that were good: all of them where the rate has fallen to its end, otherwise up to the best. */
function goodEpochs({ lesson, history }: Refit, epochs: readonly EpochRecord[]): number {
  const hasFallen = lesson.plan.schedule === 'cosine' && history.stopReason !== 'earlyStopping'
  return hasFallen ? epochs.length : bestEpochOf(epochs, lesson.monitor) + 1
}

/** A training with the rows of the validation part, and what came of it. */
export interface Refit {
  readonly lesson: Lesson
  readonly history: History
}

/**
 * Trains anew on all rows but the test's, for as many epochs and at the same rates as were good on the training part. Source:
 * I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016), algorithm 7.2. Undefined where no time or memory is left.
 */
export async function refit(
  folder: string,
  options: TrainOptions,
  { lesson, history }: Refit,
  epochs: readonly EpochRecord[],
  seed: number,
  warnings: Warnings,
): Promise<Refit | undefined> {
  const { maxSeconds, maxMemory, progress, ...others } = options
  const skip = (why: string) => warnings.say(`the validation part is not trained on: ${why}`)
  const { training, validation } = lesson.rows
  const seconds = (history.worked.seconds * (training + validation)) / training
  const left = maxSeconds === undefined ? Infinity : maxSeconds - history.worked.seconds
  if (history.stopReason === 'maxSeconds' || seconds > left) {
    skip('there is no time left')
    return undefined
  }
  const whole = await lesson.whole!().catch(error => {
    // A network of a file may not fit what the rows of the validation part add.
    if (!(error instanceof RangeError) || (options.model ?? maxMemory) === undefined) throw error
    skip(options.model === undefined ? 'there is no memory left' : error.message)
  })
  if (!whole) return undefined
  const { plan, rows } = whole
  const count = goodEpochs({ lesson, history }, epochs)
  progress?.refit?.({ rows: rows.training, epochs: count })
  const directory = join(folder, files.refit)
  const done = await fitLesson(
    { ...whole, plan: { ...plan, epochs: count } },
    { ...others, ...(maxMemory !== undefined && { maxMemory }) },
    seed,
    [
      callbacks.checkpoint({ directory, every: { seconds: 30 }, keep: 2 }),
      ...(plan.schedule === 'plateau'
        ? [callbacks.learningRateScheduler(epoch => epochs[epoch]!.learningRate)]
        : []),
    ],
    { directory, isValidated: false },
  )
  return { lesson: whole, history: done }
}
