import { isUtf8 } from 'node:buffer'
import { openRegularFile, readSome } from '../formats/files.ts'

/** Bytes that are read at once: few, so that the texts of their fields are gone before the garbage collector moves them. */
const blockBytes = 2 ** 16
/** Longest line, and longest record of several lines: a file without line breaks must not fill the memory. */
export const longestLine = 4 * 2 ** 20

/** Lines of a file, without their line feeds; the first has number `line`, from 1. */
export interface Piece {
  readonly line: number
  readonly lines: readonly string[]
}

/** Hears how many bytes have been read, and of how many. */
export type ReadingProgress = (bytes: number, total: number) => void

function refuseEncoding(where: string, bytes: Buffer, line: number): never {
  for (let start = 0, number = line; start < bytes.length; number++) {
    const found = bytes.indexOf(10, start)
    const end = found < 0 ? bytes.length : found
    const text = bytes.subarray(start, end)
    if (!isUtf8(text)) {
      const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true })
      let good = decoder.decode(text).indexOf('\ufffd')
      // A replacement character may stand in the file itself.
      let place = Buffer.byteLength(decoder.decode(text).slice(0, good))
      while (text.subarray(place, place + 3).equals(Buffer.from('\ufffd'))) {
        good = decoder.decode(text).indexOf('\ufffd', good + 1)
        place = Buffer.byteLength(decoder.decode(text).slice(0, good))
      }
      const byte = text[place]!.toString(16).padStart(2, '0')
      throw new RangeError(
        `${where} line ${number}, character ${good + 1}: must be UTF-8, got ` +
          `byte 0x${byte}; convert the file, as by iconv -f latin1 -t utf-8`,
      )
    }
    start = end + 1
  }
  throw new RangeError(`${where} line ${line}: must be UTF-8; convert the file`)
}

export const isText = (bytes: Buffer): boolean => isUtf8(bytes) && !bytes.includes(0)

/** The text of these bytes, of which the first are in this line. @throws RangeError for what is no text in UTF-8 */
export function decode(where: string, bytes: Buffer, line: number): string {
  if (!isUtf8(bytes)) refuseEncoding(where, bytes, line)
  const text = bytes.toString('utf8')
  if (!bytes.includes(0)) return text
  const before = text.slice(0, text.indexOf('\0')).split('\n')
  throw new RangeError(
    `${where} line ${line + before.length - 1}, character ${before.at(-1)!.length + 1}: ` +
      `must be text, got a byte 0; give a file of text in UTF-8`,
  )
}

/** What follows a byte order mark of UTF-8. @throws RangeError for that of UTF-16 */
function withoutMark(where: string, bytes: Buffer): Buffer {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return bytes.subarray(3)
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    throw new RangeError(
      `${where} line 1, character 1: must be UTF-8, got UTF-16; convert the file, as by iconv -f utf-16 -t utf-8`,
    )
  return bytes
}

/** A file's bytes, some at a time, without a byte order mark. */
export async function* blocks(
  where: string,
  path: string,
  progress?: ReadingProgress,
): AsyncGenerator<Buffer, void, undefined> {
  const { file, size } = await openRegularFile(where, path)
  try {
    for (let done = 0; ; ) {
      const block = Buffer.allocUnsafe(blockBytes)
      const count = await readSome(file, block, null)
      const isFirst = done === 0
      done += count
      progress?.(done, size)
      if (count === 0) return
      const read = block.subarray(0, count)
      yield isFirst ? withoutMark(where, read) : read
    }
  } finally {
    await file.close()
  }
}

/**
 * The lines of a text file in UTF-8, in pieces, so that any size can be read.
 * @throws RangeError naming line and character for bytes that are no UTF-8, and for lines of more than 4 MiB; the file
 * system's own errors
 */
export async function* textLines(
  where: string,
  path: string,
  progress?: ReadingProgress,
): AsyncGenerator<Piece, void, undefined> {
  /** A line that has begun. */
  let rest: Buffer[] = []
  let length = 0
  let line = 1
  for await (const block of blocks(where, path, progress)) {
    const end = block.lastIndexOf(10) + 1
    if (end > 0) {
      const lines = decode(where, Buffer.concat([...rest, block.subarray(0, end - 1)]), line).split('\n')
      yield { line, lines }
      line += lines.length
      rest = []
      length = 0
    }
    rest.push(block.subarray(end))
    length += block.length - end
    if (length > longestLine)
      throw new RangeError(
        `${where} line ${line}: must have at most ${longestLine} bytes, got more; is it a table of lines?`,
      )
  }
  if (length > 0) yield { line, lines: [decode(where, Buffer.concat(rest), line)] }
}
