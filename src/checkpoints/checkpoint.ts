import type { Json } from '../formats/naming.ts'

export type JsonObject = { [key: string]: Json }

/** The kinds of arrays that a checkpoint holds. */
export const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
} as const

export type Dtype = keyof typeof arrays
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array

export interface CheckpointTensor {
  dtype: Dtype
  shape: number[]
  /** Row-major. It may lie in shared memory. */
  data: TypedArray
}

/** What a checkpoint file holds. */
export interface Checkpoint {
  /** Finite numbers, texts, booleans, null, lists and objects of these; -0 becomes 0. Other numbers go into a tensor. */
  header: JsonObject
  /** By name, in the order of the file. NaNs lose their bits but for those of the one that JavaScript makes. */
  tensors: ReadonlyMap<string, CheckpointTensor>
}

/**
 * The file, all of it little-endian:
 *
 *     0    magic 8 · version uint32 · length of the JSON with its spaces uint32
 *     16   { "header": …, "tensors": [{ "name", "dtype", "shape" }, …] } · spaces up to a multiple of 64
 *          for each tensor: its elements · zeros up to a multiple of 64
 *          length of the file uint64 · SHA-256 of all before it
 */
export const format = {
  magic: Buffer.from('\x93LSTEP\r\n', 'latin1'),
  version: 1,
  jsonOffset: 16,
  alignment: 64,
  footerBytes: 8 + 32,
  /** Longer than the history of any run: a guard against a wrong or hostile file. */
  longestJson: 64 * 2 ** 20,
  /** Bytes that are read or written at once; hashing them holds the thread up for less than a millisecond. */
  chunkBytes: 2 ** 20,
} as const

/** Where a tensor lies in the file. */
export interface Entry {
  name: string
  dtype: Dtype
  shape: number[]
  offset: number
  byteLength: number
}

/** The next multiple of 64. */
export const aligned = (bytes: number): number => Math.ceil(bytes / format.alignment) * format.alignment

/** Where the tensors end and the footer begins. */
export const endOf = (jsonEnd: number, entries: readonly Entry[]): number => {
  const last = entries.at(-1)
  return last ? aligned(last.offset + last.byteLength) : jsonEnd
}
