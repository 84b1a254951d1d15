import { basename, dirname } from 'node:path'
import { sizeOf } from '../data/nested.ts'
import { Tensor } from '../data/tensor.ts'
import { show } from '../errors.ts'
import { writeFilesAtomically } from './atomicFiles.ts'
import { bytesOfShape, decode, type ElementType, elementTypes } from './elements.ts'
import { openRegularFile, readFully } from './files.ts'
import { bytesOf } from './weightFiles.ts'

/**
 * NumPy's format (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): a magic string, the
 * version, the length of the header, a header that is a dictionary in Python's notation, then the elements.
 */
const magic = Buffer.from('\x93NUMPY', 'latin1')
const types: Readonly<Record<string, ElementType>> = {
  f8: elementTypes.float64,
  f4: elementTypes.float32,
  f2: elementTypes.float16,
  i8: elementTypes.int64,
  i4: elementTypes.int32,
  i2: elementTypes.int16,
  i1: elementTypes.int8,
  u8: elementTypes.uint64,
  u4: elementTypes.uint32,
  u2: elementTypes.uint16,
  u1: elementTypes.uint8,
  b1: elementTypes.bool,
}
const savedTypes = { float32: '<f4', int32: '<i4', uint8: '|u1', bool: '|b1' } as const
const longestHeader = 65_536

interface Header {
  readonly type: ElementType
  readonly isBigEndian: boolean
  readonly isColumnMajor: boolean
  readonly shape: number[]
}

/** Takes one entry out of the dictionary. */
function entry(where: string, rest: { text: string }, key: string, pattern: string): string {
  const whole = new RegExp(`'${key}'\\s*:\\s*(${pattern})\\s*(,|(?=\\}))`)
  const found = whole.exec(rest.text)
  if (!found) throw new RangeError(`${where} header must have '${key}', got ${show(rest.text.trim())}`)
  rest.text = rest.text.replace(whole, '')
  return found[1]!
}

function readDictionary(where: string, text: string): Header {
  const rest = { text }
  const descr = entry(where, rest, 'descr', `'[^']*'|\\[[^\\]]*\\]`)
  const order = entry(where, rest, 'fortran_order', 'True|False')
  const sizes = entry(where, rest, 'shape', '\\([\\d,\\s]*\\)')
  if (!/^\s*\{\s*\}\s*$/.test(rest.text))
    throw new RangeError(`${where} header must have three entries, got ${show(rest.text.trim())} too`)
  const [, byteOrder, code] = /^'([<>|=]?)(\w+)'$/.exec(descr) ?? []
  const type = code !== undefined && Object.hasOwn(types, code) ? types[code] : undefined
  if (!type)
    throw new RangeError(`${where} elements must be of ${Object.keys(types).join(', ')}, got ${descr}`)
  const shape = sizes
    .slice(1, -1)
    .split(',')
    .filter(size => size.trim() !== '')
    .map(Number)
  return { type, isBigEndian: byteOrder === '>' && type.bytes > 1, isColumnMajor: order === 'True', shape }
}

/** Where the dictionary lies. */
function placeOfHeader(where: string, bytes: Buffer): { start: number; end: number } {
  const head = bytes.subarray(0, magic.length)
  if (!head.equals(magic))
    throw new RangeError(`${where} must begin with 934e554d5059, got ${head.toString('hex') || 'no bytes'}`)
  const version = bytes[6] ?? 0
  if (version < 1 || version > 3) throw new RangeError(`${where} version must be 1, 2 or 3, got ${version}`)
  const start = version === 1 ? 10 : 12
  if (bytes.length < start)
    throw new RangeError(`${where} must have a header, got only ${bytes.length} bytes`)
  const length = version === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8)
  if (length > longestHeader || start + length > bytes.length)
    throw new RangeError(`${where} must have a header within its ${bytes.length} bytes, got one of ${length}`)
  return { start, end: start + length }
}

function swapBytes(bytes: Buffer, width: number): void {
  if (width === 2) bytes.swap16()
  else if (width === 4) bytes.swap32()
  else bytes.swap64()
}

/** Elements whose first axis runs fastest, in row-major order. */
function rowMajor<T extends Tensor['values']>(values: T, shape: readonly number[]): T {
  const result = values.slice() as T
  const place = new Array<number>(shape.length).fill(0)
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)))
  for (let i = 0, from = 0; i < values.length; i++) {
    result[i] = values[from]!
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!
      if (++place[axis]! < shape[axis]!) break
      from -= strides[axis]! * shape[axis]!
      place[axis] = 0
    }
  }
  return result
}

/**
 * The array in the bytes of an npy file, which it keeps or changes; `where` names it in messages. Floating-point
 * numbers become float32, integers int32, bytes and booleans stay.
 * @throws RangeError saying what is wrong with the bytes
 */
export function takeNpy(where: string, file: Buffer): Tensor {
  const { start, end } = placeOfHeader(where, file)
  const { type, isBigEndian, isColumnMajor, shape } = readDictionary(
    where,
    file.toString('latin1', start, end),
  )
  const needed = bytesOfShape(`${where} shape`, shape, type.bytes)
  if (file.length - end !== needed) {
    const wanted = `${needed} bytes of elements for shape ${show(shape)}`
    throw new RangeError(`${where} must have ${wanted}, got ${file.length - end}`)
  }
  const bytes = file.subarray(end)
  if (isBigEndian) swapBytes(bytes, type.bytes)
  const values = decode(where, type, bytes)
  return new Tensor(isColumnMajor ? rowMajor(values, shape) : values, shape, type.dtype)
}

/**
 * Reads an npy file, as `takeNpy`.
 * @throws RangeError saying what is wrong with the file; the file system's own errors
 */
export async function readNpy(path: string): Promise<Tensor> {
  const where = `readNpy: ${path}`
  const { file, size } = await openRegularFile(where, path)
  try {
    const bytes = Buffer.alloc(size)
    await readFully(where, file, bytes, 0)
    return takeNpy(where, bytes)
  } finally {
    await file.close()
  }
}

/** The bytes of an npy file, version 1.0, row-major, with elements that begin at a multiple of 64. */
export function npyPieces(tensor: Tensor): Uint8Array[] {
  const { values, shape, dtype } = tensor.dense
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const text = `{'descr': '${savedTypes[dtype]}', 'fortran_order': False, 'shape': (${sizes}), }`
  const length = Math.ceil((11 + text.length) / 64) * 64 - 10
  const head = Buffer.alloc(10 + length, ' ')
  magic.copy(head)
  head.writeUInt16LE(1, 6)
  head.writeUInt16LE(length, 8)
  head.write(text, 10, 'latin1')
  head[9 + length] = 10
  return [head, bytesOf(values)]
}

/**
 * Writes a tensor as an npy file, complete on the disk before it takes its name; with a scale, as the float32
 * numbers that it stands for.
 * @throws the file system's own errors
 */
export async function writeNpy(path: string, tensor: Tensor): Promise<void> {
  await writeFilesAtomically(dirname(path), [[basename(path), npyPieces(tensor)]])
}
