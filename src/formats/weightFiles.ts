import { constants } from 'node:fs'
import { type FileHandle, open, realpath } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { Tensor } from '../data/tensor.ts'
import { show } from '../errors.ts'
import { decode } from './elements.ts'
import type { WeightGroup, WeightSpec } from './manifest.ts'

/** A saved weight. `group` is 'optimizer' for a slot of the optimizer. */
export interface NamedWeight {
  name: string
  tensor: Tensor
  group?: string
}

/**
 * The bytes of an array, little-endian. Writing from shared memory is not allowed everywhere, so that it is copied.
 */
export function bytesOf(values: Tensor['values']): Uint8Array {
  const plain = values.buffer instanceof ArrayBuffer ? values : values.slice()
  return new Uint8Array(plain.buffer, plain.byteOffset, plain.byteLength)
}

interface OpenFile {
  file: FileHandle
  size: number
}

/** Opens a file for reading; neither a pipe nor a device, which could hold the reader up for ever. */
export async function openRegularFile(where: string, path: string): Promise<OpenFile> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  const status = await file.stat()
  if (status.isFile()) return { file, size: status.size }
  await file.close()
  throw new RangeError(
    `${where} must be a regular file, got ${status.isDirectory() ? 'a folder' : 'something else'}`,
  )
}

/** Opens the files of a group; links must not lead out of the model's folder either. */
async function openGroup(
  where: string,
  folder: string,
  { paths }: WeightGroup,
  opened: OpenFile[],
): Promise<OpenFile[]> {
  const files: OpenFile[] = []
  const root = await realpath(folder)
  for (const path of paths) {
    const real = await realpath(join(folder, path))
    if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) {
      throw new RangeError(`${where} ${path} must lie inside the model's folder, got ${show(real)}`)
    }
    const file = await openRegularFile(`${where} ${path}`, real)
    opened.push(file)
    files.push(file)
  }
  return files
}

/** Reads consecutive files as one stretch of bytes. */
function reader(where: string, files: readonly OpenFile[]): (target: Uint8Array) => Promise<void> {
  let index = 0
  let position = 0
  return async target => {
    let done = 0
    while (done < target.length) {
      const current = files[index]
      if (!current)
        throw new RangeError(`${where} weight files must not shrink while they are read, got fewer bytes`)
      const wanted = Math.min(target.length - done, 2 ** 30)
      const { bytesRead } = await current.file.read(target, done, wanted, position)
      done += bytesRead
      position += bytesRead
      if (bytesRead === 0) {
        index++
        position = 0
      }
    }
  }
}

/** Numbers that smaller ones stand for, as TensorFlow.js computes them; integers are rounded. */
function restore(values: Tensor['values'], { dtype, quantization }: WeightSpec): Tensor['values'] {
  const { scale, min } = quantization!
  if (dtype === 'int32') return Int32Array.from(values, value => Math.round(value * scale + min))
  return Float32Array.from(values, value => value * scale + min)
}

async function readWeight(where: string, spec: WeightSpec, read: (target: Uint8Array) => Promise<void>) {
  const bytes = new Uint8Array(spec.bytes)
  await read(bytes)
  const stored = decode(`${where} weight ${show(spec.name)}`, spec.type, bytes)
  const values = spec.quantization ? restore(stored, spec) : stored
  const weight: NamedWeight = { name: spec.name, tensor: new Tensor(values, spec.shape, spec.dtype) }
  return spec.group === undefined ? weight : { ...weight, group: spec.group }
}

/**
 * Reads the weights of a checked manifest from the files next to `jsonPath`, after the sizes of all files are
 * found right.
 * @throws RangeError for files outside the folder, or of another size than the manifest's weights
 */
export async function readWeights(
  where: string,
  jsonPath: string,
  groups: readonly WeightGroup[],
): Promise<NamedWeight[]> {
  const opened: OpenFile[] = []
  try {
    const filesOf: OpenFile[][] = []
    for (const group of groups) {
      const files = await openGroup(where, dirname(jsonPath), group, opened)
      const needed = group.weights.reduce((sum, { bytes }) => sum + bytes, 0)
      const found = files.reduce((sum, { size }) => sum + size, 0)
      if (needed !== found) {
        const names = group.paths.join(', ') || 'no files'
        throw new RangeError(`${where} weights must have ${needed} bytes in ${names}, got ${found}`)
      }
      filesOf.push(files)
    }
    const weights: NamedWeight[] = []
    for (const [g, group] of groups.entries()) {
      const read = reader(where, filesOf[g]!)
      for (const spec of group.weights) weights.push(await readWeight(where, spec, read))
    }
    return weights
  } finally {
    for (const { file } of opened) await file.close()
  }
}
