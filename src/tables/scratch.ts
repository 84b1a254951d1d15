import { type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Bytes that wait to be written, in all regions together. */
const waitingBytes = 4 * 2 ** 20

interface Region {
  /** Where it begins in the file, in rows. */
  readonly start: number
  /** Rows that were added, and those of them that are not written yet. */
  added: number
  waiting: number
  readonly rows: Float32Array<ArrayBuffer>
}

/**
 * Rows of numbers in a file of a folder, in regions of sizes that are known before. It is there only as long as it is used: one
 * that a killed process has left behind is written anew.
 */
export class Scratch {
  private readonly path: string
  private readonly file: FileHandle
  private readonly width: number
  private readonly regions: readonly Region[]

  private constructor(path: string, file: FileHandle, width: number, sizes: readonly number[]) {
    this.path = path
    this.file = file
    this.width = width
    const waiting = Math.max(1, Math.floor(waitingBytes / (4 * width * sizes.length)))
    let start = 0
    this.regions = sizes.map(size => {
      const rows = new Float32Array(Math.min(size, waiting) * width)
      const region = { start, added: 0, waiting: 0, rows }
      start += size
      return region
    })
  }

  /** Rows of `width` numbers, as many in each region as `sizes` says. */
  static async create(folder: string, width: number, sizes: readonly number[]): Promise<Scratch> {
    await mkdir(folder, { recursive: true })
    const path = join(folder, 'rows.scratch')
    return new Scratch(path, await open(path, 'w+'), width, sizes)
  }

  /** Adds a row to a region: `write` puts it into the array from a place on. Resolves where it had to be waited for. */
  add(
    region: number,
    write: (rows: Float32Array<ArrayBuffer>, at: number) => void,
  ): Promise<void> | undefined {
    const each = this.regions[region]!
    write(each.rows, each.waiting++ * this.width)
    each.added++
    return each.waiting * this.width === each.rows.length ? this.flush(each) : undefined
  }

  /** Writes what waits. */
  async flushAll(): Promise<void> {
    for (const region of this.regions) if (region.waiting > 0) await this.flush(region)
  }

  /** Rows of the file, by their number in all regions. */
  async read(from: number, count: number): Promise<Float32Array<ArrayBuffer>> {
    const rows = new Float32Array(count * this.width)
    const bytes = new Uint8Array(rows.buffer)
    const position = 4 * from * this.width
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await this.file.read(bytes, done, bytes.length - done, position + done)
      if (bytesRead === 0)
        throw new Error(`${this.path}: must hold the rows that were written, got a shorter file; train again`)
      done += bytesRead
    }
    return rows
  }

  /** Where a region begins, in rows. */
  startOf(region: number): number {
    return this.regions[region]!.start
  }

  async remove(): Promise<void> {
    await this.file.close()
    await rm(this.path, { force: true })
  }

  private async flush(region: Region): Promise<void> {
    const { rows, waiting, start, added } = region
    const bytes = new Uint8Array(rows.buffer, 0, 4 * waiting * this.width)
    const position = 4 * (start + added - waiting) * this.width
    region.waiting = 0
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.file.write(bytes, done, bytes.length - done, position + done)
      done += bytesWritten
    }
  }
}
