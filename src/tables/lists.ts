import { show } from '../errors.ts'
import { blocks, decode, isText, longestLine, type ReadingProgress } from './lines.ts'

/** The text of an item of a JSON list; `number` from 1, `line` where it begins. */
export interface ListItem {
  readonly number: number
  readonly line: number
  readonly text: string
}

const [quote, backslash, comma, lineFeed, space] = [0x22, 0x5c, 0x2c, 10, 0x20]
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d]

const isSpace = (byte: number) => byte === space || byte === lineFeed || byte === 13 || byte === 9

/** The character of UTF-8 that begins at a byte, as messages show it. */
const characterAt = (bytes: Buffer, at: number) => show([...bytes.toString('utf8', at, at + 4)][0])

/**
 * Finds where the items of a list begin and end, by quotes and brackets alone: whether they are JSON is for others to ask.
 * What follows the last item that has ended is to be given again, before the bytes that come next.
 */
class ListScanner {
  private readonly where: string
  /** 0 outside of the list, 1 between items, 2 in an object … */
  private depth = 0
  private isOver = false
  private inQuotes = false
  /** Of the bytes given: those that have been looked at, and where the item begins that has not ended, or -1. */
  private seen = 0
  private start = -1
  private line = 1
  private startLine = 1
  private count = 0
  private found: { number: number; line: number; start: number; end: number }[] = []

  constructor(where: string) {
    this.where = where
  }

  /** The items that end in `bytes`, what has not ended, and what is wrong after these items. */
  take(bytes: Buffer): { items: ListItem[]; rest: Buffer; fault?: unknown } {
    this.found = []
    try {
      return { rest: this.scan(bytes), items: this.textsOf(bytes) }
    } catch (fault) {
      return { rest: bytes, items: this.textsOf(bytes), fault }
    }
  }

  /** What is left at the end of the file, for JSON.parse to say what it lacks. */
  last(rest: Buffer): ListItem[] {
    this.found = []
    if (this.start >= 0) this.close(rest, rest.length)
    return this.textsOf(rest)
  }

  /** @throws RangeError where the list has not ended */
  end(): void {
    if (this.depth > 0)
      throw new RangeError(
        `${this.where} line ${this.line}: must close the list with "]", got the file's end; is it cut off?`,
      )
  }

  private scan(bytes: Buffer): Buffer {
    let i = this.seen
    for (; i < bytes.length; i++) {
      const byte = bytes[i]!
      if (byte === lineFeed) this.line++
      if (this.inQuotes) {
        if (byte === backslash) i++
        else if (byte === quote) this.inQuotes = false
      } else if (byte > space || !isSpace(byte)) this.takeByte(bytes, i, byte)
    }
    const begun = this.start < 0 ? bytes.length : this.start
    this.seen = Math.max(0, i - begun)
    if (this.start > 0) this.start = 0
    const rest = bytes.subarray(begun)
    if (rest.length > longestLine) this.refuseLength()
    return rest
  }

  private takeByte(bytes: Buffer, at: number, byte: number): void {
    if (this.depth === 0) this.open(bytes, at, byte)
    else if (this.depth === 1 && (byte === comma || byte === closeList)) {
      this.isOver = byte === closeList
      if (this.isOver) this.depth = 0
      if (this.start >= 0 || this.count > 0 || !this.isOver) this.close(bytes, at)
    } else this.takeInner(at, byte)
  }

  private takeInner(at: number, byte: number): void {
    if (this.start < 0) {
      this.start = at
      this.startLine = this.line
      this.count++
    }
    if (byte === quote) this.inQuotes = true
    else if (byte === openObject || byte === openList) this.depth++
    else if ((byte === closeObject || byte === closeList) && this.depth > 1) this.depth--
  }

  private open(bytes: Buffer, at: number, byte: number): void {
    const got = `got ${characterAt(bytes, at)}`
    if (this.isOver)
      throw new RangeError(
        `${this.where} line ${this.line}: must end with the list, ${got} after it; leave out what follows`,
      )
    if (byte !== openList)
      throw new RangeError(
        `${this.where} line ${this.line}: must be a list of objects, [{…}, {…}], ${got}; ` +
          'of one object a line say that its format is jsonl',
      )
    this.depth = 1
  }

  /** Ends the item in progress. @throws RangeError if there is none, or for a long one */
  private close(bytes: Buffer, end: number): void {
    const { start } = this
    if (start < 0)
      throw new RangeError(
        `${this.where} row ${this.count + 1}, line ${this.line}: must be an object, ` +
          `got ${characterAt(bytes, end)}; leave out a comma`,
      )
    if (end - start > longestLine) this.refuseLength()
    this.found.push({ number: this.count, line: this.startLine, start, end })
    this.start = -1
  }

  private refuseLength(): never {
    throw new RangeError(
      `${this.where} row ${this.count}, line ${this.startLine}: must have at most ${longestLine} bytes, ` +
        'got more; is a quote or a bracket not closed?',
    )
  }

  private textsOf(bytes: Buffer): ListItem[] {
    const isSound = isText(bytes.subarray(0, this.found.at(-1)?.end ?? 0))
    return this.found.map(({ number, line, start, end }) => ({
      number,
      line,
      text: isSound
        ? bytes.toString('utf8', start, end)
        : decode(`${this.where} row ${number},`, bytes.subarray(start, end), line),
    }))
  }
}

/**
 * The items of a list in a JSON file in UTF-8, in pieces, so that any size can be read, of one line, too.
 * @throws RangeError naming row and line for bytes that are no UTF-8, items of more than 4 MiB, commas without an item, and
 * what is no list; the file system's own errors
 */
export async function* listItems(
  where: string,
  path: string,
  progress?: ReadingProgress,
): AsyncGenerator<readonly ListItem[], void, undefined> {
  const scanner = new ListScanner(where)
  let rest: Buffer = Buffer.alloc(0)
  for await (const block of blocks(where, path, progress)) {
    const taken = scanner.take(rest.length > 0 ? Buffer.concat([rest, block]) : block)
    rest = taken.rest
    yield taken.items
    if (taken.fault) throw taken.fault
  }
  yield scanner.last(rest)
  scanner.end()
}
