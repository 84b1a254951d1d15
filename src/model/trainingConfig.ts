import { isPlainObject, show, suggestion } from '../errors.ts'
import { type Json, toCamelCase, toSnakeCase } from '../formats/naming.ts'
import { originOf } from '../training/configurable.ts'
import { losses } from '../training/losses.ts'
import { metrics } from '../training/metrics.ts'
import { restoreOptimizer, type SavedOptimizer, saveOptimizer } from '../training/savedOptimizers.ts'
import { type CompileOptions, isByName } from './compiling.ts'
import type { Trainable } from './trainable.ts'

// What `compile` was given, as TensorFlow.js saves it. What TensorFlow.js has no word for stands where it fails
// rather than trains something else (a loss with options, weights of losses), or where it does not look.

type Table = Readonly<Record<string, object>>

/** A loss or a metric: TensorFlow.js' word for it, or { class_name, config } with other options than its defaults. */
function savedWord(what: string, table: Table, given: unknown): Json {
  if (given === null || given === undefined) return null
  if (typeof given === 'string') return toSnakeCase(given)
  const { maker, options } = originOf(given as object) ?? { maker: given, options: {} }
  const name = Object.keys(table).find(key => table[key] === maker)
  if (name === undefined)
    throw new RangeError(
      `save: a ${what} must be one of ls.${what === 'loss' ? 'losses' : 'metrics'}, got ${show(given)}; ` +
        'leave includeOptimizer out',
    )
  const word = toSnakeCase(name)
  return Object.keys(options).length === 0 ? word : { class_name: word, config: options as Json }
}

/** What is given for all outputs, in a list or by name. */
function forEach(given: unknown, convert: (one: unknown) => Json): Json {
  if (Array.isArray(given)) return given.map(convert)
  if (!isByName(given)) return convert(given)
  return Object.fromEntries(Object.entries(given).map(([name, one]) => [name, convert(one)]))
}

/** What a model that is compiled is trained by. @throws RangeError for functions, which no file can hold */
export function trainingConfigOf(model: Trainable): Json {
  const { optimizer, leaves, mixUp, objectives } = model.compiled
  const metric = (one: unknown) => savedWord('metric', metrics, one)
  // TensorFlow.js takes one word for an output here.
  const several = (one: unknown): Json =>
    Array.isArray(one) && one.length !== 1 ? one.map(metric) : metric([one].flat()[0])
  const given = objectives.metrics ?? []
  const { className, config } = saveOptimizer('save', optimizer)
  const weights = objectives.lossWeights && { loss_weights: objectives.lossWeights as Json }
  return {
    loss: forEach(objectives.loss, one => savedWord('loss', losses, one)),
    metrics: isByName(given) ? forEach(given, several) : [given].flat().map(metric),
    optimizer_config: { class_name: className, config: config as Json },
    ...weights,
    lockstep: { leaves, mixUp, epochsTrained: model.epochsTrained },
  }
}

/** What a word of a file means. @throws TypeError or RangeError for what is none */
function wordOf(what: string, table: Table, value: unknown): unknown {
  if (value === null) return null
  if (typeof value === 'string') return toCamelCase(value)
  const { class_name: word, config } = isPlainObject(value) ? value : {}
  if (typeof word !== 'string') throw new TypeError(`a ${what} must be a word, got ${show(value)}`)
  const name = toCamelCase(word)
  const maker = Object.hasOwn(table, name) ? table[name] : undefined
  if (typeof maker === 'function') return (maker as (options: unknown) => unknown)(config)
  const makers = Object.keys(table).filter(key => typeof table[key] === 'function')
  throw new RangeError(`unknown ${what} ${show(word)}; ${suggestion(name, makers)}`)
}

const isWord = (value: unknown): boolean =>
  !Array.isArray(value) && !(isPlainObject(value) && !('class_name' in value))

/** What is there for all outputs, in a list or by name. */
function eachOf(value: unknown, convert: (one: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(convert)
  if (isWord(value)) return convert(value)
  return Object.fromEntries(Object.entries(value as object).map(([name, one]) => [name, convert(one)]))
}

/** The options of `compile` that a file has. @throws TypeError or RangeError naming what is wrong */
export function compileOptionsOf(config: Json): CompileOptions {
  if (!isPlainObject(config)) throw new TypeError(`it must be an object, got ${show(config)}`)
  const { loss, metrics: measured, loss_weights: lossWeights, optimizer_config: made, lockstep } = config
  for (const name of ['weighted_metrics', 'sample_weight_mode'] as const)
    if (config[name] != null) throw new RangeError(`${name} must be null, got ${show(config[name])}`)
  if (!isPlainObject(made) || typeof made.class_name !== 'string' || !isPlainObject(made.config))
    throw new TypeError(`optimizer_config must be an object with class_name and config, got ${show(made)}`)
  const saved: SavedOptimizer = { className: made.class_name, config: namesOf(made.config) }
  const metric = (one: unknown) => wordOf('metric', metrics, one)
  const { leaves, mixUp } = isPlainObject(lockstep) ? lockstep : {}
  return {
    optimizer: restoreOptimizer(saved),
    loss: eachOf(loss ?? null, one => wordOf('loss', losses, one)),
    metrics:
      measured == null ? [] : eachOf(measured, one => (isWord(one) ? metric(one) : eachOf(one, metric))),
    ...(lossWeights != null && { lossWeights }),
    ...(leaves != null && { leaves }),
    ...(mixUp != null && { mixUp }),
  } as CompileOptions
}

/** Options under TensorFlow.js' names, of a file that has Keras' or TensorFlow.js'; those that are null left out. */
const namesOf = (config: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(config)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [toCamelCase(name), value]),
  )

/** How many epochs the model has trained: the next one is shuffled as no other. */
export function epochsOf(config: Json): number {
  const { lockstep } = config as { lockstep?: Json }
  const epochs = isPlainObject(lockstep) ? lockstep.epochsTrained : undefined
  if (epochs === undefined) return 0
  if (Number.isSafeInteger(epochs) && (epochs as number) >= 0 && (epochs as number) < 2 ** 31)
    return epochs as number
  throw new RangeError(`epochsTrained must be a count, got ${show(epochs)}`)
}
