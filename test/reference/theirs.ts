import * as tf from '@tensorflow/tfjs'
import { Layer } from '../../src/layers/define.ts'
import { relativeError } from '../bed.ts'
import { type Example, type LayerName, nameOf } from '../cases/example.ts'
import { branches } from '../cases/merge.ts'
import { drawOf, setupOf } from './draw.ts'
import { lossReferences } from './losses.ts'
import { build, type Inputs, measure, type Outputs, type Setup } from './measure.ts'
import { drawClear, type Predicted, predictionOf, wide } from './prove.ts'

/** What is compared: predictions, the same in training with the weights that it moves by itself, gradients. */
export const parts = ['inference', 'training', 'gradients'] as const
export type Part = (typeof parts)[number]
/** Largest relative error of each part, or what TensorFlow.js threw. */
export type Differences = Record<Part, number | string>

type Factories = Record<string, (options: object) => tf.layers.Layer>

/** Makes TensorFlow.js' layer, and those among its options. */
function theirLayer(name: string, options: object): tf.layers.Layer {
  const given = Object.entries(options).map(([option, value]) => [option, theirOption(value)])
  return (tf.layers as unknown as Factories)[name]!(Object.fromEntries(given))
}

/** A copy, since TensorFlow.js writes into options. */
function theirOption(value: unknown): unknown {
  if (value instanceof Layer) return theirLayer(nameOf(value), value.config)
  return Array.isArray(value) ? value.map(theirOption) : structuredClone(value)
}

/** What TensorFlow.js' types hide of a weight. */
interface LayerVariable {
  readonly originalName: string
  readonly val: tf.Variable
}

/** A layer's example in TensorFlow.js. */
class Theirs {
  private readonly layer: tf.layers.Layer
  private readonly example: Example
  private readonly masking = tf.layers.masking()

  constructor(name: LayerName, example: Example) {
    this.example = example
    this.layer = theirLayer(name, example.options)
  }

  /** The first output; of an example within which a layer's outputs are joined, all side by side. */
  call(x: tf.Tensor, training: boolean): tf.Tensor {
    const { inner, layer, masked } = this.example
    const rows = x.rank > 3 ? tf.reshape(x, [...x.shape.slice(0, 2), -1]) : x
    const first = masked ? tf.reshape(this.masking.apply(rows) as tf.Tensor, x.shape) : x
    const branch = layer.config.seeded ? stateOf : branchOf
    const given = inner?.inputs.map((shape, i) => branch(first, i, shape)) ?? first
    const mask = masked ? { mask: this.masking.computeMask(rows) } : {}
    const outputs = [this.layer.apply(given, { training, ...mask })].flat() as tf.Tensor[]
    if (!inner || outputs.length === 1) return outputs[0]!
    return tf.concat(
      outputs.map(y => tf.reshape(y, [y.shape[0]!, -1])),
      1,
    )
  }

  get weights(): readonly LayerVariable[] {
    return this.layer.weights as unknown as LayerVariable[]
  }
}

/** As `seeded` in test/cases/sequences.ts. */
function stateOf(x: tf.Tensor, i: number, shape: readonly number[]): tf.Tensor {
  if (i === 0) return x
  const [samples, units] = [x.shape[0]!, shape[0]!]
  return tf.tanh(tf.reshape(tf.slice(x, [0, i - 1, 0], [samples, 1, units]), [samples, units]))
}

/** As `fanned` in test/cases/merge.ts. */
function branchOf(x: tf.Tensor, i: number, shape: readonly number[]): tf.Tensor {
  const branch = branches[i]!
  const whole = branch === null ? x : branch === 'tanh' ? tf.tanh(x) : tf.sigmoid(x)
  const leading = Array<number>(x.rank - 1 - shape.length).fill(1)
  const origin = x.shape.map(() => 0)
  return tf.reshape(tf.slice(whole, origin, [x.shape[0]!, ...leading, ...shape]), [x.shape[0]!, ...shape])
}

/** Gradient of the weighted mean of the squared errors, of the steps that count. */
function outputGradient({ samples }: Setup, { target, weight }: Inputs, y: Predicted): Float32Array {
  const n = y.shape.at(-1) ?? 1
  const rows = y.values.length / n
  const isCounted = (row: number) => !y.steps || y.steps[Math.floor((row * y.steps.length) / rows)] === 1
  const counted = Array.from({ length: rows }, (_, row) => row).filter(isCounted).length
  return Float32Array.from(y.values, (value, i) => {
    const row = Math.floor(i / n)
    const factor = isCounted(row) ? (weight?.[Math.floor((row * samples) / rows)] ?? 1) : 0
    return (2 * factor * (value - target[i]!)) / n / counted
  })
}

/** Gradients of f; zeros of what it does not depend on. */
function gradientsOf(f: () => tf.Tensor, variables: tf.Variable[]): ArrayLike<number>[] {
  if (variables.length === 0) return []
  const { grads } = tf.variableGrads(() => tf.sum(f()) as tf.Scalar, variables)
  return variables.map(({ name, size }) => grads[name]?.dataSync() ?? new Float32Array(size))
}

const largest = (errors: readonly number[]): number => Math.max(0, ...errors)
const lastNames = (names: readonly string[]) =>
  names.map(name => name.split('/').at(-1)!.replace(/_\d+$/, ''))

/** One step of both libraries from the same weights and data. */
class Comparison {
  private readonly setup: Setup
  private readonly example: Example
  private readonly theirs: Theirs
  private readonly inputs: Inputs
  private readonly outputs: Outputs
  private readonly x: tf.Variable

  constructor(name: LayerName, example: Example) {
    const setup = setupOf(example)
    this.setup = setup
    this.example = example
    this.inputs = drawClear(setup, lossReferences.meanSquaredError, drawOf(example, setup))
    this.outputs = measure(setup, this.inputs)
    this.x = tf.variable(tf.tensor(this.inputs.x, [setup.samples, ...setup.input]))
    this.theirs = new Theirs(name, example)
    this.theirs.call(this.x, false)
    this.reset()
  }

  private get variables(): tf.Variable[] {
    return this.theirs.weights.map(({ val }) => val)
  }

  /** Gives TensorFlow.js our weights. @throws Error where it has others */
  private reset(): void {
    const { weights } = build(this.setup)
    const [found, expected] = [
      weights.map(each => each.name),
      this.theirs.weights.map(each => each.originalName),
    ]
    if (String(lastNames(found)) !== String(lastNames(expected)))
      throw new Error(`the weights are ${lastNames(expected)}`)
    const { variables } = this
    for (const [i, { name, shape }] of weights.entries())
      variables[i]!.assign(tf.tensor(this.inputs.weights[name]!, [...shape]))
  }

  private get predicted(): Predicted {
    return predictionOf(this.setup, wide(this.inputs, this.setup))
  }

  inference(): number {
    const y = this.theirs.call(this.x, false)
    if (String(y.shape) !== String(this.predicted.shape)) throw new Error(`the shape is ${y.shape}`)
    return relativeError(measure({ ...this.setup, training: false }, this.inputs).y, y.dataSync())
  }

  training(): number {
    this.reset()
    const { outputs, variables } = this
    const y = this.theirs.call(this.x, true).dataSync()
    const moved = build(this.setup).weights.map(({ name, trainable }, i) =>
      trainable ? 0 : relativeError(outputs.after[name]!, variables[i]!.dataSync()),
    )
    return largest([relativeError(outputs.y, y), ...moved])
  }

  gradients(): number {
    this.reset()
    const { setup, outputs } = this
    const values = Float64Array.from(outputs.y)
    const { shape } = this.predicted
    const dy = tf.tensor(outputGradient(setup, this.inputs, { ...this.predicted, values }), [...shape])
    const { weights } = build(setup)
    const learnt = this.variables.filter((_, i) => weights[i]!.trainable)
    // Their masking has no gradient.
    const ofInput = !setup.discrete && !this.example.masked
    const found = gradientsOf(
      () => tf.mul(this.theirs.call(this.x, true), dy),
      [...(ofInput ? [this.x] : []), ...learnt],
    )
    const own = [...(ofInput ? [outputs.dx] : []), ...Object.values(outputs.gradients)]
    return largest(own.map((dw, i) => relativeError(dw, found[i]!)))
  }
}

/** Errors of an example against TensorFlow.js. */
export function differencesOf(name: LayerName, example: Example): Differences {
  const attempt = (f: () => number): number | string => {
    try {
      return f()
    } catch (error) {
      return (error as Error).message
    }
  }
  tf.engine().startScope()
  try {
    const comparison = new Comparison(name, example)
    return Object.fromEntries(parts.map(part => [part, attempt(() => comparison[part]())])) as Differences
  } catch (error) {
    const { message } = error as Error
    return Object.fromEntries(parts.map(part => [part, message])) as Differences
  } finally {
    tf.engine().endScope()
  }
}
