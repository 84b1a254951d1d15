import { join } from 'node:path'
import { removeIfThere } from '../formats/atomicFiles.ts'
import { codeOf, type Files, type OpenFile, readSome } from '../formats/files.ts'

/** A process, told apart from later ones of the same number by when it began and in which boot of the machine. */
interface Owner {
  readonly pid: number
  /** In clock ticks since the boot; 0 where the system does not tell. */
  readonly start: number
  readonly boot: string
}

/**
 * A lock is an empty file whose name says who owns it, so that none is ever half written, or removed for another.
 * That of one file begins with the file's name.
 */
const pattern = /^lock-pid-(\d+)-start-(\d+)-boot-([0-9a-z-]+)$/
const prefixOf = (of: string | undefined) => (of === undefined ? '.' : `.${of}-`)
const nameOf = ({ pid, start, boot }: Owner) => `lock-pid-${pid}-start-${start}-boot-${boot}`

function ownerOf(prefix: string, name: string): Owner | undefined {
  if (!name.startsWith(prefix)) return undefined
  const [, pid, start, boot] = pattern.exec(name.slice(prefix.length)) ?? []
  return boot === undefined ? undefined : { pid: Number(pid), start: Number(start), boot }
}

/** A file of Linux' /proc, or nothing. */
async function readProc(files: Files, path: string): Promise<string> {
  try {
    const file = await files.open(path, 'r')
    try {
      const bytes = Buffer.alloc(4096)
      return bytes.toString('latin1', 0, await readSome(file, bytes, null))
    } finally {
      await file.close()
    }
  } catch {
    return ''
  }
}

/** When a process began: the 22nd field; the second is the program's name in brackets, which may hold spaces. */
async function startOf(files: Files, pid: number): Promise<number> {
  const text = await readProc(files, `/proc/${pid}/stat`)
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? 0)
}

async function bootId(files: Files): Promise<string> {
  return (await readProc(files, '/proc/sys/kernel/random/boot_id')).trim() || 'unknown'
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) !== 'ESRCH'
  }
}

/** Where the system tells too little, an owner counts as alive. */
async function isAlive(files: Files, { pid, start, boot }: Owner, here: string): Promise<boolean> {
  if (boot !== here && boot !== 'unknown' && here !== 'unknown') return false
  if (!exists(pid)) return false
  const now = await startOf(files, pid)
  return start === now || start === 0 || now === 0
}

function heldBy(where: string, directory: string, name: string, { pid }: Owner): Error {
  const who = pid === process.pid ? 'this process' : `process ${pid}`
  return new Error(
    `${where}: ${directory} must have one writer, got ${who}, which holds ${name}; ` +
      'close it, wait for it, or choose another directory',
  )
}

async function makeLock(
  where: string,
  files: Files,
  directory: string,
  owner: Owner,
  name: string,
): Promise<OpenFile> {
  try {
    return await files.open(join(directory, name), 'wx')
  } catch (error) {
    throw codeOf(error) === 'EEXIST' ? heldBy(where, directory, name, owner) : error
  }
}

/**
 * Makes this process the only writer of a directory, or of one file (`of`) in it, and gives the name of its lock.
 * Locks of the dead are removed. Each first makes its own lock, then looks for others': of two at the same time
 * none or one gets through. A process of another machine or container cannot be seen from here, and counts as dead:
 * its next save finds its lock gone.
 * @throws Error naming the process that holds the directory
 */
export async function lock(where: string, files: Files, directory: string, of?: string): Promise<string> {
  const prefix = prefixOf(of)
  const boot = await bootId(files)
  const self: Owner = { pid: process.pid, start: await startOf(files, process.pid), boot }
  const own = prefix + nameOf(self)
  const file = await makeLock(where, files, directory, self, own)
  try {
    await file.close()
    for (const name of await files.readdir(directory)) {
      const owner = ownerOf(prefix, name)
      if (!owner || name === own) continue
      if (await isAlive(files, owner, boot)) throw heldBy(where, directory, name, owner)
      await removeIfThere(files, join(directory, name))
    }
    return own
  } catch (error) {
    await removeIfThere(files, join(directory, own))
    throw error
  }
}
