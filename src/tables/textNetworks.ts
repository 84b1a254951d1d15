import { basename } from 'node:path'
import { positiveInteger, show } from '../errors.ts'
import { input } from '../layers/input.ts'
import type { SymbolicTensor } from '../layers/symbolic.ts'
import * as layers from '../layers/table.ts'
import { type Model, model } from '../model/functional.ts'
import type { Trainable } from '../model/trainable.ts'
import type { MetricName } from '../training/metrics.ts'
import { train } from '../training/optimizers.ts'
import { schedules } from '../training/schedules.ts'
import { type Chosen, refuse } from './choosing.ts'
import { readNetwork } from './networkFiles.ts'
import { stoppingOf } from './networks.ts'
import type { TrainOptions } from './options.ts'

/** What a network for text and its training are made of. */
export interface TextPlan {
  /** Of attention and two dense layers each. */
  readonly blocks: number
  /** Numbers that stand for a character within the network; heads of attention have 32 each. */
  readonly width: number
  /** Characters that the network sees. */
  readonly context: number
  readonly dropout: number
  readonly learningRate: number
  readonly batchSize: number
  /** As those of tables have. */
  readonly leaves: number
  readonly steps: number
}

const common = { context: 64, learningRate: 2e-3, batchSize: 32, leaves: 1 }

/** From the largest to the smallest that suits so many characters; each takes about a third of the time of the one before. */
export function textPlans(characters: number): TextPlan[] {
  const plans = [
    { ...common, blocks: 4, width: 128, dropout: characters < 5e6 ? 0.05 : 0, steps: 4000 },
    { ...common, blocks: 3, width: 96, dropout: 0.1, steps: 3000 },
    { ...common, blocks: 2, width: 64, dropout: 0.1, steps: 2000 },
    { ...common, blocks: 1, width: 32, dropout: 0.1, steps: 1000 },
  ]
  return plans.slice(characters > 500_000 ? 0 : characters > 100_000 ? 1 : characters > 20_000 ? 2 : 3)
}

/** @throws RangeError naming what is wrong */
export function checkTextPlan(plan: TextPlan): void {
  for (const name of ['blocks', 'width', 'context', 'batchSize', 'leaves', 'steps'] as const)
    positiveInteger('train', name, plan[name])
  if (plan.width % 32 !== 0 && plan.width > 32)
    throw new RangeError(
      `train: width must be a multiple of 32, got ${plan.width}; try ${32 * Math.ceil(plan.width / 32)}`,
    )
  if (!(plan.dropout >= 0 && plan.dropout < 1))
    throw new RangeError(`train: dropout must be in [0, 1), got ${show(plan.dropout)}`)
  if (!(plan.learningRate > 0 && plan.learningRate < Infinity))
    throw new RangeError(`train: learningRate must be a number > 0, got ${show(plan.learningRate)}`)
}

/** Applies layers one after the other. */
const chain = (x: SymbolicTensor, ...parts: readonly { apply(x: SymbolicTensor): SymbolicTensor }[]) =>
  parts.reduce((value, layer) => layer.apply(value), x)

/**
 * A decoder of transformer blocks with normalisation before attention and before the dense layers, as in GPT-2 (A. Radford et
 * al., 2019): characters (context) → what follows each of them (context, vocabulary).
 */
function buildTextNetwork(plan: TextPlan, vocabulary: number, seed: number): Model {
  const { blocks, width, context, dropout } = plan
  const numHeads = Math.max(1, width / 32)
  const dropped = () => (dropout > 0 ? [layers.dropout({ rate: dropout })] : [])
  const inputs = input({ shape: [context] })
  let x = chain(
    inputs,
    layers.embedding({ inputDim: vocabulary, outputDim: width }),
    layers.positionEmbedding({}),
    ...dropped(),
  )
  for (let i = 0; i < blocks; i++) {
    const attended = chain(
      x,
      layers.layerNormalization({}),
      layers.multiHeadAttention({ numHeads, keyDim: width / numHeads, useCausalMask: true }),
      ...dropped(),
    )
    x = layers.add({}).apply([x, attended]) as SymbolicTensor
    const thought = chain(
      x,
      layers.layerNormalization({}),
      layers.dense({ units: 4 * width, activation: 'gelu' }),
      layers.dense({ units: width }),
      ...dropped(),
    )
    x = layers.add({}).apply([x, thought]) as SymbolicTensor
  }
  const softmax = layers.dense({ units: vocabulary, activation: 'softmax' })
  const network = model({ inputs, outputs: chain(x, layers.layerNormalization({}), softmax), seed })
  compileForText(network, plan)
  return network
}

/** AdamW, whose rate rises and falls to a twentieth; `metrics` beside the loss. */
function compileForText(network: Trainable, plan: TextPlan, metrics: readonly MetricName[] = []): void {
  const { steps } = plan
  const warmupSteps = Math.ceil(steps / 30)
  const learningRate = schedules.cosine({
    initialLearningRate: 0,
    warmupTarget: plan.learningRate,
    warmupSteps,
    decaySteps: Math.max(1, steps - warmupSteps),
    alpha: 0.05,
  })
  network.compile({
    optimizer: train.adamw({ learningRate, weightDecay: 0.1, beta2: 0.99, globalClipNorm: 1 }),
    loss: 'sparseCategoricalCrossentropy',
    metrics,
    leaves: plan.leaves,
  })
}

/** Passes in which the steps are taken: twenty that end with a look at the validation part, or as many as the windows ask for. */
function epochsOf({ steps, batchSize }: TextPlan, windows: number): number {
  const all = Math.ceil(steps / Math.ceil(windows / batchSize))
  return Math.max(1, all, Math.min(20, Math.floor(steps / 50)))
}

/** The network of a plan, a GPT or that of a file, and how it is trained on so many characters and windows of them. */
export async function chooseTextNetwork(
  options: TrainOptions,
  plan: TextPlan,
  {
    vocabulary,
    rows,
    windows,
  }: { readonly vocabulary: number; readonly rows: number; readonly windows: number },
  seed: number,
): Promise<Chosen> {
  const { blocks, width, dropout, ...open } = plan
  const from = `${plan.context} characters of ${vocabulary}`
  const epochs = options.epochs ?? epochsOf(plan, windows)
  positiveInteger('train', 'epochs', epochs)
  const stopping = stoppingOf({ schedule: 'cosine', patience: epochs }, 'val_loss')
  if (options.model === undefined)
    return {
      model: buildTextNetwork(plan, vocabulary, seed),
      plan: { ...plan, epochs },
      shape: `${from}-${blocks} blocks of ${width}`,
      ...stopping,
    }
  refuse(options, ['blocks', 'width', 'dropout'], 'a network of a file')
  const problem = { shape: [plan.context], classes: vocabulary, isText: true, rows }
  const { model, path, sha256 } = await readNetwork(options.model, problem, seed, options.modelSha256)
  // Penalties are in the loss, but no nats.
  compileForText(model, plan, ['sparseCategoricalCrossentropy'])
  return {
    model,
    plan: { ...open, epochs, model: path, modelSha256: sha256 },
    shape: `${from}-${basename(path)}`,
    ...stopping,
  }
}
