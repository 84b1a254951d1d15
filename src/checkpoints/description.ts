import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { show } from '../errors.ts'
import { realFiles } from '../formats/files.ts'
import type { Entry, JsonObject } from './checkpoint.ts'
import { inspect } from './reading.ts'
import { openStore } from './store.ts'

/** What a checkpoint holds, but for the elements of its tensors. */
export interface CheckpointDescription {
  path: string
  byteLength: number
  sha256: string
  header: JsonObject
  /** With the bytes from where on, and how many, each lies in the file. */
  tensors: Entry[]
}

/** The file itself, or the newest in a directory. */
async function fileAt(where: string, path: string): Promise<string> {
  if (typeof path !== 'string' || path === '')
    throw new TypeError(`${where}: path must be that of a checkpoint or a directory, got ${show(path)}`)
  if (!(await stat(path)).isDirectory()) return path
  const newest = await (await openStore({ directory: path, readOnly: true })).newest()
  if (newest) return newest.path
  throw new RangeError(`${where}: ${path} must have a checkpoint, got none; choose another directory`)
}

async function describe(path: string): Promise<CheckpointDescription> {
  const file = await fileAt('describe', path)
  const { header, entries, byteLength, sha256 } = await inspect(`describe: ${file}`, file, realFiles)
  return { path: file, byteLength, sha256, header, tensors: entries }
}

const longestLine = 100
const shortened = (text: string) =>
  text.length > longestLine ? `${text.slice(0, longestLine - 3)}...` : text
const counted = (bytes: number) => `${bytes.toLocaleString('en')} bytes`

function lines({ path, byteLength, sha256, header, tensors }: CheckpointDescription): string[] {
  const width = Math.max(0, ...tensors.map(({ name }) => name.length))
  const shapes = tensors.map(({ shape }) => `[${shape.join(', ')}]`)
  const shapeWidth = Math.max(0, ...shapes.map(({ length }) => length))
  return [
    `${basename(path)}: ${counted(byteLength)}, SHA-256 ${sha256}`,
    ...Object.entries(header).map(([key, value]) => shortened(`${key}: ${JSON.stringify(value)}`)),
    ...tensors.map(({ name, dtype, byteLength }, i) =>
      [name.padEnd(width), dtype.padEnd(7), shapes[i]!.padEnd(shapeWidth), counted(byteLength)].join('  '),
    ),
  ]
}

async function print(path: string, printFn: (line: string) => void = console.log): Promise<void> {
  for (const line of lines(await describe(path))) printFn(line)
}

/** Looks into checkpoints. */
export const checkpoints = {
  /**
   * Tells what a checkpoint holds, or the newest in a directory, after it has been checked to its last byte.
   * @throws TypeError or RangeError saying what is wrong with the file; the file system's own errors
   */
  describe,
  /** Prints what `describe` tells: the header, a line for each of its keys, then a line for each tensor. */
  print,
}
