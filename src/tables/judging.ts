import { inRange, oneOf } from '../errors.ts'
import type { Trainable } from '../model/trainable.ts'
import { probabilities, temperatureOf, thresholdAims, thresholdOf } from './calibration.ts'
import type { Target } from './encoding.ts'
import type { TrainOptions } from './options.ts'
import { outputsOf } from './predictions.ts'
import type { Pieces } from './rows.ts'
import { type Scores, scorerOf } from './scores.ts'

/** Scores of a model that predicts, on samples that come some at a time. */
export async function scoreOf(
  model: Trainable,
  target: Target,
  pieces: Pieces,
  workers: number | 'auto',
): Promise<Scores> {
  const scorer = scorerOf(target)
  for await (const { x, truth } of pieces) scorer.take(await outputsOf(model, x, workers), truth)
  return scorer.finish()
}

/** Finds the temperature of probabilities, and the threshold that is asked for, on the validation part. */
export async function settleClasses(
  model: Trainable,
  target: Target,
  pieces: Pieces,
  truth: ArrayLike<number>,
  { threshold, workers = 'auto' }: TrainOptions,
): Promise<void> {
  if (target.task !== 'class') return
  const outputs = new Float32Array(truth.length * target.classes.length)
  let at = 0
  for await (const { x } of pieces) {
    const predicted = await outputsOf(model, x, workers)
    outputs.set(predicted, at)
    at += predicted.length
  }
  target.temperature = temperatureOf(outputs, truth, target.classes.length)
  if (threshold === undefined) return
  target.threshold =
    typeof threshold === 'number' ? threshold : thresholdOf(probabilities(target, outputs), truth, threshold)
}

/** @throws RangeError for a threshold where there are not two classes, or that is no probability */
export function checkThreshold(where: string, threshold: unknown, target: Target): void {
  if (threshold === undefined) return
  const { task } = target
  if (task !== 'class' || target.classes.length !== 2)
    throw new RangeError(
      `${where}: threshold must be given for two classes, got ${
        task === 'class' ? `${target.classes.length} classes` : task
      }; leave it out`,
    )
  if (typeof threshold === 'string') oneOf(where, 'threshold', threshold, thresholdAims)
  else inRange(where, 'threshold', threshold, '[0, 1]')
}

/** Scores of always saying what was most common in training, or its mean. */
export function baselineOf(target: Target, training: ArrayLike<number>, scored: ArrayLike<number>): Scores {
  // Shares are probabilities as they are: no temperature, no threshold.
  const plain =
    target.task === 'class'
      ? { name: target.name, task: target.task, type: target.type, classes: target.classes }
      : target
  const scorer = scorerOf(plain)
  if (target.task === 'regression') scorer.take(new Float64Array(scored.length), scored)
  else {
    const count = target.classes.length
    const shares = new Float64Array(count)
    for (let i = 0; i < training.length; i++) shares[training[i]!]! += 1 / training.length
    const outputs = Float64Array.from({ length: count * scored.length }, (_, i) => shares[i % count]!)
    scorer.take(outputs, scored)
  }
  return scorer.finish()
}
