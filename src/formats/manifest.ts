import { isAbsolute } from 'node:path'
import { oneOf, show } from '../errors.ts'
import type { Json } from './naming.ts'

/** Bytes of an element, by dtype. */
export const widths = { float32: 4, int32: 4, uint8: 1, bool: 1 } as const

export interface WeightSpec {
  name: string
  shape: number[]
  dtype: keyof typeof widths
  group?: string
  /** Bytes of the whole weight. */
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

/** The shape, and the bytes it takes: the product never leaves the exact integers. */
function checkShape(
  where: string,
  value: Json | undefined,
  width: number,
): { shape: number[]; bytes: number } {
  const shape = asArray(where, value)
  let bytes = width
  for (const length of shape) {
    const isLength = typeof length === 'number' && Number.isSafeInteger(length) && length >= 0
    bytes *= isLength ? length : Number.NaN
    if (Number.isSafeInteger(bytes)) continue
    throw new RangeError(`${where} must be sizes of an array that fits memory, got ${show(shape)}`)
  }
  return { shape: shape as number[], bytes }
}

function readSpec(where: string, value: Json, names: Set<string>): WeightSpec {
  const { name, shape, dtype, quantization, group } = asObject(where, value)
  if (typeof name !== 'string' || name === '' || names.has(name)) {
    throw new RangeError(`${where}.name must be a name of its own, got ${show(name)}`)
  }
  names.add(name)
  if (quantization !== undefined) {
    const fix = 'convert the model without quantization'
    throw new RangeError(`${where} must not be quantized, got ${show(quantization)}; ${fix}`)
  }
  const known = oneOf(where, 'dtype', dtype, Object.keys(widths) as (keyof typeof widths)[])
  const spec = { name, dtype: known, ...checkShape(`${where}.shape`, shape, widths[known]) }
  return typeof group === 'string' ? { ...spec, group } : spec
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
    const weights = asArray(`${at}.weights`, group.weights)
    return { paths: ofGroup, weights: weights.map((spec, i) => readSpec(`${at}.weights[${i}]`, spec, names)) }
  })
}
