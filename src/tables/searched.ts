import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { labelsFileOf } from './arrays.ts'
import type { TrainOptions } from './options.ts'

// What a search reads, and how its study tells that it is the same.

/** Absolute paths of the data, labels that are a file, and a network that is one. */
export function pathsOf(options: TrainOptions): { data: string; labels?: string; model?: string } {
  const { data, model } = options
  const labels = labelsFileOf(options)
  return {
    data: resolve(data),
    ...(labels !== undefined && { labels: resolve(labels) }),
    ...(model !== undefined && { model: resolve(model) }),
  }
}

/** Of a file's bytes, or of all names and files in a folder. */
export async function hashOf(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const path of paths) {
    const isFolder = (await stat(path)).isDirectory()
    const names = isFolder ? (await readdir(path, { recursive: true })).sort() : ['']
    for (const name of names) {
      const file = join(path, name)
      if (isFolder) hash.update(`${name}\0`)
      if ((await stat(file)).isFile()) for await (const piece of createReadStream(file)) hash.update(piece)
    }
  }
  return hash.digest('hex')
}
