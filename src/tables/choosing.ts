import { show } from '../errors.ts'
import type { Trainable } from '../model/trainable.ts'
import type { BaseCallback, Hooks } from '../training/callback.ts'
import { callbacks } from '../training/callbacks.ts'
import { buildImageNetwork, checkImagePlan, chooseImagePlan } from './imageNetworks.ts'
import { buildNetwork, checkPlan, choosePlan, type Plan } from './networks.ts'
import type { TrainOptions } from './options.ts'

/** A network and how it is trained. */
export interface Chosen {
  /** Compiled. */
  readonly model: Trainable
  /** What is saved, where that is only a part of `model`. */
  readonly saved?: Trainable
  readonly plan: { readonly batchSize: number; readonly epochs: number } & Readonly<Record<string, unknown>>
  readonly callbacks: readonly (BaseCallback | Hooks)[]
  /** Sizes from inputs to outputs, as people write them. */
  readonly shape: string
}

/** What options say of a plan, over what was chosen. */
function over<P extends object>(chosen: P, options: TrainOptions): P {
  const given = options as unknown as Partial<P>
  const names = Object.keys(chosen) as (keyof P)[]
  return Object.fromEntries(names.map(name => [name, given[name] ?? chosen[name]])) as P
}

function refuse(options: TrainOptions, names: readonly (keyof TrainOptions)[], samples: string): void {
  const name = names.find(one => options[one] !== undefined)
  if (name !== undefined)
    throw new RangeError(
      `train: ${name} must not be given for samples that are ${samples}, got ${show(options[name])}; leave it out`,
    )
}

const untilBest = (patience: number) =>
  callbacks.earlyStopping({ monitor: 'val_loss', patience, restoreBestWeights: true })

/** The rate is halved where the validation loss stands still; later, training ends, with the best epoch's weights. */
const untilItStandsStill = (patience: number) => [
  untilBest(patience),
  callbacks.reduceLROnPlateau({
    monitor: 'val_loss',
    factor: 0.5,
    patience: Math.max(2, Math.floor(patience / 3)),
  }),
]

function chooseForColumns(
  options: TrainOptions,
  width: number,
  classes: number | undefined,
  rows: number,
  seed: number,
): Chosen {
  refuse(options, ['filters', 'augment'], 'no images')
  const plan = over(choosePlan(rows), options)
  checkPlan(plan)
  const model = buildNetwork(plan, width, classes, seed)
  return {
    model,
    plan: { ...plan },
    callbacks: untilItStandsStill(plan.patience),
    shape: [width, ...plan.hidden].join('-'),
  }
}

function chooseForImages(
  options: TrainOptions,
  shape: readonly number[],
  classes: number | undefined,
  rows: number,
  seed: number,
): Chosen {
  refuse(options, ['l2'], 'images')
  const plan = over(chooseImagePlan(rows, shape), options)
  checkPlan({ ...plan, l2: 0 } satisfies Plan)
  checkImagePlan(plan, shape)
  return {
    ...buildImageNetwork(plan, shape, classes, rows, seed, options.augment === true),
    plan: { ...plan },
    callbacks: [untilBest(plan.patience)],
    shape: [shape.join('×'), ...plan.filters.map(count => `${count} filters`), ...plan.hidden].join('-'),
  }
}

/** The network for samples of a shape, and how it is trained: dense for columns, convolutional for images. */
export const chooseNetwork = (
  options: TrainOptions,
  shape: readonly number[],
  classes: number | undefined,
  rows: number,
  seed: number,
): Chosen =>
  shape.length === 1
    ? chooseForColumns(options, shape[0]!, classes, rows, seed)
    : chooseForImages(options, shape, classes, rows, seed)
