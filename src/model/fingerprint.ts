import type { Rows } from '../data/inputs.ts'
import { isPlainObject, show } from '../errors.ts'
import type { Layer } from '../layers/define.ts'
import { closed } from '../layers/shapes.ts'
import { kernelDigest } from '../runtime/tiers.ts'
import type { BaseCallback } from '../training/callback.ts'
import type { FitDatasetSettings } from './datasetOptions.ts'
import { describeRows, digestOf } from './digest.ts'
import { byName, type FitData, type Part } from './fitData.ts'
import type { Internals } from './internals.ts'
import { type Changeable, changeable, type FitSettings, type TrainingSettings } from './options.ts'
import type { Packable } from './packing.ts'
import { recordStep } from './record.ts'

export type Described = { [key: string]: Packable }
/** What bits depend on, in the words of `allowChange`. */
export type Fingerprint = { [name in Changeable]: Described }

/** Updates whose rates stand for a schedule, which may be a function. */
const sampledUpdates = [0, 1, 2, 10, 100, 1000, 10_000, 100_000]

/** Objects as plain data: layers by kind and options, functions by name; names of layers do not matter. */
function plain(value: unknown, depth = 0): Packable {
  if (value === undefined || value === null || depth > 20) return null
  if (typeof value === 'function') return `function ${value.name}`
  if (typeof value !== 'object') return typeof value === 'bigint' ? `${value}` : (value as Packable)
  if (Array.isArray(value)) return value.map(each => plain(each, depth + 1))
  if ('className' in value && 'config' in value) {
    const { className, config } = value as { className: string; config: object }
    return { className, config: plain(config, depth + 1) }
  }
  if ('name' in value && 'config' in value) return plain(value.config, depth + 1)
  if (!isPlainObject(value)) return value.constructor?.name ?? 'object'
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each, depth + 1)]))
}

const layerOf = (layer: Layer): Packable => ({ ...(plain(layer) as object), trainable: layer.trainable })

/** Of sequences whose length is open: steps that are recorded one by one make plans that grow with it. */
const nominalLength = 32

/** Undefined where a layer cannot take inputs of nominal length: only its options are compared then. */
function outputShapesFor(model: Internals, inputShapes: readonly (readonly number[])[]) {
  try {
    return model.outputShapesFor(inputShapes)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/**
 * The calls of a step of nominal size, hashed: all that an update computes follows from them. How batches come
 * to the workers, how many of these there are, and what is computed twice has no part in it.
 */
function stepDigest(model: Internals): string {
  const { compiled } = model
  const inputShapes = model.inputShapes.map(shape => closed(shape, nominalLength))
  const outputShapes = outputShapesFor(model, inputShapes)
  if (!outputShapes) return ''
  const kind = (shape: readonly number[]) => ({ bytes: false, scale: 1, shape })
  const kinds = [
    ...inputShapes.map((shape, i) => [`x${i}`, kind(shape)] as const),
    ...compiled.outputs.map(({ loss, index }, i) => {
      return [`y${i}`, kind(loss.targetShape(outputShapes[index]!))] as const
    }),
  ]
  const sources = { kinds: Object.fromEntries(kinds), ordered: false }
  const rows = model.batchSize ?? 32
  const { plan } = recordStep(model, compiled, { mode: 'train', rows, sources, recompute: 'none' })
  return digestOf(JSON.stringify([plan.prologue, plan.phases, plan.grain, plan.folds]))
}

/** Model, compile options and those of the training that decide bits. */
function configurationOf(
  model: Internals,
  options: Described,
  { callbacks }: Pick<TrainingSettings, 'callbacks'>,
): Described {
  const { optimizer, outputs, leaves, mixUp } = model.compiled
  const { schedule } = optimizer
  const { learningRate, ...config } = optimizer.config
  return {
    layers: model.layers.map(layerOf),
    weights: model.weights.map(({ shape, trainable }) => `[${shape}]${trainable ? '' : ' frozen'}`),
    optimizer: {
      className: optimizer.className,
      ...(plain(config) as object),
      ...optimizer.clip,
      learningRate: schedule ? plain(learningRate) : (learningRate as number),
      ...(schedule ? { rates: sampledUpdates.map(update => schedule.at(update)) } : {}),
    },
    losses: outputs.map(({ loss, lossWeight }) => ({ name: loss.name, lossWeight })),
    metrics: outputs.flatMap(({ metrics }) => metrics.map(({ key }) => key)),
    leaves,
    mixUp,
    ...options,
    callbacks: (callbacks as readonly BaseCallback[]).filter(holdsState).map(callback => {
      const { options: own } = callback as { options?: unknown }
      return { kind: callback.constructor.name, options: plain(own) }
    }),
    step: stepDigest(model),
  }
}

/** Whether checkpoints must hold something of a callback. Those of TensorFlow.js do not know the question. */
export const holdsState = (callback: BaseCallback): boolean => callback.getState?.() !== undefined

function numericsOf({ engine }: Internals): Described {
  const { numerics } = engine.module
  return { numerics, kernels: kernelDigest(numerics) }
}

/** Samples in memory: what they are, and which of them train. */
async function dataOf({ training, validation }: Partial<FitData>): Promise<Described> {
  const known = new Map<Rows, string>()
  const describe = async ({ columns, start, count }: Part): Promise<Described> => {
    const described: Described = { from: start, samples: count }
    for (const [name, rows] of Object.entries(byName(columns))) {
      if (!known.has(rows)) known.set(rows, await describeRows(rows))
      described[name] = known.get(rows)!
    }
    return described
  }
  const [first, second] = [training, validation].map(part => (part ? describe(part) : null))
  return { training: await first!, validation: await second! }
}

export async function describeFit(
  model: Internals,
  data: FitData,
  settings: FitSettings,
): Promise<Fingerprint> {
  const { batchSize, shuffle, stepsPerEpoch } = settings
  const options = { method: 'fit', batchSize, shuffle, stepsPerEpoch }
  return {
    data: await dataOf(data),
    configuration: configurationOf(model, options, settings),
    numerics: numericsOf(model),
  }
}

/** Of a dataset nothing is known before: its batches are compared as they come. */
export async function describeFitDataset(
  model: Internals,
  validation: Part | undefined,
  settings: FitDatasetSettings,
): Promise<Fingerprint> {
  const { batchesPerEpoch, validationBatches, classWeight } = settings
  const options = {
    method: 'fitDataset',
    batchesPerEpoch,
    validationBatches,
    classWeight: plain(classWeight),
  }
  return {
    data: await dataOf({ validation }),
    configuration: configurationOf(model, options, settings),
    numerics: numericsOf(model),
  }
}

interface Difference {
  readonly kind: Changeable
  /** Where it is, what it was and what it is. */
  readonly text: string
}

/** What differs, place by place; of two objects or lists only the parts. */
function compare(path: string, was: Packable | undefined, is: Packable | undefined): string[] {
  if (Object.is(was, is)) return []
  const parts = (value: unknown): value is Record<string, Packable> =>
    Array.isArray(value) || isPlainObject(value)
  if (!parts(was) || !parts(is)) return [`${path} was ${show(was ?? null)}, is ${show(is ?? null)}`]
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap(key =>
    compare(Array.isArray(was) ? `${path}[${key}]` : `${path}.${key}`, was[key], is[key]),
  )
}

/** How what a checkpoint was saved with differs from what there is now. */
export function differences(was: Fingerprint, is: Fingerprint): Difference[] {
  return changeable.flatMap(kind => compare(kind, was[kind], is[kind]).map(text => ({ kind, text })))
}
