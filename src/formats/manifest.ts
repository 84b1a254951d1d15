import { isAbsolute } from 'node:path'
import { finiteNumber, oneOf, show } from '../errors.ts'
import { bytesOfShape, type ElementType, elementTypes } from './elements.ts'
import type { Json } from './naming.ts'

/** What small integers stand for: value · scale + min. */
export interface Quantization {
  readonly scale: number
  readonly min: number
}

interface Stored {
  /** As the file holds the elements. */
  readonly type: ElementType
  readonly quantization?: Quantization | undefined
}

export interface WeightSpec extends Stored {
  name: string
  shape: number[]
  dtype: 'float32' | 'int32' | 'uint8' | 'bool'
  group?: string
  /** Bytes of the whole weight in the file. */
  bytes: number
}

/** Weights that lie one after the other in the given files, which are read as one. */
export interface WeightGroup {
  paths: string[]
  weights: WeightSpec[]
}

function asObject(where: string, value: Json): Record<string, Json> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new TypeError(`${where} must be an object, got ${show(value)}`)
}

function asArray(where: string, value: Json | undefined): Json[] {
  if (Array.isArray(value)) return value
  throw new TypeError(`${where} must be an array, got ${show(value)}`)
}

/** A path inside the model's folder: links are checked when the file is opened. */
function checkPath(where: string, value: Json): string {
  const inside =
    typeof value === 'string' &&
    value !== '' &&
    !value.includes('\0') &&
    !isAbsolute(value) &&
    !/^[a-z]:/i.test(value) &&
    !value.split(/[\\/]/).includes('..')
  if (inside) return value
  throw new RangeError(`${where} must be a path inside the model's folder, got ${show(value)}`)
}

/** How a weight is stored in fewer bytes: in integers that stand for others, or in float16. */
function readQuantization(where: string, dtype: Json, value: Json): Stored {
  const { dtype: stored, scale = 1, min = 0 } = asObject(where, value)
  const types = dtype === 'float32' ? ['uint8', 'uint16', 'float16'] : ['uint8', 'uint16']
  const name = oneOf(where, 'dtype', stored, types) as 'uint8' | 'uint16' | 'float16'
  finiteNumber(where, 'scale', scale)
  finiteNumber(where, 'min', min)
  const quantization: Quantization = { scale: scale as number, min: min as number }
  return { type: elementTypes[name], quantization: name === 'float16' ? undefined : quantization }
}

function readSpec(where: string, value: Json, names: Set<string>): WeightSpec {
  const { name, shape, dtype, quantization, group } = asObject(where, value)
  if (typeof name !== 'string' || name === '' || names.has(name)) {
    throw new RangeError(`${where}.name must be a name of its own, got ${show(name)}`)
  }
  names.add(name)
  const known = oneOf(where, 'dtype', dtype, ['float32', 'int32', 'uint8', 'bool'] as const)
  const plain: Stored = { type: elementTypes[known] }
  const stored = quantization == null ? plain : readQuantization(`${where}.quantization`, known, quantization)
  const bytes = bytesOfShape(`${where}.shape`, shape, stored.type.bytes)
  const spec: WeightSpec = { name, dtype: known, shape: shape as number[], bytes, ...stored }
  return typeof group === 'string' ? { ...spec, group } : spec
}

/** Checks a list of weights, whose names are not among those already known. @throws as readManifest */
export function readSpecs(where: string, specs: Json | undefined, names = new Set<string>()): WeightSpec[] {
  return asArray(where, specs).map((spec, i) => readSpec(`${where}[${i}]`, spec, names))
}

/**
 * Checks the `weightsManifest` of a model.json.
 * @throws TypeError for a field of the wrong kind, RangeError for a wrong name, path, shape or dtype
 */
export function readManifest(where: string, manifest: Json): WeightGroup[] {
  const names = new Set<string>()
  const paths = new Set<string>()
  return asArray(`${where} weightsManifest`, manifest).map((item, g) => {
    const at = `${where} weightsManifest[${g}]`
    const group = asObject(at, item)
    const ofGroup = asArray(`${at}.paths`, group.paths).map((path, i) => checkPath(`${at}.paths[${i}]`, path))
    for (const path of ofGroup) {
      if (paths.has(path))
        throw new RangeError(`${at}.paths must name each file once, got ${show(path)} again`)
      paths.add(path)
    }
    return { paths: ofGroup, weights: readSpecs(`${at}.weights`, group.weights, names) }
  })
}
