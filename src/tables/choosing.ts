import { basename } from 'node:path'
import { show } from '../errors.ts'
import { sequential } from '../model/sequential.ts'
import type { Trainable } from '../model/trainable.ts'
import type { BaseCallback, Hooks } from '../training/callback.ts'
import { augmentation, buildImageNetwork, checkImagePlan, chooseImagePlan } from './imageNetworks.ts'
import { readNetwork } from './networkFiles.ts'
import {
  buildNetwork,
  checkPlan,
  choosePlan,
  judgedBy,
  type Monitor,
  monitorOf,
  optimizerOf,
  type Problem,
  stoppingOf,
} from './networks.ts'
import type { TrainOptions } from './options.ts'

/** What decides a network and its training, as far as it is open: less of a network of a file. */
export type ChosenPlan = {
  readonly batchSize: number
  readonly epochs: number
  readonly leaves?: number
} & Readonly<Record<string, unknown>>

/** A network and how it is trained. */
export interface Chosen {
  /** Compiled. */
  readonly model: Trainable
  /** What is saved, where that is only a part of `model`. */
  readonly saved?: Trainable
  readonly plan: ChosenPlan
  readonly callbacks: readonly (BaseCallback | Hooks)[]
  /** What decides which epoch's weights are kept. */
  readonly monitor: Monitor
  /** Sizes from inputs to outputs, as people write them. */
  readonly shape: string
}

/** What options say of a plan, over what was chosen. */
export function over<P extends object>(chosen: P, options: TrainOptions): P {
  const given = options as unknown as Partial<P>
  const names = Object.keys(chosen) as (keyof P)[]
  return Object.fromEntries(names.map(name => [name, given[name] ?? chosen[name]])) as P
}

export function refuse(options: TrainOptions, names: readonly (keyof TrainOptions)[], what: string): void {
  const name = names.find(one => options[one] !== undefined)
  if (name !== undefined)
    throw new RangeError(
      `train: ${name} must not be given for ${what}, got ${show(options[name])}; leave it out`,
    )
}

function chooseForColumns(options: TrainOptions, problem: Problem, seed: number): Chosen {
  refuse(options, ['filters', 'augment'], 'samples that are no images')
  const plan = over(choosePlan(problem, options), options)
  checkPlan(plan)
  return {
    model: buildNetwork(plan, problem, seed),
    plan: { ...plan },
    ...stoppingOf(plan, monitorOf(problem)),
    shape: [...problem.shape, ...plan.hidden].join('-'),
  }
}

function chooseForImages(options: TrainOptions, problem: Problem, seed: number): Chosen {
  refuse(options, ['l2', 'noise'], 'samples that are images')
  const plan = over(chooseImagePlan(problem), options)
  checkImagePlan(plan, problem)
  return {
    ...buildImageNetwork(plan, problem, seed),
    plan: { ...plan },
    ...stoppingOf(plan, 'val_loss'),
    shape: [problem.shape.join('×'), ...plan.filters.map(count => `${count} filters`), ...plan.hidden].join(
      '-',
    ),
  }
}

/** A network of one's own is trained as the others are, or as it was compiled. */
async function chooseOwn(options: TrainOptions, problem: Problem, seed: number): Promise<Chosen> {
  refuse(options, ['hidden', 'dropout', 'l2', 'noise', 'filters'], 'a network of a file')
  const { shape, classes, rows } = problem
  const isColumns = shape.length === 1
  if (isColumns) refuse(options, ['augment'], 'samples that are no images')
  const { model: own, path, sha256 } = await readNetwork(options.model!, problem, seed, options.modelSha256)
  const about = { model: path, modelSha256: sha256 }
  const from = `${shape.join('×')}-${basename(path)}-${classes ?? 1}`
  const asked = own.isCompiled ? { ...options, schedule: 'constant' as const } : options
  const usual = isColumns ? choosePlan(problem, asked) : chooseImagePlan(problem)
  const { weightDecay, optimizer, learningRate, batchSize, leaves, epochs, patience } = usual
  if (own.isCompiled) {
    refuse(
      options,
      ['optimizer', 'learningRate', 'weightDecay', 'leaves', 'augment'],
      'a network that is compiled',
    )
    if (options.schedule === 'cosine') refuse(options, ['schedule'], 'a network that is compiled')
    const plan = over({ schedule: 'constant' as const, batchSize, epochs, patience }, options)
    checkPlan({ ...choosePlan(problem), ...plan })
    return { model: own, plan: { ...plan, ...about }, ...stoppingOf(plan, 'val_loss'), shape: from }
  }
  const { schedule } = usual
  const plan = over(
    {
      ...{ weightDecay, optimizer, schedule, learningRate, batchSize, leaves, epochs, patience },
      ...(!isColumns && { augment: false }),
    },
    options,
  )
  checkPlan({ ...choosePlan(problem), ...plan })
  const model = plan.augment ? sequential({ layers: [...augmentation(shape), own], seed }) : own
  model.compile({
    optimizer: optimizerOf(plan, rows),
    ...judgedBy(classes),
    gradientNorm: true,
    leaves: plan.leaves,
  })
  return { model, saved: own, plan: { ...plan, ...about }, ...stoppingOf(plan, 'val_loss'), shape: from }
}

/** The network for samples of a shape, and how it is trained: one of a file, dense for columns, convolutional for images. */
export async function chooseNetwork(options: TrainOptions, problem: Problem, seed: number): Promise<Chosen> {
  if (options.model !== undefined) return chooseOwn(options, problem, seed)
  return problem.shape.length === 1
    ? chooseForColumns(options, problem, seed)
    : chooseForImages(options, problem, seed)
}
