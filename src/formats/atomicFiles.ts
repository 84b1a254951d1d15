import { randomUUID } from 'node:crypto'
import { dirname, join, resolve } from 'node:path'
import { codeOf, type Files, realFiles, writeFully } from './files.ts'

type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/**
 * Writes the pieces to a new file and waits until they are on the disk. What fails leaves no file; a file whose
 * sync has failed is given up, for a second sync may succeed although pages were lost.
 */
export async function writeDurably(files: Files, path: string, pieces: Pieces): Promise<void> {
  const file = await files.open(path, 'wx')
  try {
    try {
      for await (const piece of pieces) await writeFully(file, piece)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    await removeIfThere(files, path)
    throw error
  }
}

/** Removes a file that should not be there; one that cannot be removed is left. */
export async function removeIfThere(files: Files, path: string): Promise<void> {
  await files.unlink(path).catch(() => {})
}

/** Names outlast a power cut only when their folder is synced too; Windows cannot, and need not. */
export async function syncFolder(files: Files, directory: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await files.open(directory, 'r')
  try {
    await folder.sync()
  } catch (error) {
    // Some network file systems sync no folders.
    if (codeOf(error) !== 'EINVAL') throw error
  } finally {
    await folder.close()
  }
}

/** Makes a folder and those around it, so that they outlast a power cut. */
export async function makeFolder(files: Files, directory: string): Promise<void> {
  const outermost = await files.mkdir(directory, { recursive: true })
  if (outermost === undefined) return
  const end = dirname(resolve(outermost))
  let folder = resolve(directory)
  do {
    folder = dirname(folder)
    await syncFolder(files, folder)
  } while (folder !== end)
}

/**
 * Writes files into a folder, making it if need be. All are complete on the disk under other names before they
 * take their own, in this order even when the power goes: no file is ever half written.
 */
export async function writeFilesAtomically(
  directory: string,
  written: readonly (readonly [name: string, pieces: Pieces])[],
  files = realFiles,
): Promise<void> {
  await makeFolder(files, directory)
  const tag = randomUUID()
  const temporary = (name: string) => join(directory, `.${name}.${tag}`)
  try {
    for (const [name, pieces] of written) await writeDurably(files, temporary(name), pieces)
    for (const [name] of written) {
      await files.rename(temporary(name), join(directory, name))
      await syncFolder(files, directory)
    }
  } catch (error) {
    for (const [name] of written) await removeIfThere(files, temporary(name))
    throw error
  }
}
