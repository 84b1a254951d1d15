import { show } from '../errors.ts'
import {
  describe,
  type LayersModelFile,
  parseObject,
  piecesOf,
  readDescription,
  specsOf,
} from './layersModel.ts'
import { readSpecs } from './manifest.ts'
import { type NamedWeight, readWeights, stretchOf } from './weights.ts'

/** A weight as TensorFlow.js lists it. */
interface WeightEntry {
  name: string
  shape: number[]
  dtype: 'float32' | 'int32' | 'bool'
  group?: 'model' | 'optimizer'
}

/** What `compile` was given, as TensorFlow.js lists it. */
interface TrainingConfig {
  optimizer_config: object
  loss: string | string[] | Record<string, string>
  metrics?: string[] | Record<string, string>
}

/** A model as handlers are given it to save. */
export interface SavedArtifacts {
  modelTopology: object
  format: string
  generatedBy: string
  convertedBy: null
  /** What `compile` was given, where the optimizer is saved. */
  trainingConfig?: TrainingConfig
  userDefinedMetadata?: Record<string, object>
  weightSpecs: WeightEntry[]
  weightData: ArrayBuffer
}

/** A model as handlers give it. Without weightData it gets new weights. */
export interface LoadedArtifacts {
  modelTopology?: object
  format?: string
  trainingConfig?: TrainingConfig
  userDefinedMetadata?: object
  weightSpecs?: readonly object[]
  weightData?: ArrayBufferLike | readonly ArrayBufferLike[]
}

/** What was saved and when. */
export interface SaveResult {
  modelArtifactsInfo: {
    dateSaved: Date
    modelTopologyType: 'JSON' | 'GraphDef'
    modelTopologyBytes?: number
    weightSpecsBytes?: number
    weightDataBytes?: number
  }
}

/** Keeps models somewhere, as TensorFlow.js' own handlers do. */
export interface IOHandler<Result extends SaveResult = SaveResult> {
  save?: (artifacts: SavedArtifacts) => Result | Promise<Result>
  load?: () => LoadedArtifacts | Promise<LoadedArtifacts>
}

/** A model as TensorFlow.js hands it around. */
export function artifactsOf(model: LayersModelFile): SavedArtifacts {
  const bytes = Buffer.concat(piecesOf(model.weights))
  const weightData = new ArrayBuffer(bytes.length)
  new Uint8Array(weightData).set(bytes)
  return { ...describe(model), weightSpecs: specsOf(model.weights), weightData } as unknown as SavedArtifacts
}

const bytesAsJson = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

/** What TensorFlow.js tells of a model that was saved. */
export const resultOf = ({ topology, weights }: LayersModelFile): SaveResult => ({
  modelArtifactsInfo: {
    dateSaved: new Date(),
    modelTopologyType: 'JSON',
    modelTopologyBytes: bytesAsJson(topology),
    weightSpecsBytes: bytesAsJson(specsOf(weights)),
    weightDataBytes: piecesOf(weights).reduce((sum, { length }) => sum + length, 0),
  },
})

function bytesOfData(where: string, data: unknown): Uint8Array[] {
  return [data].flat().map(buffer => {
    if (buffer instanceof ArrayBuffer || buffer instanceof SharedArrayBuffer) return new Uint8Array(buffer)
    if (ArrayBuffer.isView(buffer)) return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    throw new TypeError(`${where} weightData must be an ArrayBuffer or a list of them, got ${show(buffer)}`)
  })
}

/** A value as its JSON has it. @throws RangeError for one that has none */
function asJson(where: string, value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch (error) {
    throw new RangeError(`${where} must be JSON, got one that is not: ${(error as Error).message}`)
  }
}

/**
 * Reads what a handler gave, which is no more trusted than files.
 * @throws TypeError or RangeError naming the field that is wrong
 */
export async function readArtifacts(
  where: string,
  artifacts: LoadedArtifacts,
): Promise<Omit<LayersModelFile, 'weights'> & { weights?: NamedWeight[] }> {
  if (typeof artifacts !== 'object' || artifacts === null)
    throw new TypeError(`${where} must be an object with modelTopology, got ${show(artifacts)}`)
  const { weightData, weightSpecs, modelTopology, format, trainingConfig, userDefinedMetadata } = artifacts
  const fields = { weightSpecs, modelTopology, format, trainingConfig, userDefinedMetadata }
  const json = parseObject(where, asJson(where, fields))
  const description = readDescription(where, json)
  if (weightData == null) return description
  const group = { paths: ['weightData'], weights: readSpecs(`${where} weightSpecs`, json.weightSpecs) }
  const weights = await readWeights(where, [group], () => bytesOfData(where, weightData).map(stretchOf))
  return { ...description, weights }
}

/** As TensorFlow.js' tf.io. */
export const io = {
  /** A handler that saves a model by giving it to a function. */
  withSaveHandler<Result extends SaveResult>(
    save: (artifacts: SavedArtifacts) => Result | Promise<Result>,
  ): IOHandler<Result> {
    if (typeof save !== 'function')
      throw new TypeError(`withSaveHandler: handler must be a function, got ${show(save)}`)
    return { save }
  },
  /** A handler that loads a model from memory. */
  fromMemory(artifacts: LoadedArtifacts): IOHandler {
    if (typeof artifacts === 'object' && artifacts !== null) return { load: () => artifacts }
    throw new TypeError(
      `fromMemory: artifacts must be an object with modelTopology, got ${show(artifacts)}; give what save gave`,
    )
  },
}
