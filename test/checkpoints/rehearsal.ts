import { createHash } from 'node:crypto'
import * as ls from '../../src/index.ts'
import type { BaseCallback } from '../../src/training/callback.ts'
import { noise } from '../bed.ts'

const { batchNormalization, layerNormalization, dense, dropout, flatten, randomFlip, randomTranslation } =
  ls.layers

/** Six optimizers; those whose rate is a number have it reduced on a plateau. */
export const optimizers = {
  momentum: () => ls.train.momentum(schedule(0.05), 0.9),
  rmsprop: () => ls.train.rmsprop({ learningRate: schedule(0.01), centered: true, ...average }),
  adagrad: () => ls.train.adagrad({ learningRate: 0.1, ...average }),
  adam: () => ls.train.adam({ learningRate: schedule(0.01), ...average }),
  nadam: () => ls.train.nadam({ learningRate: 0.01, emaOverwriteFrequency: 30, ...average }),
  lion: () => ls.train.lion({ learningRate: schedule(0.002), weightDecay: 0.01, ...average }),
}
export type OptimizerName = keyof typeof optimizers

const average = { useEma: true, emaMomentum: 0.9 }
const schedule = (initialLearningRate: number) =>
  ls.schedules.cosine({ initialLearningRate, decaySteps: 150, alpha: 0.1 })

const accumulates = (optimizer: OptimizerName) => ['rmsprop', 'adam', 'nadam'].includes(optimizer)

/** 20 batches of 8, the last of 5. */
const count = 157
const epochs = 10
const x = ls.tensor(noise(count * 36, 3), [count, 6, 6, 1])
const y = ls.tensor(
  Int32Array.from({ length: count }, (_, i) => (i * 7) % 3),
  [count],
)
const held = [x.slice([0, 0, 0, 0], [24, 6, 6, 1]), y.slice([0], [24])] as const

/** A network with everything that depends on chance or on the past. */
export function network(optimizer: OptimizerName): ls.Sequential {
  const layers = [
    randomFlip({ mode: 'horizontal', inputShape: [6, 6, 1] }),
    randomTranslation({ heightFactor: 0.2, widthFactor: 0.2 }),
    flatten({}),
    dense({ units: 12, activation: 'relu', kernelRegularizer: 'l2' }),
    // The statistics of a mini-batch cannot be accumulated.
    accumulates(optimizer) ? layerNormalization({}) : batchNormalization({}),
    dropout({ rate: 0.3 }),
    dense({ units: 3, activation: 'softmax' }),
  ]
  const model = ls.sequential({ seed: 5, layers })
  model.compile({
    optimizer: optimizers[optimizer](),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
    leaves: 2,
  })
  return model
}

/** A SHA-256 of weights, slots, counters and history. */
export function hashOf(model: ls.Sequential, { history, epoch, stopReason, seed }: ls.History): string {
  const hash = createHash('sha256')
  const parameters = [...model.weights, ...[...model.compiled.slots.values()].flat()]
  for (const parameter of parameters) hash.update(new Uint8Array(model.state.read(parameter).buffer))
  const { iterations, learningRate } = model.optimizer
  const { epochsTrained } = model
  hash.update(JSON.stringify({ iterations, learningRate, epochsTrained, history, epoch, stopReason, seed }))
  return hash.digest('hex')
}

/** Callbacks with a state of their own. */
const watching = (optimizer: OptimizerName): BaseCallback[] => [
  ls.callbacks.earlyStopping({ patience: 100, restoreBestWeights: optimizer === 'nadam' }),
  ...(optimizer === 'adagrad' || optimizer === 'nadam'
    ? [ls.callbacks.reduceLROnPlateau({ monitor: 'loss', patience: 1, factor: 0.7, minDelta: 0.02 })]
    : []),
]

/** Trains for 200 steps, or goes on with that; returns what it came to. */
export function rehearse(
  model: ls.Sequential,
  optimizer: OptimizerName,
  { callbacks = [], ...options }: ls.FitOptions & { callbacks?: BaseCallback[] },
): Promise<ls.History> {
  return model.fit(x, y, {
    ...{ epochs, batchSize: 8, seed: 11, accumulate: accumulates(optimizer), validationData: held },
    callbacks: [...watching(optimizer), ...callbacks],
    ...options,
  })
}

/** The hash of a training that nothing disturbs. */
export async function whole(optimizer: OptimizerName): Promise<string> {
  const model = network(optimizer)
  const hash = hashOf(model, await rehearse(model, optimizer, { workers: 1 }))
  model.dispose()
  return hash
}
