import type { Checkpoint, CheckpointTensor, JsonObject, TypedArray } from '../checkpoints/checkpoint.ts'
import { Tensor } from '../data/tensor.ts'
import { isPlainObject, show } from '../errors.ts'
import type { Json } from '../formats/naming.ts'

/** What a checkpoint can hold: JSON with any numbers, arrays and tensors in it. */
export type Packable =
  | null
  | boolean
  | number
  | string
  | Tensor
  | TypedArray
  | readonly Packable[]
  | { readonly [key: string]: Packable | undefined }

/** In the header, the only key of an object that stands for what JSON cannot say. */
const [tensorKey, arrayKey, numberKey, escapedKey] = ['$tensor', '$array', '$number', '$object'] as const
const marks: readonly string[] = [tensorKey, arrayKey, numberKey, escapedKey]

const dtypeOf = (values: TypedArray): CheckpointTensor['dtype'] => {
  if (values instanceof Float32Array) return 'float32'
  if (values instanceof Float64Array) return 'float64'
  return values instanceof Int32Array ? 'int32' : 'uint8'
}

const isArray = (value: unknown): value is TypedArray =>
  [Float32Array, Float64Array, Int32Array, Uint8Array].some(kind => value instanceof kind)

const isExact = (value: number) => Number.isFinite(value) && !Object.is(value, -0)

/**
 * A value as a checkpoint: arrays and tensors are named by where they stand in it. Numbers are kept to the bit; arrays
 * are not copied.
 * @throws TypeError naming what cannot be kept
 */
export function packed(where: string, value: { readonly [key: string]: Packable | undefined }): Checkpoint {
  const tensors = new Map<string, CheckpointTensor>()
  const put = (path: string, key: string, shape: readonly number[], data: TypedArray): Json => {
    tensors.set(path, { dtype: dtypeOf(data), shape: [...shape], data })
    return { [key]: path }
  }
  const pack = (given: unknown, path: string): Json => {
    if (given === null || typeof given === 'boolean' || typeof given === 'string') return given
    if (typeof given === 'number')
      return isExact(given) ? given : { [numberKey]: Object.is(given, -0) ? '-0' : `${given}` }
    if (given instanceof Tensor) return put(path, tensorKey, given.shape, given.dataSync())
    if (isArray(given)) return put(path, arrayKey, [given.length], given)
    if (Array.isArray(given)) return given.map((each, i) => pack(each, `${path}/${i}`))
    if (isPlainObject(given)) {
      const entries = Object.entries(given).filter(([, each]) => each !== undefined)
      const object = Object.fromEntries(
        entries.map(([name, each]) => [name, pack(each, path === '' ? name : `${path}/${name}`)]),
      )
      return entries.some(([name]) => marks.includes(name)) ? { [escapedKey]: object } : object
    }
    throw new TypeError(
      `${where}: ${path} must be plain data, numbers, arrays or tensors, got ${show(given)}; leave it out`,
    )
  }
  return { header: pack(value, '') as JsonObject, tensors }
}

/** What `packed` was given. @throws RangeError where a tensor is missing */
export function unpacked(where: string, { header, tensors }: Checkpoint): { [key: string]: Packable } {
  const find = (path: Json): CheckpointTensor => {
    const found = tensors.get(path as string)
    if (found) return found
    throw new RangeError(
      `${where}: the checkpoint must have the tensor ${show(path)}, got none; take another one`,
    )
  }
  const object = (json: JsonObject) =>
    Object.fromEntries(Object.entries(json).map(([key, each]) => [key, unpack(each)]))
  const unpack = (json: Json): Packable => {
    if (Array.isArray(json)) return json.map(unpack)
    if (typeof json !== 'object' || json === null) return json
    const [mark, content] = Object.entries(json)[0] ?? []
    if (content === undefined || !marks.includes(mark!)) return object(json)
    if (mark === numberKey) return Number(content)
    if (mark === escapedKey) return object(content as JsonObject)
    const { data, shape, dtype } = find(content)
    return mark === arrayKey ? data : new Tensor(data as Float32Array, shape, dtype as 'float32')
  }
  return object(header)
}
