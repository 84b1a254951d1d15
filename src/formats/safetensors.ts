import { basename, dirname } from 'node:path'
import { Tensor } from '../data/tensor.ts'
import { isPlainObject, show } from '../errors.ts'
import { writeFilesAtomically } from './atomicFiles.ts'
import { bytesOfShape, decode, type ElementType, elementTypes } from './elements.ts'
import { openRegularFile, readFully } from './files.ts'
import { parseJson } from './strictJson.ts'
import { bytesOf } from './weightFiles.ts'

/**
 * The safetensors format (https://github.com/huggingface/safetensors): a little-endian uint64, the length of a
 * JSON header, which names each tensor's type, shape and place; then the bytes of all tensors without a gap.
 */
export interface Safetensors {
  /** In the order of the file. */
  tensors: Map<string, Tensor>
  metadata: Record<string, string>
}

const types: Readonly<Record<string, ElementType>> = {
  F64: elementTypes.float64,
  F32: elementTypes.float32,
  F16: elementTypes.float16,
  BF16: elementTypes.bfloat16,
  I64: elementTypes.int64,
  I32: elementTypes.int32,
  I16: elementTypes.int16,
  I8: elementTypes.int8,
  U64: elementTypes.uint64,
  U32: elementTypes.uint32,
  U16: elementTypes.uint16,
  U8: elementTypes.uint8,
  BOOL: elementTypes.bool,
}
const savedTypes = { float32: 'F32', int32: 'I32', uint8: 'U8', bool: 'BOOL' } as const

/** What other readers take at the most, too. */
const longestHeader = 100_000_000

interface Entry {
  readonly name: string
  readonly type: ElementType
  readonly shape: number[]
  readonly begin: number
  readonly end: number
}

function readEntry(where: string, name: string, value: unknown): Entry {
  const at = `${where} tensor ${show(name)}`
  if (!isPlainObject(value)) throw new TypeError(`${at} must be an object, got ${show(value)}`)
  const { dtype, shape, data_offsets: offsets } = value
  const type = typeof dtype === 'string' && Object.hasOwn(types, dtype) ? types[dtype] : undefined
  if (!type)
    throw new RangeError(`${at} dtype must be one of ${Object.keys(types).join(', ')}, got ${show(dtype)}`)
  const bytes = bytesOfShape(`${at} shape`, shape, type.bytes)
  const [begin, end] = Array.isArray(offsets) ? (offsets as unknown[]) : []
  if (
    !Number.isSafeInteger(begin) ||
    !Number.isSafeInteger(end) ||
    (end as number) - (begin as number) !== bytes
  ) {
    throw new RangeError(
      `${at} data_offsets must span ${bytes} bytes for shape ${show(shape)}, got ${show(offsets)}`,
    )
  }
  return { name, type, shape: shape as number[], begin: begin as number, end: end as number }
}

function readMetadata(where: string, value: unknown): Record<string, string> {
  if (value === undefined) return {}
  if (isPlainObject(value) && Object.values(value).every(text => typeof text === 'string'))
    return value as Record<string, string>
  throw new TypeError(`${where} __metadata__ must hold texts, got ${show(value)}`)
}

/** The tensors must lie one after the other and fill the rest of the file. */
function checkPlaces(where: string, entries: readonly Entry[], size: number): void {
  let place = 0
  for (const { name, begin, end } of entries) {
    if (begin !== place)
      throw new RangeError(
        `${where} tensor ${show(name)} must begin at byte ${place} of the data, got ${begin}`,
      )
    place = end
  }
  if (place !== size) throw new RangeError(`${where} must have ${place} bytes of data, got ${size}`)
}

/**
 * Reads a safetensors file: floating-point numbers become float32, integers int32, bytes and booleans stay. The
 * file is not trusted: its header is checked against its size before anything is allocated.
 * @throws TypeError or RangeError saying what is wrong with the file; the file system's own errors
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  const where = `readSafetensors: ${path}`
  const { file, size } = await openRegularFile(where, path)
  try {
    const read = async (what: string, length: number, at: number): Promise<Buffer> => {
      const bytes = Buffer.alloc(length)
      await readFully(`${where} ${what}`, file, bytes, at)
      return bytes
    }
    if (size < 8) throw new RangeError(`${where} must begin with 8 bytes of length, got ${size}`)
    const length = Number((await read('length', 8, 0)).readBigUInt64LE())
    if (length > Math.min(longestHeader, size - 8))
      throw new RangeError(`${where} must have a header within its ${size} bytes, got one of ${length}`)
    const text = (await read('header', length, 8)).toString('utf8')
    const header = parseJson(`${where} header`, text)
    if (!isPlainObject(header)) throw new TypeError(`${where} header must be an object, got ${show(header)}`)
    const { __metadata__, ...rest } = header
    const metadata = readMetadata(where, __metadata__)
    const entries = Object.entries(rest).map(([name, value]) => readEntry(where, name, value))
    entries.sort((a, b) => a.begin - b.begin || a.end - b.end)
    checkPlaces(where, entries, size - 8 - length)
    const tensors = new Map<string, Tensor>()
    for (const { name, type, shape, begin, end } of entries) {
      const bytes = await read(`tensor ${show(name)}`, end - begin, 8 + length + begin)
      const values = decode(`${where} tensor ${show(name)}`, type, bytes)
      tensors.set(name, new Tensor(values, shape, type.dtype))
    }
    return { tensors, metadata }
  } finally {
    await file.close()
  }
}

/**
 * Writes tensors to a safetensors file, wide elements first as other writers do, so that all lie aligned. The
 * file is complete on the disk before it takes its name.
 * @throws RangeError for a tensor of the name `__metadata__`; the file system's own errors
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const named: [string, Tensor][] = tensors instanceof Map ? [...tensors] : Object.entries(tensors)
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : []
  const entries = named.map(([name, tensor]) => {
    if (name === '__metadata__' || name === '__proto__')
      throw new RangeError(`writeSafetensors: a tensor must have another name, got ${show(name)}; rename it`)
    const { values, shape, dtype } = tensor.dense
    return { name, values, shape, dtype }
  })
  entries.sort(
    (a, b) => b.values.BYTES_PER_ELEMENT - a.values.BYTES_PER_ELEMENT || (a.name < b.name ? -1 : 1),
  )
  let place = 0
  for (const { name, values, shape, dtype } of entries) {
    const offsets = [place, (place += values.byteLength)]
    header.push([name, { dtype: savedTypes[dtype], shape, data_offsets: offsets }])
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(header)))
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' ')
  json.copy(padded)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(padded.length))
  const pieces = [length, padded, ...entries.map(({ values }) => bytesOf(values))]
  await writeFilesAtomically(dirname(path), [[basename(path), pieces]])
}
