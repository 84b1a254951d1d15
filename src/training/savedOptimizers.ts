import { show, suggestion } from '../errors.ts'
import type { Optimizer } from './optimizer.ts'
import { train } from './optimizers.ts'
import { getSchedule, isSavable, type Schedule } from './schedules.ts'

const makers = {
  SGD: train.sgd,
  Momentum: train.momentum,
  RMSProp: train.rmsprop,
  Adagrad: train.adagrad,
  Adadelta: train.adadelta,
  Adam: train.adam,
  Adamax: train.adamax,
  AdamW: train.adamw,
  Nadam: train.nadam,
  Lion: train.lion,
} as const satisfies Record<string, (options: never) => Optimizer>

/** An optimizer in the form that files have, with TensorFlow.js' names. */
export interface SavedOptimizer {
  readonly className: string
  /** `learningRate` is a number, that of the next update where `schedule` says how it goes on. */
  readonly config: Readonly<Record<string, unknown>>
}

/** @throws RangeError for one that no file can name: a user's own, or with functions among its options */
export function saveOptimizer(where: string, optimizer: Optimizer): SavedOptimizer {
  const { className, config, clip, schedule, learningRate } = optimizer
  const refuse = (what: string, got: string) =>
    new RangeError(`${where}: ${what}, got ${got}; leave includeOptimizer out`)
  if (optimizer.isOwn) throw refuse('the optimizer must be one of ls.train', className)
  if (typeof config.excludeFromWeightDecay === 'function')
    throw refuse('excludeFromWeightDecay must be a list of names', 'a function')
  const common = { ...config, ...clip, learningRate }
  if (!schedule) return { className, config: common }
  const { name, config: options } = schedule
  if (!isSavable(schedule)) throw refuse('the schedule must be one of ls.schedules', name)
  const { initialLearningRate, decayRate: decay, decaySteps, staircase } = options
  // TensorFlow.js' own decay.
  if (className === 'Adamax' && name === 'InverseTimeDecay' && decaySteps === 1 && !staircase)
    return { className, config: { ...common, learningRate: initialLearningRate, decay } }
  return { className, config: { ...common, schedule: { name, config: options } } }
}

/** The optimizer that `saveOptimizer` described. @throws TypeError or RangeError for what is none */
export function restoreOptimizer({ className, config }: SavedOptimizer): Optimizer {
  if (!Object.hasOwn(makers, className))
    throw new RangeError(
      `unknown optimizer ${show(className)}; ${suggestion(className, Object.keys(makers))}`,
    )
  const { schedule, ...options } = config
  const learningRate = schedule ? getSchedule(schedule as Schedule) : options.learningRate
  return makers[className as keyof typeof makers]({ ...options, learningRate } as never)
}
