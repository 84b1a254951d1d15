import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import { show } from '../errors.ts'
import { version } from '../version.ts'
import { removeIfThere, writeFilesAtomically } from './atomicFiles.ts'
import { type Files, openRegularFile, readFully, realFiles } from './files.ts'
import { readManifest, type WeightGroup } from './manifest.ts'
import type { Json } from './naming.ts'
import { parseJson } from './strictJson.ts'
import { bytesOf, readWeightFiles } from './weightFiles.ts'
import type { NamedWeight } from './weights.ts'

/**
 * A model as TF.js' layers-model format holds it; topology and training config in saved names (naming.ts).
 */
export interface LayersModelFile {
  topology: Json
  weights: NamedWeight[]
  trainingConfig?: Json
  userMetadata?: Json
}

/** Larger than any topology, metadata of the user included: what JSON becomes takes many times its bytes. */
export const longestJson = 16 * 2 ** 20

/**
 * The path of a `file://` URL as TF.js writes them: what follows the two slashes, relative or not. A plain
 * path stays.
 * @throws RangeError for another scheme
 */
export function pathOfUrl(where: string, url: string, schemes = 'file://'): string {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(url)
  if (!scheme) return resolve(url)
  if (scheme[1]!.toLowerCase() === 'file') return resolve(url.slice('file://'.length))
  throw new RangeError(`${where}: URL must start with ${schemes}, got ${show(url)}`)
}

function checkNames(weights: readonly NamedWeight[]): void {
  const seen = new Set<string>()
  for (const { name } of weights) {
    if (typeof name === 'string' && name !== '' && !seen.has(name)) seen.add(name)
    else throw new RangeError(`writeLayersModel: each weight must have a name of its own, got ${show(name)}`)
  }
}

/** How TF.js lists weights; a scaled tensor is saved as the float32 numbers it stands for. */
export const specsOf = (weights: readonly NamedWeight[]) =>
  weights.map(({ name, tensor: { shape, dtype, scale }, group }) => ({
    name,
    shape: [...shape],
    dtype: scale === 1 ? dtype : 'float32',
    ...(group === undefined ? {} : { group }),
  }))

/** The bytes of weights, one after the other. */
export const piecesOf = (weights: readonly NamedWeight[]): Uint8Array[] =>
  weights.map(({ tensor }) => bytesOf(tensor.dataSync()))

/** What model.json has of a model besides its weights. */
export const describe = ({ topology, trainingConfig, userMetadata }: LayersModelFile) => ({
  modelTopology: topology,
  format: 'layers-model',
  generatedBy: `Lockstep v${version}`,
  convertedBy: null,
  ...(trainingConfig === undefined ? {} : { trainingConfig }),
  ...(userMetadata === undefined ? {} : { userDefinedMetadata: userMetadata }),
})

const modelJson = (model: LayersModelFile, paths: string[]): string =>
  JSON.stringify({ ...describe(model), weightsManifest: [{ paths, weights: specsOf(model.weights) }] })

/** A file of weights that ours, or TF.js, gave the name. */
const weightsPattern = /^weights(-[0-9a-f]{16})?\.bin$/

/** A name that no other content has, so that a file of weights is never replaced by another model's. */
function weightsName(pieces: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  return `weights-${hash.digest('hex').slice(0, 16)}.bin`
}

/** The files of weights of the model that is in a folder; none where there is no model that can be read. */
async function weightsIn(directory: string, files: Files): Promise<string[]> {
  try {
    const { weightsManifest = [] } = await readJson('', join(directory, 'model.json'), files)
    const paths = readManifest('', weightsManifest).flatMap(group => group.paths)
    return paths.filter(path => weightsPattern.test(path))
  } catch {
    return []
  }
}

/**
 * Writes a file of weights (little-endian), then `model.json`, which names it, into a folder, making it if need be.
 * Whenever this ends before its time, the folder holds the old model or the new one, whole. The weights of the old
 * model are removed last.
 * @throws RangeError for weights without distinct names, or a model.json that would not be read again; the file
 * system's own errors
 */
export async function writeLayersModel(
  directory: string,
  model: LayersModelFile,
  files = realFiles,
): Promise<void> {
  checkNames(model.weights)
  const pieces = piecesOf(model.weights)
  const name = weightsName(pieces)
  const json = Buffer.from(modelJson(model, [name]))
  if (json.length > longestJson)
    throw new RangeError(
      `writeLayersModel: model.json must be at most ${longestJson} bytes, got ${json.length}; keep less metadata`,
    )
  const old = await weightsIn(directory, files)
  await writeFilesAtomically(
    directory,
    [
      [name, pieces],
      ['model.json', [json]],
    ],
    files,
  )
  for (const other of old) if (other !== name) await removeIfThere(files, join(directory, other))
}

/** @throws RangeError for what is not JSON, TypeError for what is no object */
export function parseObject(where: string, text: string): Record<string, Json> {
  const value = parseJson(where, text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new TypeError(`${where} must hold a JSON object, got ${show(value)}`)
}

async function readJson(where: string, path: string, files = realFiles): Promise<Record<string, Json>> {
  const { file, size } = await openRegularFile(where, path, files)
  try {
    if (size > longestJson) throw new RangeError(`${where} must be at most ${longestJson} bytes, got ${size}`)
    const bytes = Buffer.alloc(size)
    await readFully(where, file, bytes, 0)
    return parseObject(where, bytes.toString())
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

/** A model but for its weights, of a model.json or of what a handler gave. @throws TypeError or RangeError naming the field */
export function readDescription(where: string, json: Record<string, Json>): Omit<LayersModelFile, 'weights'> {
  const format = json.format ?? 'layers-model'
  if (format !== 'layers-model')
    throw new RangeError(`${where} format must be "layers-model", got ${show(format)}`)
  return {
    topology: topologyOf(where, json.modelTopology),
    ...(json.trainingConfig == null ? {} : { trainingConfig: json.trainingConfig }),
    ...(json.userDefinedMetadata == null ? {} : { userMetadata: json.userDefinedMetadata }),
  }
}

/** A model of its model.json, with the weights that `read` finds for the checked manifest. */
export async function readModel(
  where: string,
  json: Record<string, Json>,
  read: (groups: WeightGroup[]) => Promise<NamedWeight[]>,
): Promise<LayersModelFile> {
  const description = readDescription(where, json)
  return { ...description, weights: await read(readManifest(where, json.weightsManifest ?? [])) }
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
  return readModel(where, json, groups => readWeightFiles(where, jsonPath, groups))
}
