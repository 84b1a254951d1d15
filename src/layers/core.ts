import { nonNegativeInteger, oneOf, positiveInteger } from '../errors.ts'
import { sizeOf } from '../graph/value.ts'
import { type ActivationName, activate, activationNames } from '../ops/activation.ts'
import { dense as denseOp } from '../ops/dense.ts'
import { permute } from '../ops/moves.ts'
import { reshape as reshapeOp } from '../ops/shape.ts'
import type { ConstraintIdentifier } from '../training/constraints.ts'
import type { InitializerIdentifier } from '../training/initializers.ts'
import type { RegularizerIdentifier } from '../training/regularizers.ts'
import { defineLayer, type Layer } from './define.ts'
import { type ConfigOf, inputShapeOf, required, weightOptions } from './options.ts'
import { type DataFormat, formats } from './reshaping.ts'

export function checkActivation(where: string, activation: ActivationName | null): void {
  if (activation !== null) oneOf(where, 'activation', activation, activationNames)
}

const define = defineLayer(
  'Dense',
  {
    /** Size of the output's last axis. */
    units: required<number>(),
    activation: null as ActivationName | null,
    useBias: true,
    kernelInitializer: 'glorotNormal' as InitializerIdentifier,
    biasInitializer: 'zeros' as InitializerIdentifier,
    kernelRegularizer: null as RegularizerIdentifier | null,
    biasRegularizer: null as RegularizerIdentifier | null,
    kernelConstraint: null as ConstraintIdentifier | null,
    biasConstraint: null as ConstraintIdentifier | null,
  },
  (where, { units, activation }) => {
    positiveInteger(where, 'units', units)
    checkActivation(where, activation)
  },
  ({ g, weight, refuse }, x, { units, activation, ...config }) => {
    const k = x.shape.at(-1)
    if (k === undefined || k === 0)
      refuse('the input must have at least one feature, got none; correct inputShape')
    const w = weight('kernel', [k!, units], weightOptions('kernel', config))
    const bias = weightOptions('bias', config)
    const b = config.useBias ? weight('bias', [units], bias) : undefined
    const y = denseOp(g, x, w, b, activation === 'relu')
    return activation === null || activation === 'relu' ? y : activate(g, y, activation)
  },
  'passes',
)

/**
 * y = activation(x·kernel + bias) over the last axis: (…, k) → (…, units). `inputDim: k` says the same as
 * `inputShape: [k]`.
 */
export const dense = Object.assign(
  (given: ConfigOf<typeof define.defaults> & { inputDim?: number | null }): Layer => {
    const { inputDim, ...config } = given ?? {}
    if (inputDim === undefined || inputDim === null) return define(given)
    positiveInteger('Dense', 'inputDim', inputDim)
    return define(inputShapeOf(config) ? config : { ...config, inputShape: [inputDim] })
  },
  { className: define.className, defaults: define.defaults },
)

/** y = activation(x). */
export const activation = defineLayer(
  'Activation',
  { activation: required<ActivationName>() },
  (where, config) => checkActivation(where, config.activation),
  ({ g }, x, config) => activate(g, x, config.activation),
  'passes',
)

/** (a, b, …) → (a·b·…); with `channelsFirst` the first axis goes last before: the weights that follow are the same. */
export const flatten = defineLayer(
  'Flatten',
  { dataFormat: null as DataFormat | null },
  (where, { dataFormat }) => {
    if (dataFormat !== null) oneOf(where, 'dataFormat', dataFormat, formats)
  },
  ({ g }, x, { dataFormat }) => {
    const [first, ...rest] = x.shape.keys()
    const isMoved = dataFormat === 'channelsFirst' && rest.length > 0
    const y = isMoved ? permute(g, x, [...rest, first!]) : x
    return reshapeOp(g, y, [sizeOf(x.shape)])
  },
)

/** Saved models of TensorFlow.js have null for −1. */
const isKnown = (size: number | null): size is number => size !== -1 && size !== null

/** The same elements in another shape; one size may be −1, it follows from the others. */
export const reshape = defineLayer(
  'Reshape',
  { targetShape: required<readonly (number | null)[]>() },
  (where, { targetShape }) => {
    for (const size of targetShape)
      if (isKnown(size)) nonNegativeInteger(where, 'a size of targetShape', size)
  },
  ({ g, refuse }, x, { targetShape }) => {
    const size = sizeOf(x.shape)
    const known = targetShape.filter(isKnown)
    const shape = targetShape.map(n => (isKnown(n) ? n : size / sizeOf(known)))
    const unknown = shape.length - known.length
    if (sizeOf(shape) !== size || !shape.every(Number.isInteger) || unknown > 1) {
      refuse(
        `targetShape must have ${size} elements as the input [${x.shape}], got [${targetShape}]; correct targetShape`,
      )
    }
    return reshapeOp(g, x, shape)
  },
)
