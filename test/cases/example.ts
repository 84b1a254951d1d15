import { Layer } from '../../src/layers/define.ts'
import * as layers from '../../src/layers/table.ts'

/** A layer with an input to prove it on. */
export interface Example {
  readonly title: string
  /** Of one input. */
  readonly layer: Layer
  /** As a user writes them. */
  readonly options: object
  /** Where `layer` gives branches of its input to a layer of several: that one, and what shapes they have. */
  readonly inner?: { readonly layer: Layer; readonly inputs: readonly (readonly number[])[] }
  /** Shape of one sample. */
  readonly input: readonly number[]
  readonly samples: number
  /** Inputs lie evenly in centre ± spread. */
  readonly spread: number
  readonly centre?: number
  /** Inputs are integers from 0 to `integers` − 1 instead. */
  readonly integers?: number | undefined
  /** A masking layer stands before it, and some steps of the input are padding. */
  readonly masked?: boolean
}

export type LayerName = keyof typeof layers
type Extra = { samples?: number; spread?: number; centre?: number; integers?: number; masked?: boolean }

/** The name of the factory that a layer is from. */
export const nameOf = ({ className }: Layer): LayerName =>
  Object.entries(layers).find(([, made]) => made.className === className)![0] as LayerName

/** The options as a title shows them; of a layer among them, what is no default. */
const titleOf = (options: object): string =>
  JSON.stringify(options, (_, value) => {
    if (!(value instanceof Layer)) return value
    const name = nameOf(value)
    const usual = layers[name].defaults as Record<string, unknown>
    const own = Object.entries(value.config).filter(([key, each]) => each !== usual[key])
    return { [name]: Object.fromEntries(own) }
  })

/** A layer as TensorFlow.js' name of its factory and the options say. */
export const makeLayer = (name: LayerName, options: object): Layer =>
  (layers[name] as (options: object) => Layer)(options)

/** Something else than the default for every option that says how weights begin and what they keep to. */
export const weightSettings = (name: LayerName) =>
  Object.fromEntries(
    Object.keys(layers[name].defaults).flatMap((option): [string, unknown][] => {
      if (/initializer$/i.test(option)) return [[option, { className: 'RandomUniform', config: range }]]
      if (/regularizer$/i.test(option))
        return [[option, { className: 'L1L2', config: { l1: 0.01, l2: 0.02 } }]]
      return /constraint$/i.test(option) ? [[option, 'nonNeg']] : []
    }),
  )
const range = { minval: 0.1, maxval: 0.9 }

/** An example from the layer's options and the shape of one sample. */
export const of =
  (name: LayerName) =>
  (
    options: object,
    input: readonly number[],
    { samples = 3, spread = 2, centre = 0, integers, masked = false }: Extra = {},
  ): Example => ({
    title: `${name} ${titleOf(options)} [${input}] × ${samples}${masked ? ', masked' : ''}`,
    layer: makeLayer(name, options),
    options,
    input,
    samples,
    spread,
    centre,
    integers,
    masked,
  })

export const cross = <A, B>(as: readonly A[], bs: readonly B[]): [A, B][] =>
  as.flatMap(a => bs.map((b): [A, B] => [a, b]))
