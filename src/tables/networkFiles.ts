import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { sizeOf } from '../data/nested.ts'
import { normalNumbers, seeded } from '../data/random.ts'
import { Tensor } from '../data/tensor.ts'
import { isPlainObject, show } from '../errors.ts'
import { codeOf } from '../formats/files.ts'
import { parseJson } from '../formats/strictJson.ts'
import type * as lockstep from '../index.ts'
import { loadLayersModel, models } from '../model/loading.ts'
import { Trainable } from '../model/trainable.ts'
import type { Problem } from './networks.ts'

// Networks that a person has written: a module, or a layers model.

/** What the function of a module makes a network of: `export default ({ shape, outputs, lockstep }) => …`. */
export interface NetworkRequest {
  /** One an input of the network. `words`: its numbers are integers below that, to be looked up (embedding). */
  readonly inputs: readonly { readonly shape: readonly number[]; readonly words?: number }[]
  /** Of a sample, as the first input takes it. */
  readonly shape: readonly number[]
  /** Undefined where a number is predicted. */
  readonly classes: number | undefined
  /** Units at the end: a probability a class (softmax), or one number, which is brought to mean 0 and deviation 1. */
  readonly outputs: number
  /** Samples that are trained on. */
  readonly rows: number
  /** Of the training; weights of a network without a seed follow from it. */
  readonly seed: number
  /** All that `import * as lockstep from 'lockstep'` gives. */
  readonly lockstep: typeof lockstep
}

const requestOf = async (
  { shape, lookups, classes, isText, rows }: Problem,
  seed: number,
): Promise<NetworkRequest> => {
  const numbers = lookups && shape[0] === 0 ? [] : [{ shape, ...(isText && { words: classes! }) }]
  const inputs = [...numbers, ...(lookups ? [{ shape: [lookups.columns], words: lookups.words }] : [])]
  const lockstep = await import('../index.ts')
  return { inputs, shape: inputs[0]!.shape, classes, outputs: classes ?? 1, rows, seed, lockstep }
}

/** What a module exports, called where it is a function. */
async function fromModule(path: string, request: NetworkRequest): Promise<unknown> {
  const { default: made } = (await import(pathToFileURL(path).href)) as { default: unknown }
  if (typeof made === 'function') return await made(request)
  if (!(made instanceof Trainable)) return made
  if (made.isCompiled) throw new Error('a model that is compiled must be returned by a function')
  // It is there only once: another training of this process would go on with it.
  const copy = models.modelFromJSON(made.toJSON() as string)
  copy.setWeights(made.getWeights())
  return copy
}

/** A layers model with its weights; of an architecture alone, with new ones. */
async function fromJson(path: string, text: string): Promise<Trainable> {
  const json = parseJson('JSON', text)
  const { weightsManifest } = isPlainObject(json) ? json : {}
  const hasWeights = Array.isArray(weightsManifest) && weightsManifest.length > 0
  return hasWeights
    ? loadLayersModel(`file://${path}`, { compile: false })
    : models.modelFromJSON(json as object)
}

/** The architecture, whatever its layers are called: names follow from how many there were before. */
function architectureOf(model: Trainable): string {
  const names = new Map<unknown, string>()
  const note = (key: string, value: unknown) => {
    if (key === 'name' && !names.has(value)) names.set(value, `#${names.size}`)
    return value
  }
  const json = JSON.stringify(model.toJSON(undefined, false), note)
  return JSON.stringify(JSON.parse(json), (_, value) => names.get(value) ?? value)
}

/** What tells a network from others: its file, its architecture, and weights that came with it. */
function digestOf(text: string, model: Trainable, isLoaded: boolean): string {
  const hash = createHash('sha256').update(text).update(architectureOf(model))
  if (isLoaded)
    for (const weight of model.getWeights()) {
      const { buffer, byteOffset, byteLength } = weight.dataSync() as Float32Array
      hash.update(new Uint8Array(buffer, byteOffset, byteLength))
    }
  return hash.digest('hex')
}

const shown = (shapes: readonly (readonly (number | null)[])[]) =>
  shapes.map(shape => `[${shape.map(size => size ?? 'null').join(', ')}]`).join(' and ')

/** @throws RangeError for a network that takes or gives something else than the data has */
function checkNetwork(
  path: string,
  model: Trainable,
  { inputs, shape, classes, outputs }: NetworkRequest,
  isText: boolean,
): void {
  const wanted = inputs.map(({ shape }) => shape)
  if (shown(model.inputShapes) !== shown(wanted)) {
    const words = inputs.flatMap(({ words }, i) => (words ? [`input ${i + 1} integers below ${words}`] : []))
    throw new RangeError(
      `${path}: must take samples of ${[shown(wanted), ...words].join(', ')}, got ${shown(model.inputShapes)}; ` +
        'change its inputShape, or make it in a module, which is told the shape',
    )
  }
  const things = isText ? 'characters' : 'classes'
  const given = classes ? `the probabilities of ${classes} ${things} (softmax)` : 'one number'
  const output = isText ? [...shape, outputs] : [outputs]
  const must = `${path}: must give ${shown([output])}, ${given}, got`
  if (shown(model.outputShapes) !== shown([output]))
    throw new RangeError(`${must} ${shown(model.outputShapes)}; change its last layer`)
  if (isText && model.isCompiled)
    throw new RangeError(`${path}: must not be compiled for a text, got a network that is; leave compile out`)
  const [loss] = model.isCompiled ? model.compiled.outputs.map(output => output.loss) : []
  if (loss && sizeOf(loss.targetShape([outputs])) !== 1)
    throw new RangeError(
      `${path}: must be compiled with a loss that takes one number a sample, got ${show(loss.name)}; ` +
        "of classes take 'sparseCategoricalCrossentropy'",
    )
  if (!classes) return
  const draw = normalNumbers(1)
  const count = model.batchSize ?? 4
  const samples = inputs.map(({ shape, words }) => {
    const values = Float32Array.from({ length: count * sizeOf(shape) }, () => (words ? 0 : draw()))
    return new Tensor(values, [count, ...shape], 'float32')
  })
  const predict = () =>
    (model.predict(samples.length === 1 ? samples[0]! : samples) as Tensor).dataSync() as Float32Array
  const probabilities = predict()
  for (let i = 0; i < probabilities.length / classes; i++) {
    const row = probabilities.slice(i * classes, (i + 1) * classes)
    const sum = row.reduce((all, one) => all + one, 0)
    if (!(Math.abs(sum - 1) < 1e-3 && row.every(one => one >= 0)))
      throw new RangeError(`${must} numbers that add up to ${sum}; give its last layer activation: 'softmax'`)
  }
  if (isText) {
    const before = (sizeOf(shape) - 1) * classes
    ;(samples[0]!.values as Float32Array)[sizeOf(shape) - 1] = 1
    const others = predict()
    if (probabilities.subarray(0, before).some((one, i) => one !== others[i]))
      throw new RangeError(
        `${path}: must expect each character from those before it, got a network to which later ones matter; ` +
          'give attention useCausalMask, convolutions causal padding',
      )
  }
  if (model.stateful) model.resetStates()
}

/** A network of a file, as the data wants it. */
export interface FileNetwork {
  readonly model: Trainable
  /** Absolute. */
  readonly path: string
  readonly sha256: string
}

/**
 * The network that a module makes (.js, .mjs, .cjs, .ts), or a layers model (.json) with its weights, or new ones.
 * @throws RangeError for a network that does not fit the data or, where `sha256` is given, is another one
 */
export async function readNetwork(
  file: string,
  problem: Problem,
  seed: number,
  sha256: string | undefined,
): Promise<FileNetwork> {
  const path = resolve(file)
  if (!/\.(json|[cm]?[jt]s)$/.test(path))
    throw new RangeError(
      `train: model must end in .js, .mjs, .cjs, .ts or .json, got ${show(file)}; rename it`,
    )
  const text = await readFile(path, 'utf8').catch(error => {
    if (codeOf(error) !== 'ENOENT') throw error
    throw new Error(`${path}: must be there, got no file; give the file of a network as model`)
  })
  const request = await requestOf(problem, seed)
  const isJson = path.endsWith('.json')
  const make = async () => (isJson ? fromJson(path, text) : fromModule(path, request))
  const model = await seeded(seed, make).catch(cause => {
    throw new Error(`${path}: must make a network, got an error: ${cause?.message ?? cause}`, { cause })
  })
  if (!(model instanceof Trainable))
    throw new TypeError(
      `${path}: must export a function that returns a model of the lockstep that it is given, ` +
        `got ${show(model)}; write export default ({ lockstep }) => lockstep.sequential(…)`,
    )
  checkNetwork(path, model, request, problem.isText === true)
  const own = digestOf(text, model, isJson)
  if (sha256 !== undefined && sha256 !== own)
    throw new RangeError(
      `${path}: must be the network of the configuration, ${basename(path)} with SHA-256 ${sha256}, got ${own}; ` +
        'restore it, or give model anew to train this one',
    )
  return { model, path, sha256: own }
}
