import { positiveInteger, show } from '../errors.ts'
import type { Layer } from '../layers/define.ts'
import * as layers from '../layers/table.ts'
import { type Sequential, sequential } from '../model/sequential.ts'
import type { Trainable } from '../model/trainable.ts'
import { checkPlan, lossFor, optimizerOf, type Plan, type Problem } from './networks.ts'

/** What a network for images and its training are made of. */
export interface ImagePlan extends Omit<Plan, 'l2' | 'noise'> {
  /** Of each 3 × 3 convolution, after which height and width are halved. */
  readonly filters: readonly number[]
  /** Whether images are mirrored, moved and zoomed a little while they are trained on. */
  readonly augment: boolean
}

/** Images are halved down to so many rows or columns. */
const smallest = 3

/** A sound choice for so many images to train on. */
export function chooseImagePlan({ rows, shape: [height, width] }: Problem): ImagePlan {
  const filters: number[] = []
  for (let side = Math.min(height!, width!); side > smallest; side = Math.floor(side / 2))
    filters.push(Math.min(128, 32 * 2 ** filters.length))
  const common = {
    filters: filters.length > 0 ? filters : [32],
    augment: false,
    hidden: [256],
    dropout: 0.3,
    weightDecay: 0.01,
    leaves: 1,
    optimizer: 'adam',
    schedule: 'cosine',
    learningRate: 2e-3,
  } as const
  if (rows < 2000) return { ...common, hidden: [128], batchSize: 32, epochs: 40, patience: 10 }
  if (rows < 20_000) return { ...common, batchSize: 64, epochs: 20, patience: 6 }
  return { ...common, batchSize: 128, epochs: 8, patience: 3 }
}

/** @throws RangeError naming what is wrong */
export function checkImagePlan(plan: ImagePlan, { shape: [height, width] }: Problem): void {
  checkPlan({ ...plan, l2: 0, noise: 0 })
  const { filters, augment } = plan
  if (typeof augment !== 'boolean')
    throw new TypeError(`train: augment must be true or false, got ${show(augment)}`)
  if (!Array.isArray(filters) || filters.length === 0)
    throw new RangeError(
      `train: filters must be a list of positive integers, got ${show(filters)}; try 32,64,128`,
    )
  for (const count of filters) positiveInteger('train', 'filters', count)
  if (2 ** filters.length > Math.min(height!, width!))
    throw new RangeError(
      `train: filters must be few enough for images of ${height}×${width} to be halved as often, ` +
        `got ${filters.length}; leave some out`,
    )
}

/** A convolution whose statistics are normalised, then half the height and width. */
const convolution = (filters: number, shape: object): Layer[] => [
  layers.conv2d({
    filters,
    kernelSize: 3,
    padding: 'same',
    useBias: false,
    kernelInitializer: 'heNormal',
    ...shape,
  }),
  layers.batchNormalization({ momentum: 0.9 }),
  layers.reLU({}),
  layers.maxPooling2d({ poolSize: 2 }),
]

/** Things look the same in a mirror, a little to the side and a little larger. */
export const augmentation = (inputShape: readonly number[]): Layer[] => [
  layers.randomFlip({ mode: 'horizontal', inputShape }),
  layers.randomTranslation({ heightFactor: 0.06, widthFactor: 0.06, fillMode: 'constant' }),
  layers.randomZoom({ heightFactor: 0.08, fillMode: 'constant' }),
]

/**
 * The network: convolutions, dense layers, softmax over `classes` or one number. If it augments, `model` moves the pixels
 * first, and `saved` is the part of it that does not.
 */
export function buildImageNetwork(
  plan: ImagePlan,
  { shape, classes, rows }: Problem,
  seed: number,
): { model: Trainable; saved: Sequential } {
  const dropout = () => (plan.dropout > 0 ? [layers.dropout({ rate: plan.dropout })] : [])
  const saved = sequential({
    layers: [
      ...plan.filters.flatMap((filters, i) => convolution(filters, i === 0 ? { inputShape: shape } : {})),
      layers.flatten({}),
      ...dropout(),
      ...plan.hidden.flatMap(units => [layers.dense({ units, activation: 'relu' }), ...dropout()]),
      layers.dense(classes ? { units: classes, activation: 'softmax' } : { units: 1 }),
    ],
    seed,
  })
  const model = plan.augment ? sequential({ layers: [...augmentation(shape), saved], seed }) : saved
  model.compile({
    optimizer: optimizerOf(plan, rows),
    loss: lossFor(classes),
    leaves: plan.leaves,
  })
  return { model, saved }
}
