import * as tf from '@tensorflow/tfjs'
import * as ls from '../src/index.ts'
import { getInitializer } from '../src/training/initializers.ts'

export type LayerOptions = Readonly<Record<string, unknown>>
type Factory = (options: object) => { apply(inputs: never): unknown; getConfig?(): LayerOptions }
interface Maker {
  readonly layers: Readonly<Record<string, unknown>>
}

const libraries = { lockstep: ls as unknown as Maker, tensorflow: tf as unknown as Maker }

/** A factory of a layer, if the library has it. */
export const factoryOf = (library: keyof typeof libraries, name: string): Factory | undefined =>
  libraries[library].layers[name] as Factory | undefined

/** Values of options that must be given; those of layers and cells are made by the library itself. */
const samples: Readonly<Record<string, (layers: Record<string, Factory>) => unknown>> = {
  activation: () => 'relu',
  axes: () => -1,
  cell: layers => layers.simpleRNNCell!({ units: 2 }),
  cells: layers => [layers.simpleRNNCell!({ units: 2 }), layers.gruCell!({ units: 2 })],
  cropping: () => 1,
  dims: () => [2, 1],
  factor: () => 0.2,
  filters: () => 2,
  height: () => 4,
  inputDim: () => 3,
  kernelSize: () => 2,
  layer: layers => layers.simpleRNN!({ units: 2, returnSequences: true }),
  n: () => 2,
  numTokens: () => 3,
  outputDim: () => 2,
  rate: () => 0.5,
  scale: () => 2,
  stddev: () => 0.5,
  targetShape: () => [-1],
  units: () => 2,
  width: () => 4,
}

/** The options that must be given. @throws Error for one that is new */
export function sampleOptions(library: keyof typeof libraries, names: readonly string[]): LayerOptions {
  const layers = libraries[library].layers as Record<string, Factory>
  return Object.fromEntries(
    names.map(name => {
      const sample = samples[name]
      if (!sample) throw new Error(`probe: option ${name} must have a sample; add one`)
      return [name, sample(layers)]
    }),
  )
}

/** Shapes of inputs that some layer takes. */
const candidates: readonly (readonly (readonly number[])[])[] = [
  ...[[6], [6, 4], [6, 6, 4], [3, 6, 6, 4]].map(shape => [shape]),
  [
    [6, 4],
    [6, 4],
  ],
]

const quietly = <T>(run: () => T): T => {
  const { warn, log } = console
  Object.assign(console, { warn: () => {}, log: () => {} })
  try {
    return run()
  } finally {
    Object.assign(console, { warn, log })
  }
}

const succeeds = (run: () => unknown): boolean => {
  try {
    quietly(run)
    return true
  } catch {
    return false
  }
}

const oneOrAll = <T>(list: readonly T[]): T | readonly T[] => (list.length === 1 ? list[0]! : list)

/** Whether TensorFlow.js computes something with a layer of these options. */
function theyCompute(
  factory: Factory,
  options: LayerOptions,
  shapes: readonly (readonly number[])[],
): boolean {
  return succeeds(() =>
    tf.tidy(() => {
      const inputs = shapes.map(shape => tf.input({ batchShape: [2, ...shape] }))
      const outputs = factory({ ...options }).apply(oneOrAll(inputs) as never) as tf.SymbolicTensor
      const zeros = shapes.map(shape => tf.zeros([2, ...shape]))
      const [y] = [tf.model({ inputs, outputs }).predict(zeros)].flat()
      y!.dataSync()
    }),
  )
}

/** Whether Lockstep records a layer of these options, which may need to know the samples of a batch. */
const weRecord = (factory: Factory, options: LayerOptions, shapes: readonly (readonly number[])[]): boolean =>
  [null, 2].some(batch =>
    succeeds(() => {
      const inputs = shapes.map(shape => ls.input({ batchShape: [batch, ...shape] }))
      factory({ ...options }).apply(oneOrAll(inputs) as never)
    }),
  )

/** Inputs on which a layer of these options computes in TensorFlow.js; none for what is no layer, as a cell. */
export function inputsOf(name: string, options: LayerOptions): readonly (readonly number[])[] | undefined {
  return candidates.find(shapes => theyCompute(factoryOf('tensorflow', name)!, options, shapes))
}

/** Whether TensorFlow.js computes with an option of this value, and Lockstep refuses it. */
export function isRefused(
  name: string,
  shapes: readonly (readonly number[])[] | undefined,
  options: Record<keyof typeof libraries, LayerOptions>,
): boolean {
  const [ours, theirs] = [factoryOf('lockstep', name)!, factoryOf('tensorflow', name)!]
  if (!shapes) return succeeds(() => theirs(options.tensorflow)) && !succeeds(() => ours(options.lockstep))
  return theyCompute(theirs, options.tensorflow, shapes) && !weRecord(ours, options.lockstep, shapes)
}

/** The saved options of a layer of TensorFlow.js. */
export const configOf = (name: string, options: LayerOptions): LayerOptions =>
  quietly(() => factoryOf('tensorflow', name)!({ inputShape: [4], ...options }).getConfig!())

/** A default in one form, however it is written: [2, 2] as 2, 'linear' and false as null, initializers in full. */
export function plain(name: string, value: unknown): unknown {
  if (value === undefined || value === null || value === 'linear' || value === false) return null
  if (name.endsWith('Initializer')) {
    const { className, config } = getInitializer(value as string)
    return 'mode' in config ? { ...config } : { className, ...config }
  }
  if (Array.isArray(value)) {
    const parts = value.map(part => plain(name, part))
    return parts.every(part => JSON.stringify(part) === JSON.stringify(parts[0])) ? parts[0] : parts
  }
  return value
}

type Compile = { compile(options: object): void }

/** Whether a model can be compiled with this loss, metric or optimizer, given by name. */
export function canCompile(
  library: keyof typeof libraries,
  options: Readonly<Record<string, string>>,
): boolean {
  const { sequential } = libraries[library] as unknown as { sequential(options: object): Compile }
  const { dense } = libraries[library].layers as Record<string, Factory>
  const { loss, metric, optimizer = 'sgd' } = options
  const losses = loss ? [loss] : ['meanSquaredError', 'sparseCategoricalCrossentropy']
  return losses.some(each =>
    succeeds(() => {
      const model = sequential({ layers: [dense!({ units: 3, activation: 'softmax', inputShape: [4] })] })
      model.compile({ loss: each, optimizer, ...(metric && { metrics: [metric] }) })
    }),
  )
}

/** Names of TensorFlow.js' activations: it registers everything else under the name of a class. */
export const activationNames = (): string[] =>
  Object.keys(tf.serialization.SerializationMap.getMap().classNameMap).filter(name => /^[a-z]/.test(name))

/** Whether Lockstep has an activation of this name. */
export const canActivate = (name: string): boolean =>
  weRecord(factoryOf('lockstep', 'dense')!, { units: 2, activation: name }, [[3]])
