import * as tf from '@tensorflow/tfjs'
import { checkOptions, nonNegativeInteger, show } from '../errors.ts'
import { checkWorkers } from '../model/options.ts'
import { coreOf, Refusal } from './core.ts'
import { methods } from './methods.ts'
import { followResets } from './states.ts'
import { networkOf, Twin } from './twin.ts'

export interface AccelerateOptions {
  /** Whether what Lockstep cannot take over trains in TensorFlow.js as before, with a warning. Default false. */
  fallback?: boolean
  /** Decides shuffling, dropout and every other random choice of each training; drawn if left out. */
  seed?: number
  /** Threads, or 'auto' (default): what is fastest in the first steps. Results do not depend on it. */
  workers?: number | 'auto'
}

/** A model of TensorFlow.js some of whose methods Lockstep takes over. */
class Accelerated {
  options: AccelerateOptions = {}
  private readonly model: tf.LayersModel
  private twin: Twin | undefined
  /** The weights that the last refused `compile` found: it is not tried again. */
  private refused: object | undefined
  private readonly warned = new Set<string>()

  constructor(model: tf.LayersModel) {
    this.model = model
  }

  /** Refuses layers that Lockstep does not have. */
  check(): void {
    if (this.model.layers.length > 0) this.unlessRefused(() => networkOf(this.model).dispose())
  }

  /** Puts methods in place of the model's own, which go on where there is no twin. */
  install(): void {
    const { model } = this
    for (const [name, method] of Object.entries(methods)) {
      const own = model[name as keyof typeof methods] as (...args: unknown[]) => unknown
      const ours = method as (twin: Twin, options: AccelerateOptions, ...args: unknown[]) => unknown
      const taken = (...args: unknown[]) => {
        const twin = this.take()
        return twin ? ours(twin, this.options, ...args) : own.apply(model, args)
      }
      const value = name === 'evaluate' ? taken : async (...args: unknown[]) => taken(...args)
      Object.defineProperty(model, name, { configurable: true, writable: true, value })
    }
    const { dispose } = model
    const value = () => {
      const result = dispose.call(model)
      if (result.refCountAfterDispose === 0) this.dispose()
      return result
    }
    Object.defineProperty(model, 'dispose', { configurable: true, writable: true, value })
  }

  /** The twin of the model as it stands; undefined where TensorFlow.js is to go on. @throws Refusal */
  private take(): Twin | undefined {
    const core = coreOf(this.model)
    // What is missing before compile() is for TensorFlow.js to say.
    if (!core?.optimizer) return undefined
    const { twin } = this
    if (twin && (twin.model.use !== 'idle' || twin.isOf(core))) return twin
    const { collectedTrainableWeights: collected } = core
    if (this.options.fallback && this.refused === collected) return undefined
    this.dispose()
    this.twin = this.unlessRefused(() => new Twin(this.model, core))
    this.refused = this.twin ? undefined : collected
    followResets(this.model, () => this.twin?.model)
    return this.twin
  }

  private dispose(): void {
    this.twin?.model.dispose()
    this.twin = undefined
  }

  /** What `make` makes; undefined, and a warning once, where it refuses and there is the other way. */
  private unlessRefused<T>(make: () => T): T | undefined {
    try {
      return make()
    } catch (error) {
      if (!(error instanceof Refusal) || !this.options.fallback) throw error
      if (!this.warned.has(error.message)) console.warn(`${error.message}: it trains in TensorFlow.js`)
      this.warned.add(error.message)
      return undefined
    }
  }
}

const accelerated = new WeakMap<tf.LayersModel, Accelerated>()

/**
 * Lets Lockstep train a model of TensorFlow.js, compiled or not: returns the same model, whose `fit`, `fitDataset`,
 * `evaluate`, `evaluateDataset` and `trainOnBatch` run here from now on. Its weights and its optimizer's state are
 * handed over before, and back before any callback is called and at the end of each epoch; all else stays as it is.
 * @throws TypeError for what is no tf.LayersModel, Error for layers that Lockstep does not have; the methods throw for
 * losses, metrics and optimizers that it does not have
 */
export function accelerate<M extends tf.LayersModel>(model: M, options: AccelerateOptions = {}): M {
  const where = 'accelerate'
  if (!(model instanceof tf.LayersModel))
    throw new TypeError(
      `${where}: model must be a tf.LayersModel of the @tensorflow/tfjs that Lockstep finds, got ${show(model)}; ` +
        'make it with tf.sequential() or tf.model()',
    )
  checkOptions(where, options, ['fallback', 'seed', 'workers'])
  const { seed, workers = 'auto' } = options
  if (seed !== undefined) nonNegativeInteger(where, 'seed', seed)
  checkWorkers(where, workers)
  const known = accelerated.get(model)
  const own = known ?? new Accelerated(model)
  own.options = options
  own.check()
  if (known) return model
  own.install()
  accelerated.set(model, own)
  return model
}
