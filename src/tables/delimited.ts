import { show } from '../errors.ts'
import { longestLine } from './lines.ts'

/** Takes a delimited text line by line. Source: RFC 4180. Blank lines outside quotes are passed over. */
export class RecordParser {
  private readonly where: string
  private readonly delimiter: string
  private fields: string[] = []
  private field = ''
  private quoted = false
  /** Where the quote stands that is open. */
  private opened = { line: 0, character: 0 }
  /** Line in which the last record began. */
  line = 0

  constructor(where: string, delimiter: string) {
    this.where = where
    this.delimiter = delimiter
  }

  /** The record that ends with this line, if one does. */
  take(text: string, number: number): string[] | undefined {
    if (!this.quoted) {
      this.line = number
      const line = text.endsWith('\r') ? text.slice(0, -1) : text
      if (line === '') return undefined
      if (!line.includes('"')) return line.split(this.delimiter)
    }
    let at = 0
    while (true) {
      if (this.quoted) {
        const after = this.takeQuoted(text, at)
        if (after === undefined) return undefined
        at = after
        if (at >= text.length || (at === text.length - 1 && text[at] === '\r')) return this.finish()
        if (text[at] !== this.delimiter)
          throw new RangeError(
            `${this.where} line ${number}, character ${at + 1}: must have ${show(this.delimiter)} or ` +
              `the line's end after a closing quote, got ${show(text[at])}; double quotes within quotes`,
          )
        this.push()
        at++
      }
      if (text[at] === '"') {
        this.quoted = true
        this.opened = { line: number, character: at + 1 }
        at++
        continue
      }
      const end = text.indexOf(this.delimiter, at)
      if (end < 0) {
        this.field = text.endsWith('\r') ? text.slice(at, -1) : text.slice(at)
        return this.finish()
      }
      this.field = text.slice(at, end)
      this.push()
      at = end + 1
    }
  }

  /** @throws RangeError where a quote is open at the end of the file */
  end(): void {
    if (this.quoted) this.refuseOpen('the end of the file')
  }

  /** Takes what stands in quotes; where it ends, or undefined if it goes on in the next line. */
  private takeQuoted(text: string, from: number): number | undefined {
    for (let at = from; ; ) {
      const close = text.indexOf('"', at)
      if (close < 0) {
        this.field += `${text.slice(at)}\n`
        if (this.field.length > longestLine) this.refuseOpen(`${this.field.length} characters without one`)
        return undefined
      }
      this.field += text.slice(at, close)
      at = close + 1
      if (text[at] !== '"') {
        this.quoted = false
        return at
      }
      this.field += '"'
      at++
    }
  }

  private refuseOpen(got: string): never {
    const { line, character } = this.opened
    const column = this.fields.length + 1
    throw new RangeError(
      `${this.where} line ${line}, character ${character} (column ${column}): ` +
        `must have a closing quote for the one here, got ${got}; close it`,
    )
  }

  private push(): void {
    this.fields.push(this.field)
    this.field = ''
  }

  private finish(): string[] {
    this.push()
    const record = this.fields
    this.fields = []
    return record
  }
}

const delimiters = [',', '\t', ';', '|']

/** The character that is most likely to divide the fields of a first line: what its ending promises, if that occurs. */
export function delimiterOf(path: string, first: string): string {
  const promised = /\.(tsv|tab)$/i.test(path) ? '\t' : ','
  if (first.includes(promised)) return promised
  const counts = delimiters.map(delimiter => first.split(delimiter).length)
  const most = Math.max(...counts)
  return most === 1 ? promised : delimiters[counts.indexOf(most)]!
}
