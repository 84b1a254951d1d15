import * as tf from '@tensorflow/tfjs'
import type { Weight } from '../layers/define.ts'
import { knownClasses } from '../layers/registry.ts'
import { models } from '../model/loading.ts'
import type { Trainable } from '../model/trainable.ts'
import { objectivesOf } from './compiling.ts'
import { type Core, Refusal, wayOut } from './core.ts'
import { OptimizerTwin } from './optimizers.ts'

/** @throws Refusal, with its name, for a layer of a class that Lockstep does not have */
function checkLayers(layers: readonly tf.layers.Layer[]): void {
  const known = new Set(knownClasses().map(({ className }) => className))
  for (const layer of layers) {
    if (layer instanceof tf.LayersModel) checkLayers(layer.layers)
    else if (!known.has(layer.getClassName()))
      throw new Refusal(
        `accelerate: layer "${layer.name}" must be of a class that Lockstep knows, got ${layer.getClassName()}; ` +
          `define it here (ls.defineLayer, ls.serialization.registerClass), ${wayOut}`,
      )
  }
}

/** Runs `make`; what it refuses is a model that cannot be taken over. */
function refusing<T>(name: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (error instanceof Refusal || !(error instanceof Error)) throw error
    throw new Refusal(
      `accelerate: model "${name}" must be one that Lockstep can train, got ${error.message}; ${wayOut}`,
      {
        cause: error,
      },
    )
  }
}

/** Initial values are not needed: the weights are handed over. */
const zeros = { class_name: 'Zeros', config: {} }

/** The same layers in Lockstep, not compiled. @throws Refusal where it does not have them */
export function networkOf(model: tf.LayersModel): Trainable {
  checkLayers(model.layers)
  const bare = (key: string, value: unknown) => (key.endsWith('_initializer') && value ? zeros : value)
  return refusing(model.name, () => models.modelFromJSON(JSON.parse(model.toJSON() as string, bare)))
}

/** A weight of both models. */
interface Pair {
  readonly weight: Weight
  readonly variable: tf.LayerVariable
  /** The data that both have. */
  seen?: object
}

/** @throws Refusal where the models do not have the same weights */
function pairsOf(core: Core, model: Trainable): Pair[] {
  const left = [...core.weights]
  const pairs = model.weights.map(weight => {
    const index = left.findIndex(({ originalName }) => originalName === weight.name)
    const [variable] = left.splice(index, index < 0 ? 0 : 1)
    if (!variable || String(variable.shape) !== String(weight.shape))
      throw new RangeError(`no weight "${weight.name}" of shape [${weight.shape}] there`)
    return { weight, variable }
  })
  if (left.length > 0)
    throw new RangeError(`a weight "${left[0]!.originalName}" that Lockstep's layer has not`)
  return pairs
}

/** The Lockstep model that trains for one of TensorFlow.js, and the ways of the weights between them. */
export class Twin {
  readonly core: Core
  readonly model: Trainable
  /** Of those on the calling thread. */
  quickestStepMs = Number.POSITIVE_INFINITY
  private readonly pairs: readonly Pair[]
  private readonly theirs: tf.Optimizer
  private readonly optimizer: OptimizerTwin
  /** What `compile` collected, and which of it was trainable. */
  private readonly collected: readonly tf.LayerVariable[]
  private readonly trainable: readonly boolean[]

  /** @throws Refusal for layers, losses, metrics or an optimizer that Lockstep does not have */
  constructor(model: tf.LayersModel, core: Core) {
    this.core = core
    this.model = networkOf(model)
    this.theirs = core.optimizer!
    this.collected = core.collectedTrainableWeights
    this.trainable = this.collected.map(({ trainable }) => trainable)
    this.optimizer = refusing(core.name, () => new OptimizerTwin(this.theirs))
    this.pairs = refusing(core.name, () => pairsOf(core, this.model))
    const trained = new Set(this.collected.filter(({ trainable }) => trainable))
    for (const { weight, variable } of this.pairs) weight.trainable = trained.has(variable)
    const objectives = objectivesOf(core, this.model.outputNames)
    refusing(core.name, () => this.model.compile({ optimizer: this.optimizer.optimizer, ...objectives }))
  }

  /** Whether the model is still what this was made for. */
  isOf(core: Core): boolean {
    const { collectedTrainableWeights: collected } = core
    if (core !== this.core || core.optimizer !== this.theirs || collected !== this.collected) return false
    return collected.every(({ trainable }, i) => trainable === this.trainable[i])
  }

  /** Takes over weights and optimizer's state, as far as they were changed there. Not while workers train. */
  pull(): void {
    const { state } = this.model
    const changed = this.pairs.filter(({ variable, seen }) => variable.read().dataId !== seen)
    for (const pair of changed) {
      const values = pair.variable.read()
      state.write(pair.weight, values.dataSync())
      pair.seen = values.dataId
    }
    state.own(changed.map(({ weight }) => weight))
    this.optimizer.pull(state, this.slotted)
    if (this.model.use === 'idle') this.optimizer.pullIterations()
  }

  /** As `pull`; where workers train, the last epoch's weights are read. */
  pullUnlessTraining(): void {
    if (this.model.use !== 'training') this.pull()
  }

  /** Hands the weights over, and says how many updates were made. */
  publishWeights(iterations: number): void {
    const { state } = this.model
    tf.tidy(() => {
      for (const pair of this.pairs) {
        const { weight, variable } = pair
        if (weight.learnt && !weight.trainable) continue
        const values = variable.read() as tf.Variable
        values.assign(tf.tensor(state.read(weight), [...weight.shape]))
        pair.seen = values.dataId
      }
    })
    this.optimizer.publishIterations(iterations)
  }

  /** Hands over all that training has changed. */
  publish(): void {
    this.publishWeights(this.iterations)
    this.optimizer.publish(this.model.state, this.slotted)
  }

  /** Forgets what both have: all is taken over again. */
  forget(): void {
    for (const pair of this.pairs) delete pair.seen
    this.optimizer.forget()
  }

  /** Updates made before this epoch. */
  get iterations(): number {
    return this.optimizer.optimizer.iterations
  }

  /** What regularizers add to the loss: TensorFlow.js leaves it out of evaluations. */
  get penalty(): number {
    const { state, layers } = this.model
    const penalized = layers.flatMap(layer => layer.weights).filter(({ regularizer }) => regularizer)
    return penalized.reduce((sum, weight) => {
      const { l1, l2 } = weight.regularizer!.config
      return state.read(weight).reduce((total, w) => total + l1 * Math.abs(w) + l2 * w * w, sum)
    }, 0)
  }

  private get slotted() {
    const { slots } = this.model.compiled
    const weights = new Map(this.pairs.map(({ variable, weight }) => [variable, weight]))
    return this.collected.map((variable, index) => {
      const weight = weights.get(variable)!
      return { index, name: variable.name, shape: weight.shape, slots: slots.get(weight) }
    })
  }
}
