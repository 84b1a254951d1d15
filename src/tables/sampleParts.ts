import type { Tensor } from '../data/tensor.ts'
import { chooseNetwork } from './choosing.ts'
import { momentsOf, type Target } from './encoding.ts'
import { classWeightsOf, type LabelledSamples, targetsOf } from './learning.ts'
import type { Problem } from './networks.ts'
import type { KindName, TrainOptions } from './options.ts'
import { bytesOf, roomFor } from './room.ts'
import { fitScaling, pick, type Scaling, scaled } from './scaling.ts'
import { type Parts, splitStratified } from './splitting.ts'
import type { Divided, Ground, TrialData } from './trying.ts'
import type { Warnings } from './warnings.ts'

/** Samples with what is to be predicted of each: numbers of classes, or the numbers themselves. */
export interface Labelled {
  readonly x: Tensor
  readonly truth: Float64Array
}

/** Samples that are arrays of numbers: columns (k), or images (height, width, channels). */
export interface SampleData {
  readonly kind: KindName
  /** What the inputs are, as people say it. */
  readonly from: string
  /** Name of what is predicted. */
  readonly target: string
  /** Undefined for regression. */
  readonly classes: readonly string[] | undefined
  readonly train: Labelled
  /** Drawn from the others if there is none. */
  readonly test: Labelled | undefined
  readonly setAside: number
  /** What the report calls a sample, and how it tells which one it is. */
  readonly place: { readonly name: string; at(part: 'train' | 'test', sample: number): number | string }
}

/** Draws parts so that each class has its share; of data with a test part, none for the test. */
export function divideSamples(
  { train, test: own, classes }: SampleData,
  { validation = 0.15, test, seed = 7 }: TrainOptions,
): Parts {
  if (own && test !== undefined)
    throw new RangeError(`train: test must not be given for data with a test part, got ${test}; leave it out`)
  return splitStratified(
    Uint32Array.from(train.truth.keys()),
    row => (classes ? train.truth[row]! : 0),
    { validation, test: own ? 0 : (test ?? 0.15) },
    seed,
  )
}

const someOf = ({ x, truth }: Labelled, rows: Uint32Array): Labelled => ({
  x: pick(x, rows),
  truth: Float64Array.from(rows, row => truth[row]!),
})

/** Parts as a network takes them. */
export interface SampleParts {
  readonly problem: Problem
  readonly target: Target
  readonly scaling: Scaling
  readonly training: LabelledSamples<Tensor>
  readonly validation: LabelledSamples<Tensor>
  /** Those that are only scored. */
  test(rows: Uint32Array): LabelledSamples<Tensor>
  /** Bytes of all samples but the test's. */
  readonly bytes: number
}

/** Scales samples by those that are trained on. */
export function scaleSamples(data: SampleData, { training: rows, validation }: Divided): SampleParts {
  const { train, classes } = data
  const target = (
    classes
      ? { name: data.target, task: 'class', type: 'number', classes }
      : { name: data.target, task: 'regression', type: 'number', ...momentsOf(train.truth, rows) }
  ) as Target
  const training = someOf(train, rows)
  const scaling = fitScaling(training.x)
  const ready = ({ x, truth }: Labelled) => ({ x: scaled(x, scaling), y: targetsOf(target, truth), truth })
  const parts = { training: ready(training), validation: ready(someOf(train, validation)) }
  return {
    problem: { shape: train.x.shape.slice(1), classes: classes?.length, rows: rows.length },
    target,
    scaling,
    ...parts,
    test: rows => ready(data.test ?? someOf(train, rows)),
    bytes: bytesOf(
      train.x,
      ...(data.test ? [data.test.x] : []),
      training.x,
      parts.training.x,
      parts.validation.x,
    ),
  }
}

/** Samples to try networks on. */
export function sampleTrials(data: SampleData, options: TrainOptions, warnings: Warnings): TrialData {
  const parts = divideSamples(data, options)
  const { truth } = data.train
  const groundOf = (some: Divided): Ground => {
    const { problem, target, training, validation, bytes } = scaleSamples(data, some)
    const held = { samples: bytes }
    const { classes } = problem
    return {
      target,
      problem,
      training,
      validation,
      held,
      room: roomFor(options.maxMemory, held),
      classWeight: options.balance && classes ? classWeightsOf(training.truth, classes) : undefined,
      choose: (plan, seed) => chooseNetwork({ ...options, ...plan }, problem, seed),
    }
  }
  const own = groundOf(parts)
  return {
    target: own.target,
    problem: own.problem,
    parts,
    truthAt: row => truth[row]!,
    warnings,
    ground: some => (some ? groundOf(some) : own),
  }
}
