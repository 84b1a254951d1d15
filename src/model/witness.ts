import { createHash, type Hash } from 'node:crypto'
import { addRows } from './digest.ts'
import { byName, type Columns } from './fitData.ts'

/** Remembers by hashes which batches a dataset gave: the first of each pass, and all of the last one. */
export class Witness {
  private readonly firsts = createHash('sha256')
  private counted: Hash = createHash('sha256')
  private count = 0
  /** Of batches that are not counted yet: they were taken ahead. */
  private ahead: Buffer[] = []
  private first: Buffer | undefined

  /** A pass begins, or is at its end: its first batch counts for it. */
  nextPass(): void {
    if (this.first) this.firsts.update(this.first)
    this.counted = createHash('sha256')
    this.count = 0
    this.ahead = []
    this.first = undefined
  }

  see(columns: Columns): void {
    const hash = createHash('sha256')
    for (const [name, rows] of Object.entries(byName(columns))) {
      hash.update(`${name} `)
      addRows(hash, rows)
    }
    const digest = hash.digest()
    this.first ??= digest
    this.ahead.push(digest)
  }

  /** Of the passes before this one. */
  get before(): string {
    return this.firsts.copy().digest('hex')
  }

  /** Of the passes before and this one. */
  get withThis(): string {
    const hash = this.firsts.copy()
    if (this.first) hash.update(this.first)
    return hash.digest('hex')
  }

  /** Of the first `count` batches of this pass, no fewer than the last time. */
  upTo(count: number): string {
    for (const digest of this.ahead.splice(0, count - this.count)) this.counted.update(digest)
    this.count = count
    return this.counted.copy().digest('hex')
  }
}
