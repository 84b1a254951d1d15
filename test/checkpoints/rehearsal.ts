import { createHash } from 'node:crypto'
import type * as source from '../../src/index.ts'
import type { BaseCallback } from '../../src/training/callback.ts'

/** Six optimizers; those whose rate is a number have it reduced on a plateau. */
export const optimizerNames = ['momentum', 'rmsprop', 'adagrad', 'adam', 'nadam', 'lion'] as const
export type OptimizerName = (typeof optimizerNames)[number]

const onPlateau = (name: OptimizerName) => name === 'adagrad' || name === 'nadam'
const accumulates = (name: OptimizerName) => ['rmsprop', 'adam', 'nadam'].includes(name)

/** 20 batches of 8, the last of 5. */
const count = 157
const pixels = (samples: number) =>
  Float32Array.from({ length: samples * 36 }, (_, i) => ((i * 7919) % 1009) / 504 - 1)
const classes = (samples: number) => Int32Array.from({ length: samples }, (_, i) => (i * 7) % 3)

/** A training with everything that depends on chance or on the past, of 200 steps, by the library from its source or as built. */
export function rehearsal(ls: typeof source, name: OptimizerName, epochs = 10) {
  const average = { useEma: true, emaMomentum: 0.9 }
  const schedule = (initialLearningRate: number) =>
    ls.schedules.cosine({ initialLearningRate, decaySteps: 150, alpha: 0.1 })
  const optimizers = {
    momentum: () => ls.train.momentum(schedule(0.05), 0.9),
    rmsprop: () => ls.train.rmsprop({ learningRate: schedule(0.01), centered: true, ...average }),
    adagrad: () => ls.train.adagrad({ learningRate: 0.1, ...average }),
    adam: () => ls.train.adam({ learningRate: schedule(0.01), ...average }),
    nadam: () => ls.train.nadam({ learningRate: 0.01, emaOverwriteFrequency: 30, ...average }),
    lion: () => ls.train.lion({ learningRate: schedule(0.002), weightDecay: 0.01, ...average }),
  }
  const samples = (n: number) => [ls.tensor(pixels(n), [n, 6, 6, 1]), ls.tensor(classes(n), [n])] as const
  const [x, y] = samples(count)

  const network = (): source.Sequential => {
    const { batchNormalization, dense, dropout, flatten, layerNormalization, randomFlip, randomTranslation } =
      ls.layers
    const layers = [
      randomFlip({ mode: 'horizontal', inputShape: [6, 6, 1] }),
      randomTranslation({ heightFactor: 0.2, widthFactor: 0.2 }),
      flatten({}),
      dense({ units: 12, activation: 'relu', kernelRegularizer: 'l2' }),
      // The statistics of a mini-batch cannot be accumulated.
      accumulates(name) ? layerNormalization({}) : batchNormalization({}),
      dropout({ rate: 0.3 }),
      dense({ units: 3, activation: 'softmax' }),
    ]
    const model = ls.sequential({ seed: 5, layers })
    const loss = 'sparseCategoricalCrossentropy'
    model.compile({ optimizer: optimizers[name](), loss, metrics: ['accuracy'], leaves: 2 })
    return model
  }

  /** Callbacks with a state of their own. */
  const watching = (): BaseCallback[] => {
    const stop = ls.callbacks.earlyStopping({ patience: 100, restoreBestWeights: name === 'nadam' })
    if (!onPlateau(name)) return [stop]
    const options = { monitor: 'loss', patience: 1, factor: 0.7, minDelta: 0.02 }
    return [stop, ls.callbacks.reduceLROnPlateau(options)]
  }

  /** Trains, or goes on with that. */
  const train = async (given: source.FitOptions & { callbacks?: BaseCallback[] }): Promise<Ended> => {
    const { callbacks = [], ...options } = given
    const model = network()
    const history = await model.fit(x, y, {
      ...{ epochs, batchSize: 8, seed: 11, accumulate: accumulates(name), validationData: samples(24) },
      callbacks: [...watching(), ...callbacks],
      ...options,
    })
    const ended = { history, hash: hashOf(model, history) }
    model.dispose()
    return ended
  }
  return { train }
}

/** What a training came to: a SHA-256 of weights, slots, counters and history. */
interface Ended {
  readonly history: source.History
  readonly hash: string
}

function hashOf(model: source.Sequential, { history, epoch, stopReason, seed }: source.History): string {
  const hash = createHash('sha256')
  const parameters = [...model.weights, ...[...model.compiled.slots.values()].flat()]
  for (const parameter of parameters) hash.update(new Uint8Array(model.state.read(parameter).buffer))
  const { iterations, learningRate } = model.optimizer
  const { epochsTrained } = model
  hash.update(JSON.stringify({ iterations, learningRate, epochsTrained, history, epoch, stopReason, seed }))
  return hash.digest('hex')
}
