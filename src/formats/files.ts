import { constants } from 'node:fs'
import * as real from 'node:fs/promises'
import { show } from '../errors.ts'

/** What is asked of an open file or folder. */
export interface OpenFile {
  stat(): Promise<{ size: number; isFile(): boolean; isDirectory(): boolean }>
  read(
    target: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
  ): Promise<{ bytesRead: number }>
  write(source: Uint8Array, offset: number, length: number): Promise<{ bytesWritten: number }>
  sync(): Promise<void>
  close(): Promise<void>
}

/** What is asked of the file system; tests put one in its place that fails. */
export interface Files {
  open(path: string, flags: string | number): Promise<OpenFile>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  /** Resolves with the outermost folder that it made, if any. */
  mkdir(path: string, options: { recursive: true }): Promise<string | undefined>
  readdir(path: string): Promise<string[]>
}

export const realFiles: Files = real

/** The code of a file system's error: ENOENT, EIO … */
export const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

/** Most bytes of one read or write: Linux does 2³¹ - 4096 at once. */
const longestTransfer = 2 ** 30

/**
 * Opens a file for reading; neither a pipe nor a device, which could hold the reader up for ever.
 * @throws RangeError for what is no regular file; the file system's own errors
 */
export async function openRegularFile(
  where: string,
  path: string,
  files = realFiles,
): Promise<{ file: OpenFile; size: number }> {
  const file = await files.open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const status = await file.stat()
    if (status.isFile()) return { file, size: status.size }
    const kind = status.isDirectory() ? 'a folder' : 'something else'
    throw new RangeError(`${where} must be a regular file, got ${kind}`)
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Reads some bytes from a position on; 0 mean the end. */
export async function readSome(file: OpenFile, target: Uint8Array, at: number | null): Promise<number> {
  const { bytesRead } = await file.read(target, 0, Math.min(target.length, longestTransfer), at)
  return bytesRead
}

/** Fills the target from a position on. @throws RangeError where the file ends before */
export async function readFully(
  where: string,
  file: OpenFile,
  target: Uint8Array,
  at: number,
): Promise<void> {
  for (let done = 0, count = 0; done < target.length; done += count) {
    count = await readSome(file, target.subarray(done), at + done)
    if (count > 0) continue
    throw new RangeError(`${where} must have ${target.length} bytes at byte ${at}, got ${done}`)
  }
}

/** Writes all bytes, in as many writes as it takes. */
export async function writeFully(file: OpenFile, source: Uint8Array): Promise<void> {
  for (let done = 0; done < source.length; ) {
    const length = Math.min(source.length - done, longestTransfer)
    const { bytesWritten } = await file.write(source, done, length)
    if (bytesWritten <= 0) throw new Error(`writing must go on, got ${show(bytesWritten)} bytes written`)
    done += bytesWritten
  }
}
