import { realpath, stat } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import type { Tensor } from '../data/tensor.ts'
import { show } from '../errors.ts'
import { hasNaN, unifyNaNs } from './elements.ts'
import { codeOf, type OpenFile, openRegularFile, readSome } from './files.ts'
import type { WeightGroup } from './manifest.ts'
import { type NamedWeight, readWeights, type Stretch } from './weights.ts'

/**
 * The bytes of an array, little-endian; of all NaNs one is written. Writing from shared memory is not allowed
 * everywhere, so that it is copied.
 */
export function bytesOf(values: Tensor['values']): Uint8Array {
  const isFit = values.buffer instanceof ArrayBuffer && !hasNaN(values)
  const fit = isFit ? values : values.slice()
  if (!isFit) unifyNaNs(fit)
  return new Uint8Array(fit.buffer, fit.byteOffset, fit.byteLength)
}

/**
 * Opens the files of a group; links must not lead out of the model's folder either. Where else a file of several names
 * lies cannot be told.
 */
async function openGroup(
  where: string,
  folder: string,
  { paths }: WeightGroup,
  opened: OpenFile[],
): Promise<Stretch[]> {
  const stretches: Stretch[] = []
  const root = await realpath(folder)
  for (const path of paths) {
    const real = await realpath(join(folder, path)).catch(error => {
      throw new RangeError(`${where} ${path} must be there, got ${codeOf(error)}`, { cause: error })
    })
    if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) {
      throw new RangeError(`${where} ${path} must lie inside the model's folder, got ${show(real)}`)
    }
    const { nlink } = await stat(real)
    const { file, size } = await openRegularFile(`${where} ${path}`, real)
    opened.push(file)
    if (nlink > 1)
      throw new RangeError(`${where} ${path} must be no hard link, got a file of ${nlink} names; copy it`)
    stretches.push({ size, read: (target, at) => readSome(file, target, at) })
  }
  return stretches
}

/**
 * Reads the weights of a checked manifest from the files next to `jsonPath`.
 * @throws RangeError for files outside the folder, or as readWeights
 */
export async function readWeightFiles(
  where: string,
  jsonPath: string,
  groups: readonly WeightGroup[],
): Promise<NamedWeight[]> {
  const opened: OpenFile[] = []
  try {
    return await readWeights(where, groups, group => openGroup(where, dirname(jsonPath), group, opened))
  } finally {
    for (const file of opened) await file.close()
  }
}
