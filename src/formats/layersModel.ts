import { join, resolve } from 'node:path'
import { show } from '../errors.ts'
import { version } from '../version.ts'
import { writeFilesAtomically } from './atomicFiles.ts'
import { readManifest } from './manifest.ts'
import type { Json } from './naming.ts'
import { parseJson } from './strictJson.ts'
import { bytesOf, type NamedWeight, openRegularFile, readWeights } from './weightFiles.ts'

export type { NamedWeight }

/**
 * A model as TF.js' layers-model format holds it; topology and training config in saved names (naming.ts).
 */
export interface LayersModelFile {
  topology: Json
  weights: NamedWeight[]
  trainingConfig?: Json
  userMetadata?: Json
}

/** Larger than any topology: a guard against a wrong or hostile file. */
const longestJson = 256 * 2 ** 20

/**
 * The path of a `file://` URL as TF.js writes them: what follows the two slashes, relative or not. A plain
 * path stays.
 * @throws RangeError for another scheme
 */
export function pathOfUrl(where: string, url: string): string {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(url)
  if (!scheme) return resolve(url)
  if (scheme[1]!.toLowerCase() === 'file') return resolve(url.slice('file://'.length))
  throw new RangeError(`${where}: URL must start with file://, got ${show(url)}`)
}

function checkNames(weights: readonly NamedWeight[]): void {
  const seen = new Set<string>()
  for (const { name } of weights) {
    if (typeof name === 'string' && name !== '' && !seen.has(name)) seen.add(name)
    else throw new RangeError(`writeLayersModel: each weight must have a name of its own, got ${show(name)}`)
  }
}

/** model.json as TF.js writes it; a scaled tensor is saved as the float32 numbers it stands for. */
function modelJson({ topology, weights, trainingConfig, userMetadata }: LayersModelFile): string {
  const specs = weights.map(({ name, tensor: { shape, dtype, scale }, group }) => ({
    name,
    shape,
    dtype: scale === 1 ? dtype : 'float32',
    ...(group === undefined ? {} : { group }),
  }))
  return JSON.stringify({
    modelTopology: topology,
    format: 'layers-model',
    generatedBy: `Lockstep v${version}`,
    convertedBy: null,
    weightsManifest: [{ paths: ['weights.bin'], weights: specs }],
    ...(trainingConfig === undefined ? {} : { trainingConfig }),
    ...(userMetadata === undefined ? {} : { userDefinedMetadata: userMetadata }),
  })
}

/**
 * Writes `model.json` and `weights.bin` (little-endian) into a folder, making it if need be. Both are
 * complete on the disk under other names before they take their own, `model.json` last: a crash leaves no
 * file half written.
 * @throws RangeError for weights without distinct names; the file system's own errors
 */
export async function writeLayersModel(directory: string, model: LayersModelFile): Promise<void> {
  checkNames(model.weights)
  await writeFilesAtomically(directory, [
    ['weights.bin', model.weights.map(({ tensor }) => bytesOf(tensor.dataSync()))],
    ['model.json', [new TextEncoder().encode(modelJson(model))]],
  ])
}

async function readJson(where: string, path: string): Promise<Record<string, Json>> {
  const { file, size } = await openRegularFile(where, path)
  try {
    if (size > longestJson) throw new RangeError(`${where} must be at most ${longestJson} bytes, got ${size}`)
    const value = parseJson(where, await file.readFile('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
    throw new TypeError(`${where} must hold a JSON object, got ${show(value)}`)
  } finally {
    await file.close()
  }
}

/** The config of the model; Keras' converter puts it into an object with the optimizer's. */
function topologyOf(where: string, value: Json | undefined): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${where} modelTopology must be an object, got ${show(value)}`)
  }
  return value.model_config ?? value
}

/**
 * Reads a model that TF.js, its Keras converter or `writeLayersModel` wrote. `path` is that of its JSON file
 * or of the folder of `model.json`. The files are not trusted: names, shapes, paths and sizes are checked
 * before anything is allocated.
 * @throws TypeError or RangeError naming the file and field that is wrong; the file system's own errors
 */
export async function readLayersModel(path: string): Promise<LayersModelFile> {
  const jsonPath = path.endsWith('.json') ? path : join(path, 'model.json')
  const where = `readLayersModel: ${jsonPath}`
  const json = await readJson(where, jsonPath)
  const format = json.format ?? 'layers-model'
  if (format !== 'layers-model')
    throw new RangeError(`${where} format must be "layers-model", got ${show(format)}`)
  const topology = topologyOf(where, json.modelTopology)
  const groups = readManifest(where, json.weightsManifest ?? [])
  return {
    topology,
    weights: await readWeights(where, jsonPath, groups),
    ...(json.trainingConfig == null ? {} : { trainingConfig: json.trainingConfig }),
    ...(json.userDefinedMetadata == null ? {} : { userMetadata: json.userDefinedMetadata }),
  }
}
