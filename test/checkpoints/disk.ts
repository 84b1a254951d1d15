import { createHash } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import type { Files, OpenFile } from '../../src/formats/files.ts'
import { procFile } from './proc.ts'

/** A file by its bytes, or a folder by the numbers of what lies in it. */
type Inode = Buffer | Map<string, number>

/** What the disk is told. An entry without a number is a name that goes. */
type Change =
  | { kind: 'make'; inode: number; isFolder: boolean }
  | { kind: 'write'; inode: number; at: number; bytes: Buffer }
  | { kind: 'entry'; inode: number; name: string; target: number | undefined }
  | { kind: 'sync'; inode: number }

const root = 0

function applied(inodes: Map<number, Inode>, change: Change): void {
  if (change.kind === 'make') inodes.set(change.inode, change.isFolder ? new Map() : Buffer.alloc(0))
  else if (change.kind === 'write') {
    const old = inodes.get(change.inode) as Buffer
    const bytes = Buffer.alloc(Math.max(old.length, change.at + change.bytes.length))
    old.copy(bytes)
    change.bytes.copy(bytes, change.at)
    inodes.set(change.inode, bytes)
  } else if (change.kind === 'entry') {
    const entries = inodes.get(change.inode) as Map<string, number>
    if (change.target === undefined) entries.delete(change.name)
    else entries.set(change.name, change.target)
  }
}

const fail = (code: string, path: string) => Object.assign(new Error(`${code}: ${path}`), { code })

/** A file system in memory that records what it is told, and can lose what was not synced. */
export class Disk implements Files {
  readonly log: Change[] = []
  readonly #before: ReadonlyMap<number, Inode>
  readonly #inodes: Map<number, Inode>
  readonly #boot: string

  constructor(inodes: ReadonlyMap<number, Inode> = new Map([[root, new Map()]]), boot = 'boot-0') {
    this.#before = inodes
    this.#inodes = new Map(
      [...inodes].map(([n, inode]) => [n, Buffer.isBuffer(inode) ? inode : new Map(inode)]),
    )
    this.#boot = boot
  }

  #change(change: Change): void {
    this.log.push(change)
    applied(this.#inodes, change)
  }

  #make(isFolder: boolean): number {
    const inode = Math.max(...this.#inodes.keys()) + 1
    this.#change({ kind: 'make', inode, isFolder })
    return inode
  }

  #find(path: string): number {
    let inode = root
    for (const name of path.split('/').filter(Boolean)) {
      const entries = this.#inodes.get(inode)
      const next = entries instanceof Map ? entries.get(name) : undefined
      if (next === undefined) throw fail('ENOENT', path)
      inode = next
    }
    return inode
  }

  #entry(path: string, target: number | undefined): void {
    this.#change({ kind: 'entry', inode: this.#find(dirname(path)), name: basename(path), target })
  }

  has(path: string): boolean {
    try {
      this.#find(path)
      return true
    } catch {
      return false
    }
  }

  bytes(path: string): Buffer {
    return this.#inodes.get(this.#find(path)) as Buffer
  }

  async open(path: string, flags: string | number): Promise<OpenFile> {
    if (path.startsWith('/proc/')) return procFile(path, 1, this.#boot)
    if (flags === 'wx') {
      if (this.has(path)) throw fail('EEXIST', path)
      this.#entry(path, this.#make(false))
    }
    return this.#opened(this.#find(path))
  }

  #opened(inode: number): OpenFile {
    const found = () => this.#inodes.get(inode)!
    const isFile = Buffer.isBuffer(found())
    let end = 0
    return {
      stat: async () => ({
        size: (found() as Buffer).length,
        isFile: () => isFile,
        isDirectory: () => !isFile,
      }),
      read: async (target, offset, length, position) => ({
        bytesRead: (found() as Buffer).copy(target, offset, position ?? 0, (position ?? 0) + length),
      }),
      write: async (source, offset, length) => {
        const bytes = Buffer.from(source.subarray(offset, offset + length))
        this.#change({ kind: 'write', inode, at: end, bytes })
        end += length
        return { bytesWritten: length }
      },
      sync: async () => this.#change({ kind: 'sync', inode }),
      close: async () => {},
    }
  }

  async rename(from: string, to: string): Promise<void> {
    const inode = this.#find(from)
    this.#entry(from, undefined)
    this.#entry(to, inode)
  }

  async unlink(path: string): Promise<void> {
    this.#find(path)
    this.#entry(path, undefined)
  }

  async mkdir(path: string): Promise<string | undefined> {
    if (this.has(path)) return undefined
    const made = await this.mkdir(dirname(path))
    this.#entry(path, this.#make(true))
    return made ?? path
  }

  async readdir(path: string): Promise<string[]> {
    return [...(this.#inodes.get(this.#find(path)) as Map<string, number>).keys()]
  }

  /**
   * What is on the disk after the power went when it had been told `told` changes. Of those to a file or folder
   * since its last sync each is lost or not, whatever became of the others; a write may have been cut short, or have
   * grown the file and left it empty.
   */
  afterPowerLoss(told: number, draw: () => number): Map<number, Inode> {
    const inodes = new Map(
      [...this.#before].map(([n, inode]) => [n, Buffer.isBuffer(inode) ? inode : new Map(inode)]),
    )
    const log = this.log.slice(0, told)
    const synced = new Map<number, number>()
    for (const [i, { kind, inode }] of log.entries()) if (kind === 'sync') synced.set(inode, i)
    // Of all that is not synced most is lost, or half, or little.
    const kept = [0.1, 0.5, 0.9][Math.floor(3 * draw())]!
    for (const [i, change] of log.entries()) {
      const isSafe = change.kind === 'make' || i < (synced.get(change.inode) ?? -1)
      if (isSafe) applied(inodes, change)
      else if (draw() < kept) applied(inodes, change.kind === 'write' ? torn(change, draw()) : change)
    }
    return inodes
  }
}

function torn<T extends { bytes: Buffer }>(change: T, drawn: number): T {
  if (drawn < 0.4) return change
  if (drawn < 0.6) return { ...change, bytes: Buffer.alloc(change.bytes.length) }
  return {
    ...change,
    bytes: change.bytes.subarray(0, Math.floor(((drawn - 0.6) / 0.4) * change.bytes.length)),
  }
}

/** Tells apart what can be reached from the root; random names of temporary files do not count. */
export function fingerprint(inodes: ReadonlyMap<number, Inode>): string {
  const hash = createHash('sha256')
  const visit = (path: string, inode: number) => {
    const found = inodes.get(inode)!
    const name = path.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, '')
    hash.update(`${name}\0${Buffer.isBuffer(found) ? found.length : 'folder'}\0`)
    if (Buffer.isBuffer(found)) hash.update(found)
    else for (const name of [...found.keys()].sort()) visit(join(path, name), found.get(name)!)
  }
  visit('/', root)
  return hash.digest('base64')
}

/** Uniform numbers in [0, 1) (mulberry32). */
export function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
