import { show } from '../errors.ts'
import type { Trainable } from '../model/trainable.ts'
import type { BaseCallback, Hooks } from '../training/callback.ts'
import { buildImageNetwork, checkImagePlan, chooseImagePlan } from './imageNetworks.ts'
import { buildNetwork, checkPlan, choosePlan, type Plan, type Problem, stoppingOf } from './networks.ts'
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
export function over<P extends object>(chosen: P, options: TrainOptions): P {
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

/** What options say, over what is chosen for so many rows. */
export function planOf(options: TrainOptions, rows: number): Plan {
  const plan = over(choosePlan(rows), options)
  checkPlan(plan)
  return plan
}

function chooseForColumns(options: TrainOptions, problem: Problem, seed: number): Chosen {
  refuse(options, ['filters', 'augment'], 'no images')
  const plan = planOf(options, problem.rows)
  return {
    model: buildNetwork(plan, problem, seed),
    plan: { ...plan },
    callbacks: stoppingOf(plan),
    shape: [...problem.shape, ...plan.hidden].join('-'),
  }
}

function chooseForImages(options: TrainOptions, problem: Problem, seed: number): Chosen {
  refuse(options, ['l2', 'noise'], 'images')
  const plan = over(chooseImagePlan(problem), options)
  checkImagePlan(plan, problem)
  return {
    ...buildImageNetwork(plan, problem, seed, options.augment === true),
    plan: { ...plan },
    callbacks: stoppingOf(plan),
    shape: [problem.shape.join('×'), ...plan.filters.map(count => `${count} filters`), ...plan.hidden].join(
      '-',
    ),
  }
}

/** The network for samples of a shape, and how it is trained: dense for columns, convolutional for images. */
export const chooseNetwork = (options: TrainOptions, problem: Problem, seed: number): Chosen =>
  problem.shape.length === 1
    ? chooseForColumns(options, problem, seed)
    : chooseForImages(options, problem, seed)
