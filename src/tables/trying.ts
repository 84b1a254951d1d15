import type { History } from '../model/history.ts'
import type { Trainable } from '../model/trainable.ts'
import { type Chosen, type ChosenPlan, chooseNetwork, planOf } from './choosing.ts'
import { Encoder } from './encoder.ts'
import { classWeightsOf } from './learning.ts'
import { judgedBy, type Problem } from './networks.ts'
import type { TableConfiguration, TrainConfiguration, TrainOptions } from './options.ts'
import { checkColumn } from './planning.ts'
import { type Prepared, prepare, samplesOfParts, type TableSamples, withParts } from './preparing.ts'
import { type Held, roomFor } from './room.ts'
import { openTable } from './source.ts'
import { Warnings } from './warnings.ts'

/** Samples that networks are tried on, one after the other. */
export interface Ground {
  readonly prepared: Prepared
  readonly problem: Problem
  readonly training: TableSamples
  readonly validation: TableSamples
  readonly held: Held
  /** Bytes that a training may take, if that is limited. */
  readonly room: number | undefined
  readonly classWeight: Readonly<Record<number, number>> | undefined
  /** The network of a plan. */
  choose(plan: object, seed: number): Promise<Chosen>
}

/** Reads a table to try networks on. */
export async function prepareTable(options: TrainOptions): Promise<Prepared> {
  const table = await openTable(options.data, options)
  const given = options as TableConfiguration & TrainOptions
  checkColumn(table, 'target', given.target)
  return prepare(table, given, new Warnings())
}

/** What a network is chosen for. */
function problemOf({ parts, target, preprocessing }: Prepared): Problem {
  const { width, lookups } = new Encoder(preprocessing.columns)
  const classes = target.task === 'class' ? target.classes.length : undefined
  return { rows: parts.training.length, classes, shape: [width], lookups }
}

/** A table's parts, or other ones of it, encoded by what the rows say that are trained on. */
export function groundOf(
  prepared: Prepared,
  options: TrainConfiguration,
  parts: Pick<Prepared['parts'], 'training' | 'validation'> = prepared.parts,
): Ground {
  const own = parts === prepared.parts ? prepared : withParts(prepared, options, parts)
  const { training, validation, held } = samplesOfParts(own)
  const problem = problemOf(own)
  const { classes } = problem
  return {
    prepared: own,
    problem,
    training,
    validation,
    held,
    room: roomFor(prepared.maxMemory, held),
    classWeight: options.balance && classes ? classWeightsOf(training.truth, classes) : undefined,
    choose(plan, seed) {
      // Other parts may have other words, and a module's network then other inputs.
      const { modelSha256: _, ...asked } = { ...options, ...plan }
      return chooseNetwork(asked, problem, seed)
    },
  }
}

/** What is trained without a search. @throws as `chooseNetwork` */
export async function standardPlan(options: TrainConfiguration, prepared: Prepared): Promise<ChosenPlan> {
  const problem = problemOf(prepared)
  if (options.model === undefined) return { ...planOf(options, problem) }
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
 * Trains a network as `trainTable` does, to the same bits; it is to be disposed of. `losses`: on the validation part after each
 * epoch, without the penalty of l2, so that plans can be compared.
 */
export async function tryPlan(
  { problem, training, validation, room, classWeight, choose }: Ground,
  plan: ChosenPlan,
  { seed, workers = 'auto', signal, toTheEnd = false, onEpoch }: TryOptions,
): Promise<{ model: Trainable; history: History; losses: readonly number[] }> {
  const { model, callbacks } = await choose(plan, seed)
  const { objectives, leaves, mixUp, optimizer } = model.compiled
  const { loss, metrics } = judgedBy(problem.classes)
  model.compile({ optimizer, loss: objectives.loss, metrics: [loss, ...metrics], leaves, mixUp })
  const heldLoss = `val_${loss}`
  try {
    const history = await model.fit(training.x, training.y, {
      batchSize: plan.batchSize,
      epochs: plan.epochs,
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
