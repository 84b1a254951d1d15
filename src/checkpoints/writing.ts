import { createHash } from 'node:crypto'
import { isPlainObject, show } from '../errors.ts'
import { bytesOfShape, unifyNaNs } from '../formats/elements.ts'
import { isJson } from '../formats/metadata.ts'
import { aligned, arrays, type Checkpoint, type CheckpointTensor, format } from './checkpoint.ts'

function checkTensor(where: string, { dtype, shape, data }: CheckpointTensor): void {
  if (!Object.hasOwn(arrays, dtype) || !(data instanceof arrays[dtype]))
    throw new TypeError(`${where} must hold an array of its dtype ${show(dtype)}, got ${show(data)}`)
  const bytes = bytesOfShape(`${where} shape`, shape, data.BYTES_PER_ELEMENT)
  if (bytes === data.byteLength) return
  const count = bytes / data.BYTES_PER_ELEMENT
  throw new RangeError(`${where} must hold ${count} elements for shape ${show(shape)}, got ${data.length}`)
}

/** Magic, version and JSON. */
function headOf(where: string, { header, tensors }: Checkpoint): Buffer {
  if (!isPlainObject(header) || !isJson(header))
    throw new TypeError(
      `${where}: header must be an object of what JSON can hold, got ${show(header)}; put other numbers into a tensor`,
    )
  const listed = [...tensors].map(([name, tensor]) => {
    checkTensor(`${where}: tensor ${show(name)}`, tensor)
    return { name, dtype: tensor.dtype, shape: tensor.shape }
  })
  const json = Buffer.from(JSON.stringify({ header, tensors: listed }))
  const head = Buffer.alloc(aligned(format.jsonOffset + json.length), ' ')
  if (head.length > format.longestJson)
    throw new RangeError(`${where}: header must take at most ${format.longestJson} bytes, got ${json.length}`)
  format.magic.copy(head)
  head.writeUInt32LE(format.version, 8)
  head.writeUInt32LE(head.length - format.jsonOffset, 12)
  json.copy(head, format.jsonOffset)
  return head
}

/** The bytes in pieces, each in the place of the one before. */
function* piecesOf({ dtype, data }: CheckpointTensor): Generator<Uint8Array> {
  const most = format.chunkBytes / data.BYTES_PER_ELEMENT
  const copy = new arrays[dtype](Math.min(most, data.length))
  for (let from = 0; from < data.length; from += most) {
    const part = data.subarray(from, from + most)
    copy.set(part)
    unifyNaNs(copy)
    yield new Uint8Array(copy.buffer, 0, part.byteLength)
  }
}

/**
 * A checkpoint as a file, in pieces that are good until the next one is asked for. `hashed` hears of the SHA-256
 * before the last piece.
 * @throws TypeError or RangeError naming the part that no file can hold, before the first piece
 */
export function encode(
  where: string,
  checkpoint: Checkpoint,
  hashed: (sha256: string) => void,
): Generator<Uint8Array> {
  return pieces(headOf(where, checkpoint), checkpoint, hashed)
}

function* pieces(
  head: Buffer,
  { tensors }: Checkpoint,
  hashed: (sha256: string) => void,
): Generator<Uint8Array> {
  const hash = createHash('sha256')
  let length = 0
  const count = <T extends Uint8Array>(piece: T): T => {
    hash.update(piece)
    length += piece.length
    return piece
  }
  yield count(head)
  for (const tensor of tensors.values()) {
    for (const piece of piecesOf(tensor)) yield count(piece)
    yield count(new Uint8Array(aligned(length) - length))
  }
  const footer = Buffer.alloc(format.footerBytes)
  footer.writeBigUInt64LE(BigInt(length + format.footerBytes))
  hash.update(footer.subarray(0, 8))
  const sha256 = hash.digest()
  sha256.copy(footer, 8)
  hashed(sha256.toString('hex'))
  yield footer
}
