import { checkOptions, show } from '../errors.ts'
import { type FetchOptions, fetchLayersModel } from '../formats/fetching.ts'
import { type IOHandler, readArtifacts } from '../formats/handlers.ts'
import { pathOfUrl, readLayersModel } from '../formats/layersModel.ts'
import { checkMetadata } from '../formats/metadata.ts'
import type { Json } from '../formats/naming.ts'
import type { NamedWeight } from '../formats/weights.ts'
import { buildModel, modelFromJSON } from './building.ts'
import type { Model } from './functional.ts'
import { groupsOfOptimizer, putOptimizerState } from './optimizerState.ts'
import type { Sequential } from './sequential.ts'
import type { Trainable } from './trainable.ts'
import { compileOptionsOf, epochsOf } from './trainingConfig.ts'

/** Keras saves weights of recurrent layers under the name of their cell, too: lstm/lstm_cell/kernel. */
const withoutCell = (name: string): string => name.split('/').toSpliced(-2, 1).join('/')

export interface LoadOptions extends FetchOptions {
  /** Whether weights that are missing or of no use are refused; true unless given. */
  strict?: boolean
  /** Whether the model is compiled as the file says, if it does, with the optimizer's state; true unless given. */
  compile?: boolean
}

const fetchOptions = ['requestInit', 'fetchFunc', 'onProgress', 'weightPathPrefix', 'weightUrlConverter']

/**
 * The weights of a file by their names here, found to be those of the model before any of these takes memory.
 * @throws RangeError for weights of other shapes, and where strict for those that are missing or too many
 */
function weightsFor(
  where: string,
  model: Trainable,
  weights: readonly NamedWeight[],
  strict: boolean,
): Map<string, NamedWeight['tensor']> {
  const own = new Map(model.weights.map(({ name, shape }) => [name, shape]))
  const ofModel = weights.filter(({ group }) => !groupsOfOptimizer.includes(group))
  const nameHere = (name: string) => [name, withoutCell(name)].find(each => own.has(each)) ?? name
  const byName = new Map(ofModel.map(({ name, tensor }) => [nameHere(name), tensor]))
  const missing = [...own.keys()].find(name => !byName.has(name))
  if (strict && missing !== undefined)
    throw new RangeError(
      `${where} must hold the weight "${missing}", got none of that name; save the model again`,
    )
  for (const [name, { shape }] of byName) {
    const wanted = own.get(name)
    if (strict && !wanted)
      throw new RangeError(
        `${where} must hold weights of the model only, got "${name}"; give strict: false to leave it out`,
      )
    if (wanted && String(wanted) !== String(shape))
      throw new RangeError(
        `${where} weight "${name}" must have shape [${wanted}], got [${shape}]; save the model again`,
      )
  }
  return byName
}

/** Compiles the model as the file says. @throws RangeError where `compile` takes that not */
function compileAs(where: string, model: Trainable, trainingConfig: Json): void {
  try {
    model.compile(compileOptionsOf(trainingConfig))
    model.epochsTrained = epochsOf(trainingConfig)
  } catch (error) {
    throw new RangeError(
      `${where} trainingConfig must be one to compile with, got another: ${(error as Error).message}; ` +
        'give compile: false to leave it out',
      { cause: error },
    )
  }
}

async function readFrom(where: string, from: string | IOHandler, options: FetchOptions) {
  if (typeof from !== 'string') return readArtifacts(where, await from.load!())
  if (/^https?:\/\//i.test(from)) return fetchLayersModel(from, options)
  return readLayersModel(pathOfUrl('loadLayersModel', from, 'file://, http:// or https://'))
}

/**
 * Reads a model that TensorFlow.js or `save` wrote: model.json and its weights, from files (`file://`), fetched
 * (`https://`, `http://`) or as an IOHandler gives them. Saved with its optimizer, it is compiled, and goes on training
 * to the bits of a model that never stopped.
 * @throws RangeError for another URL, an unknown layer or option, or parts that do not fit together
 */
export async function loadLayersModel(
  pathOrIOHandler: string | IOHandler,
  options?: LoadOptions,
): Promise<Sequential | Model> {
  checkOptions('loadLayersModel', options, ['strict', 'compile', ...fetchOptions])
  if (typeof pathOrIOHandler !== 'string' && typeof pathOrIOHandler?.load !== 'function')
    throw new TypeError(
      `loadLayersModel: pathOrIOHandler must be a URL or have a function load, got ${show(pathOrIOHandler)}`,
    )
  const from = typeof pathOrIOHandler === 'string' ? pathOrIOHandler : "the handler's model"
  const where = `loadLayersModel: ${from}`
  const { strict = true, compile = true, ...fetching } = options ?? {}
  const { topology, weights, trainingConfig, userMetadata } = await readFrom(where, pathOrIOHandler, fetching)
  const model = buildModel(where, topology)
  try {
    const values = weights && weightsFor(where, model, weights, strict)
    if (userMetadata !== undefined) {
      checkMetadata(where, userMetadata)
      model.setUserDefinedMetadata(userMetadata as object)
    }
    if (compile && trainingConfig !== undefined) compileAs(where, model, trainingConfig)
    if (values) model.loadWeights(values, false)
    if (weights && model.isCompiled) putOptimizerState(where, model, weights)
  } catch (error) {
    model.dispose()
    throw error
  }
  return model as Sequential | Model
}

/** As TensorFlow.js' tf.models. */
export const models = { modelFromJSON }
