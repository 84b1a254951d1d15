import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Writes the pieces to a file and waits until they are on the disk. */
async function writePieces(path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'wx')
  try {
    for (const piece of pieces) await file.writeFile(piece)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Renames outlast a power cut only when the folder is synced too; Windows cannot, and need not. */
async function syncFolder(directory: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder: FileHandle = await open(directory, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/**
 * Writes files into a folder, making it if need be. All are complete on the disk under other names before they
 * take their own, in this order: a crash leaves no file half written.
 */
export async function writeFilesAtomically(
  directory: string,
  files: readonly (readonly [name: string, pieces: Iterable<Uint8Array>])[],
): Promise<void> {
  await mkdir(directory, { recursive: true })
  const tag = randomUUID()
  const temporary = (name: string) => join(directory, `.${name}.${tag}`)
  try {
    for (const [name, pieces] of files) await writePieces(temporary(name), pieces)
    for (const [name] of files) await rename(temporary(name), join(directory, name))
    await syncFolder(directory)
  } finally {
    for (const [name] of files) await rm(temporary(name), { force: true })
  }
}
