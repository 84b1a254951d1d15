import * as tf from '@tensorflow/tfjs'
import type { Parameter } from '../graph/parameter.ts'
import { sizeOf } from '../graph/value.ts'
import type { ModelState } from '../model/state.ts'
import type { Optimizer } from '../training/optimizer.ts'
import { train } from '../training/optimizers.ts'
import { nameOf, Refusal, wayOut } from './core.ts'

/** An array of state: TensorFlow.js makes it at the first step. */
interface Held {
  readonly originalName: string
  readonly variable: tf.Variable
}

/** The parts of an optimizer of TensorFlow.js 4.22 that are not declared. */
interface Insides {
  readonly learningRate: number
  readonly decay?: number
  readonly beta1: number
  readonly beta2: number
  /** beta1 and beta2 to the power of the number of the next step. */
  readonly accBeta1?: tf.Variable
  readonly accBeta2?: tf.Variable
  /** Updates made, as Adamax counts them again. */
  readonly iteration?: tf.Variable
  iterations_: number
}

interface Kind {
  make(options: Record<string, unknown>): Optimizer
  /** The fields that hold our slots, in their order, and the ends of the arrays' names. */
  readonly arrays: readonly (readonly [field: string, suffix: string])[]
}

const moments = [
  ['accumulatedFirstMoment', 'm'],
  ['accumulatedSecondMoment', 'v'],
] as const

const kinds = new Map<unknown, Kind>([
  [tf.SGDOptimizer, { make: train.sgd, arrays: [] }],
  [tf.MomentumOptimizer, { make: train.momentum as Kind['make'], arrays: [['accumulations', 'momentum']] }],
  [
    tf.RMSPropOptimizer,
    {
      make: train.rmsprop as Kind['make'],
      arrays: [
        ['accumulatedMeanSquares', 'rms'],
        ['accumulatedMoments', 'momentum'],
        ['accumulatedMeanGrads', 'mg'],
      ],
    },
  ],
  [
    tf.AdagradOptimizer,
    {
      make: options => train.adagrad({ ...options, epsilon: tf.backend().epsilon() }),
      arrays: [['accumulatedGrads', 'accumulator']],
    },
  ],
  [
    tf.AdadeltaOptimizer,
    {
      make: train.adadelta,
      arrays: [
        ['accumulatedGrads', 'accum_grad'],
        ['accumulatedUpdates', 'accum_var'],
      ],
    },
  ],
  [tf.AdamOptimizer, { make: train.adam, arrays: moments }],
  [
    tf.AdamaxOptimizer,
    {
      make: ({ decay: _, ...options }) => train.adamax(options),
      arrays: [moments[0], ['accumulatedWeightedInfNorm', 'v']],
    },
  ],
])

/** What callers replace to change the gradients. */
const steps = ['minimize', 'computeGradients', 'applyGradients']

function kindOf(theirs: tf.Optimizer): Kind {
  const kind = kinds.get(theirs.constructor)
  const replaced = steps.find(name => Object.hasOwn(theirs, name))
  if (kind && replaced === undefined) return kind
  const got = kind ? `one with its own ${replaced}()` : nameOf(theirs.constructor)
  throw new Refusal(
    `accelerate: the optimizer must be one of tf.train, got ${got}; take tf.train.adam(), say, ${wayOut}`,
  )
}

/** Whose state array is meant: the weight's number among those that TensorFlow.js trains, and its name. */
interface Slotted {
  readonly index: number
  readonly name: string
  readonly shape: readonly number[]
  /** Ours; none where the weight is trained no more. */
  readonly slots: readonly Parameter[] | undefined
}

/** An optimizer of TensorFlow.js and ours, and the ways of the state between them. */
export class OptimizerTwin {
  /** Follows the other's learning rate. */
  readonly optimizer: Optimizer
  private readonly kind: Kind
  private readonly insides: Insides
  /** The data that both have. */
  private readonly seen = new Map<Parameter, object>()

  /** @throws Refusal for an optimizer that is none of tf.train */
  constructor(theirs: tf.Optimizer) {
    const insides = theirs as unknown as Insides
    this.kind = kindOf(theirs)
    this.insides = insides
    // `instanceof` is true of all optimizers of TensorFlow.js.
    const { decay = 0 } = theirs.constructor === tf.AdamaxOptimizer ? insides : {}
    const at = (step: number) => insides.learningRate / (1 + decay * step)
    const learningRate = { name: 'TensorFlow.js', config: {}, at }
    this.optimizer = this.kind.make({ ...theirs.getConfig(), learningRate })
  }

  /** Takes over what TensorFlow.js, or the caller, has changed since. */
  pull(state: ModelState, slotted: readonly Slotted[]): void {
    for (const { index, slots = [] } of slotted) {
      for (const [k, slot] of slots.entries()) {
        const held = this.arrays(k)[index]?.variable
        if (!held || held.dataId === this.seen.get(slot)) continue
        state.write(slot, held.dataSync())
        this.seen.set(slot, held.dataId)
      }
    }
  }

  /** Takes over how many updates were made. */
  pullIterations(): void {
    this.optimizer.iterations = this.insides.iterations_ ?? 0
  }

  /** Hands the state arrays over; they are made where there was no step before. */
  publish(state: ModelState, slotted: readonly Slotted[]): void {
    if (this.optimizer.iterations === 0) return
    tf.tidy(() => {
      for (const { index, name, shape, slots } of slotted) {
        for (const [k, { initial }] of this.optimizer.slots.entries()) {
          const arrays = this.arrays(k)
          const slot = slots?.[k]
          if (!slot && arrays[index]) continue
          const values = slot ? state.read(slot) : new Float32Array(sizeOf(shape)).fill(initial)
          const tensor = tf.tensor(values, [...shape])
          if (arrays[index]) arrays[index].variable.assign(tensor)
          else
            arrays[index] = {
              originalName: `${name}/${this.kind.arrays[k]![1]}`,
              variable: tensor.variable(false),
            }
          if (slot) this.seen.set(slot, arrays[index]!.variable.dataId)
        }
      }
    })
  }

  /** Says how many updates were made. */
  publishIterations(iterations: number): void {
    const { insides } = this
    const { beta1, beta2 } = insides
    insides.iterations_ = iterations
    tf.tidy(() => {
      insides.accBeta1?.assign(tf.scalar(beta1 ** (iterations + 1)))
      insides.accBeta2?.assign(tf.scalar(beta2 ** (iterations + 1)))
      insides.iteration?.assign(tf.scalar(iterations))
    })
  }

  forget(): void {
    this.seen.clear()
  }

  private arrays(k: number): (Held | undefined)[] {
    const [field] = this.kind.arrays[k]!
    return (this.insides as unknown as Record<string, (Held | undefined)[]>)[field]!
  }
}
