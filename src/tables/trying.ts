import type { History } from '../model/history.ts'
import type { Trainable } from '../model/trainable.ts'
import { type Chosen, type ChosenPlan, chooseNetwork } from './choosing.ts'
import type { Target } from './encoding.ts'
import type { LabelledSamples, Samples } from './learning.ts'
import { judgedBy, type Problem } from './networks.ts'
import type { TrainConfiguration } from './options.ts'
import type { Held } from './room.ts'
import type { Parts } from './splitting.ts'
import type { Warnings } from './warnings.ts'

/** Samples that networks are tried on, one after the other. */
export interface Ground {
  readonly target: Target
  readonly problem: Problem
  /** Of a text without the truth, which the targets say. */
  readonly training: Partial<LabelledSamples> & Samples
  readonly validation: Partial<LabelledSamples> & Samples
  readonly held: Held
  /** Bytes that a training may take, if that is limited. */
  readonly room: number | undefined
  readonly classWeight: Readonly<Record<number, number>> | undefined
  /** The network of a plan. */
  choose(plan: ChosenPlan, seed: number): Promise<Chosen>
}

/** Rows that are trained on, and rows that decide. */
export type Divided = Pick<Parts, 'training' | 'validation'>

/** Data to try networks on: as it is divided, or divided in another way. */
export interface TrialData {
  readonly target: Target
  readonly problem: Problem
  readonly parts: Parts
  /** What is trained without a search, where that is known. */
  readonly standard?: ChosenPlan
  /** Number of a row's class, or the number that is predicted; of a text none. */
  truthAt?(row: number): number
  /** Of rows that are to stay together. */
  groupAt?(row: number): number
  readonly warnings: Warnings
  /** These rows, prepared by what those say that are trained on; without `parts` those of the data. */
  ground(parts?: Divided): Ground
}

/** What is trained without a search. @throws as `chooseNetwork` */
export async function standardPlan(
  options: TrainConfiguration,
  { problem, standard }: TrialData,
): Promise<ChosenPlan> {
  if (standard) return standard
  const { model, plan } = await chooseNetwork(options, problem, options.seed ?? 7)
  model.dispose()
  return plan
}

export interface TryOptions {
  readonly seed: number
  readonly workers?: number | 'auto'
  readonly signal?: AbortSignal | undefined
  /** All epochs, and the last weights: nothing stops it early. */
  readonly toTheEnd?: boolean
  /** Hears of the loss on the validation part. */
  readonly onEpoch?: (epoch: number, loss: number) => void
}

/**
 * Trains a network as `train` does, to the same bits; it is to be disposed of. `losses`: on the validation part after each
 * epoch, without the penalty of l2, so that plans can be compared.
 */
export async function tryPlan(
  { problem, training, validation, room, classWeight, choose }: Ground,
  plan: ChosenPlan,
  { seed, workers = 'auto', signal, toTheEnd = false, onEpoch }: TryOptions,
): Promise<{ model: Trainable; history: History; losses: readonly number[] }> {
  const { model, callbacks, plan: own } = await choose(plan, seed)
  const { objectives, leaves, mixUp, optimizer } = model.compiled
  const { loss, metrics } = judgedBy(problem.classes)
  const { batchSize, epochs, steps } = own
  model.compile({ optimizer, loss: objectives.loss, metrics: [loss, ...metrics], leaves, mixUp })
  const heldLoss = `val_${loss}`
  try {
    const history = await model.fit(training.x, training.y, {
      batchSize,
      epochs,
      ...(steps !== undefined && { stepsPerEpoch: Math.ceil((steps as number) / epochs) }),
      validationData: [validation.x, validation.y],
      seed,
      workers,
      ...(classWeight && { classWeight }),
      ...(signal && { signal }),
      ...(room !== undefined && { maxMemory: room }),
      callbacks: [
        ...(toTheEnd ? [] : callbacks),
        { onEpochEnd: (epoch, logs) => onEpoch?.(epoch, logs![heldLoss]!) },
      ],
    })
    return { model, history, losses: history.history[heldLoss] ?? [] }
  } catch (error) {
    model.dispose()
    throw error
  }
}

/** The lowest loss on the validation part, in the unit of training. */
export async function lossOf(ground: Ground, plan: ChosenPlan, options: TryOptions): Promise<number> {
  const { model, losses } = await tryPlan(ground, plan, options)
  model.dispose()
  return losses.reduce((least, loss) => Math.min(least, loss), Number.POSITIVE_INFINITY)
}
