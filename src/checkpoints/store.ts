import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { checkOptions, nonNegativeInteger, positiveInteger, show } from '../errors.ts'
import { makeFolder, removeIfThere, syncFolder, writeDurably } from '../formats/atomicFiles.ts'
import { codeOf, type Files, realFiles } from '../formats/files.ts'
import type { Checkpoint } from './checkpoint.ts'
import { lock } from './lock.ts'
import { inspect, readCheckpoint } from './reading.ts'
import { encode } from './writing.ts'

export interface Saved {
  path: string
  step: number
  /** Of those saved as the best, the last one. */
  best: boolean
}

export interface Newest {
  path: string
  checkpoint: Checkpoint
  /** Newer ones that do not validate, the newest first. */
  skipped: { path: string; reason: string }[]
}

export interface CheckpointStore {
  /**
   * Writes a checkpoint and resolves with its path once the file has been read again and found right; then all
   * but the newest `keep` and the best are removed. The arrays must not change before. Saves wait for each other.
   * @throws TypeError or RangeError for what no file can hold; Error when it could not be written: the older
   * checkpoints are then as they were
   */
  save(checkpoint: Checkpoint, options: { step: number; best?: boolean }): Promise<string>
  /**
   * The newest checkpoint that validates; undefined where there is none at all.
   * @throws Error when there are some, and none of them validates
   */
  newest(): Promise<Newest | undefined>
  /** All checkpoints, validated or not, in the order in which they were saved. */
  list(): Promise<Saved[]>
  /** Lets others write into the directory. */
  close(): Promise<void>
}

export interface StoreOptions {
  directory: string
  /** How many of the newest stay, besides the best. 3 unless given. */
  keep?: number
  /** Takes no lock, changes nothing, and refuses to save. */
  readOnly?: boolean
}

/** Names sort by step; the number after it counts the saves, and tells which one is the newest. */
const pattern = /^step-(\d{12})-save-(\d{6,})(-best)?\.ckpt$/
const leftover = /^\.step-\d{12}-save-\d{6,}(-best)?\.ckpt\.[0-9a-f-]{36}$/
const mostSteps = 1e12

interface Named extends Saved {
  readonly name: string
  readonly save: number
}

/** The checkpoints among the names in a directory, in the order in which they were saved. */
function checkpointsAmong(directory: string, names: readonly string[]): Named[] {
  const found = names.flatMap(name => {
    const [whole, step, save, best] = pattern.exec(name) ?? []
    if (whole === undefined) return []
    return {
      name,
      path: join(directory, name),
      step: Number(step),
      save: Number(save),
      best: best !== undefined,
    }
  })
  found.sort((a, b) => a.save - b.save)
  const last = found.findLast(({ best }) => best)
  return found.map(each => ({ ...each, best: each === last }))
}

class Store implements CheckpointStore {
  readonly #directory: string
  readonly #keep: number
  readonly #files: Files
  /** The name of the lock, if this one may write. */
  readonly #lock: string | undefined
  #queue: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(directory: string, keep: number, files: Files, lockName: string | undefined) {
    this.#directory = directory
    this.#keep = keep
    this.#files = files
    this.#lock = lockName
  }

  /** Does one thing after the other. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(run)
    this.#queue = result.catch(() => {})
    return result
  }

  save(checkpoint: Checkpoint, options: { step: number; best?: boolean }): Promise<string> {
    return this.#inTurn(async () => {
      checkOptions('save', options, ['step', 'best'])
      const { step, best = false } = options
      if (nonNegativeInteger('save', 'step', step) >= mostSteps)
        throw new RangeError(`save: step must be less than ${mostSteps}, got ${step}`)
      const older = await this.#checkLock()
      const save = 1 + (older.at(-1)?.save ?? 0)
      const digits = `step-${String(step).padStart(12, '0')}-save-${String(save).padStart(6, '0')}`
      const name = `${digits}${best ? '-best' : ''}.ckpt`
      await this.#write(name, checkpoint)
      await this.#prune([...older.map(each => each.name), name])
      return join(this.#directory, name)
    })
  }

  /** The checkpoints there are; refuses to go on where another process may be writing. */
  async #checkLock(): Promise<Named[]> {
    if (this.#lock === undefined || this.#closed) {
      const state = this.#closed ? 'one that is closed' : 'one that is read-only'
      throw new Error(`save: the store must be open for writing, got ${state}; open another one`)
    }
    const names = await this.#files.readdir(this.#directory)
    if (names.includes(this.#lock)) return checkpointsAmong(this.#directory, names)
    throw new Error(
      `save: ${this.#directory} must have this process' lock ${this.#lock}, got none: another may be writing; ` +
        'open the store again',
    )
  }

  async #write(name: string, checkpoint: Checkpoint): Promise<void> {
    const path = join(this.#directory, name)
    const temporary = join(this.#directory, `.${name}.${randomUUID()}`)
    let written = ''
    const pieces = encode('save', checkpoint, sha256 => (written = sha256))
    try {
      await writeDurably(this.#files, temporary, pieces)
      await this.#files.rename(temporary, path)
      await syncFolder(this.#files, this.#directory)
      const { sha256 } = await inspect('its file', path, this.#files)
      if (sha256 !== written) throw new Error(`the SHA-256 ${sha256} when it was read again`)
    } catch (error) {
      await removeIfThere(this.#files, temporary)
      await removeIfThere(this.#files, path)
      const found = (error as Error).message
      throw new Error(`save: ${path} must be written whole, got ${found}; the older ones are as they were`, {
        cause: error,
      })
    }
  }

  /** Removes the old ones; what cannot be removed now will be after the next save. */
  async #prune(names: readonly string[]): Promise<void> {
    const all = checkpointsAmong(this.#directory, names)
    const old = all.slice(0, -this.#keep).filter(({ best }) => !best)
    for (const { path } of old) await removeIfThere(this.#files, path)
  }

  async #names(): Promise<Named[]> {
    try {
      return checkpointsAmong(this.#directory, await this.#files.readdir(this.#directory))
    } catch (error) {
      if (this.#lock === undefined && codeOf(error) === 'ENOENT') return []
      throw error
    }
  }

  newest(): Promise<Newest | undefined> {
    return this.#inTurn(() => this.#newest())
  }

  async #newest(): Promise<Newest | undefined> {
    const all = await this.#names()
    const skipped: Newest['skipped'] = []
    for (const { path } of all.toReversed()) {
      try {
        return { path, checkpoint: await readCheckpoint(`newest: ${path}`, path, this.#files), skipped }
      } catch (error) {
        // A writer may have removed it after it had saved a newer one.
        if (codeOf(error) === 'ENOENT' && !(await this.#names()).some(each => each.path === path))
          return this.#newest()
        skipped.push({ path, reason: (error as Error).message })
      }
    }
    if (all.length === 0) return undefined
    const reasons = skipped.map(({ reason }) => reason).join('; ')
    throw new Error(
      `newest: ${this.#directory} must have a checkpoint that can be read, got ${all.length} that cannot: ${reasons}`,
    )
  }

  list(): Promise<Saved[]> {
    return this.#inTurn(async () =>
      (await this.#names()).map(({ path, step, best }) => ({ path, step, best })),
    )
  }

  close(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#lock !== undefined && !this.#closed)
        await this.#files.unlink(join(this.#directory, this.#lock))
      this.#closed = true
    })
  }
}

/** What writers left that did not come to their end. */
async function removeLeftovers(files: Files, directory: string): Promise<void> {
  for (const name of await files.readdir(directory))
    if (leftover.test(name)) await removeIfThere(files, join(directory, name))
}

/**
 * Opens a directory of checkpoints, made if need be. One process at a time may write into it.
 * @throws TypeError or RangeError for wrong options; Error when another process writes there, naming it; the
 * file system's own errors
 */
export async function openStore(options: StoreOptions, files = realFiles): Promise<CheckpointStore> {
  checkOptions('openStore', options, ['directory', 'keep', 'readOnly'])
  const { directory, keep = 3, readOnly = false } = options
  if (typeof directory !== 'string' || directory === '')
    throw new TypeError(`openStore: directory must be a path, got ${show(directory)}`)
  positiveInteger('openStore', 'keep', keep)
  if (readOnly) return new Store(directory, keep, files, undefined)
  await makeFolder(files, directory)
  const lockName = await lock('openStore', files, directory)
  await removeLeftovers(files, directory)
  return new Store(directory, keep, files, lockName)
}
