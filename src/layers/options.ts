import type { Input } from '../data/inputs.ts'
import { nonNegativeInteger, oneOf, positiveInteger, show } from '../errors.ts'
import type { ConstraintIdentifier } from '../training/constraints.ts'
import type { InitializerIdentifier } from '../training/initializers.ts'
import type { RegularizerIdentifier } from '../training/regularizers.ts'

/** Marks an option that must be given. */
export const requiredOption: unique symbol = Symbol('required')
export type Required<T> = { readonly [requiredOption]: T }

/** The default of an option that has none: it must be given. */
export const required = <T>(): Required<T> => ({ [requiredOption]: undefined }) as Required<T>

type RequiredKeys<D> = { [K in keyof D]: D[K] extends Required<unknown> ? K : never }[keyof D]
type ValueOf<T> = T extends Required<infer U> ? U : T

/** Options that every layer takes. */
export interface CommonConfig {
  /** Unique in its model; made from the class name where it is not given. */
  name?: string
  /** Shape of one sample, null for a size that comes with the data; needed on the first layer. */
  inputShape?: readonly (number | null)[]
  /** As inputShape, with the batch axis before it: null, or the size of all mini-batches. */
  batchInputShape?: readonly (number | null)[]
  /** With inputShape: the size of all mini-batches. */
  batchSize?: number | null
  /** The first values of the weights, as getWeights gives them. */
  weights?: readonly Input[] | null
  /** Type of the data, which are taken as float32 all the same. */
  inputDType?: string | null
  /** Whether the optimizer changes the weights; true by default. */
  trainable?: boolean
  /** Penalty on the outputs, the mean over the samples of which is added to the loss. */
  activityRegularizer?: RegularizerIdentifier | null
  /**
   * Whether training computes its values again when the gradients need them, from its inputs, instead of keeping them
   * until then: less memory, more time, the same bits.
   */
  recompute?: boolean
  dtype?: string
}

/** What a user writes: required options, and any of the others. */
export type ConfigOf<D> = { [K in RequiredKeys<D>]: ValueOf<D[K]> } & {
  [K in Exclude<keyof D, RequiredKeys<D>>]?: D[K] | null
} & CommonConfig

/** What `build` sees: every option, defaults filled in. */
export type FullConfig<D> = { [K in keyof D]: ValueOf<D[K]> }

export interface WeightOptions {
  readonly initializer: InitializerIdentifier
  readonly regularizer?: RegularizerIdentifier | null
  readonly constraint?: ConstraintIdentifier | null
  /** false for statistics that the optimizer never touches. */
  readonly trainable?: boolean
  /** As `Parameter.columnAxes`. */
  readonly columnAxes?: number
}

/** A layer's options `kernelInitializer`, `kernelRegularizer` and `kernelConstraint` as those of its weight. */
export function weightOptions<P extends string>(
  prefix: P,
  config: { readonly [K in `${P}Initializer`]: InitializerIdentifier } & {
    readonly [K in `${P}Regularizer`]?: RegularizerIdentifier | null
  } & { readonly [K in `${P}Constraint`]?: ConstraintIdentifier | null },
): WeightOptions {
  const options = config as Readonly<Record<string, unknown>>
  return {
    initializer: options[`${prefix}Initializer`],
    regularizer: options[`${prefix}Regularizer`],
    constraint: options[`${prefix}Constraint`],
  } as WeightOptions
}

export const commonKeys = [
  'name',
  'inputShape',
  'batchInputShape',
  'batchSize',
  'weights',
  'inputDType',
  'trainable',
  'activityRegularizer',
  'recompute',
  'dtype',
] as const

/** The batch axis of a shape: null, or a size that all mini-batches have. */
export function checkBatchSize(
  where: string,
  name: string,
  shape: readonly (number | null)[] | undefined,
): void {
  const [size] = shape ?? []
  if (size !== null && size !== undefined) positiveInteger(where, `the first size of ${name}`, size)
}

/** Types of data; all are taken as float32. */
const dataTypes: readonly string[] = ['float32', 'int32', 'bool']

/** What the layer's options say of its input. */
export const inputShapeOf = ({ inputShape, batchInputShape, batchSize }: CommonConfig) =>
  batchInputShape ?? (inputShape && [batchSize ?? null, ...inputShape])

export function checkRecompute(where: string, recompute: boolean | null | undefined): void {
  if (typeof (recompute ?? false) === 'boolean') return
  throw new TypeError(`${where}: recompute must be true or false, got ${show(recompute)}; leave it out`)
}

export function checkCommon(where: string, common: CommonConfig): void {
  const { inputShape, batchInputShape, batchSize, weights, recompute, dtype, inputDType } = common
  const shape = inputShape ?? batchInputShape?.slice(1)
  if (shape !== undefined && !Array.isArray(shape)) {
    throw new TypeError(
      `${where}: inputShape must be an array of sizes, got ${show(shape)}; write inputShape: [784]`,
    )
  }
  checkBatchSize(where, 'batchInputShape', batchInputShape)
  for (const size of shape ?? []) if (size !== null) nonNegativeInteger(where, 'a size of inputShape', size)
  if (batchSize !== undefined && batchSize !== null) positiveInteger(where, 'batchSize', batchSize)
  if (weights !== undefined && weights !== null && !Array.isArray(weights))
    throw new TypeError(
      `${where}: weights must be an array of tensors, got ${show(weights)}; give what getWeights() gives`,
    )
  checkRecompute(where, recompute)
  if (inputDType !== undefined && inputDType !== null) oneOf(where, 'inputDType', inputDType, dataTypes)
  // Of an input the type says what the data are, of other layers what they compute with.
  if (where === 'InputLayer' && dataTypes.includes(dtype ?? 'float32')) return
  if (dtype !== undefined && dtype !== null && dtype !== 'float32') {
    throw new RangeError(`${where}: dtype must be "float32", got ${show(dtype)}; leave it out`)
  }
}
