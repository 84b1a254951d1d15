import type { Tensor } from '../data/tensor.ts'
import { checkOptions, inRange, show } from '../errors.ts'
import { openRegularFile } from './files.ts'
import { takeNpy } from './npy.ts'
import { readDirectory, readMember } from './zip.ts'

export interface NpzOptions {
  /** Most bytes that all arrays may take together; 48 MiB and three times the file unless given. */
  maxBytes?: number
}

/**
 * Reads the arrays that NumPy's savez and savez_compressed wrote, by their names, as `readNpy`. The archive is not
 * trusted: sizes are compared before anything is unpacked, checksums after.
 * @throws RangeError saying what is wrong with the file; the file system's own errors
 */
export async function readNpz(path: string, options?: NpzOptions): Promise<Map<string, Tensor>> {
  const where = `readNpz: ${path}`
  checkOptions('readNpz', options, ['maxBytes'])
  const { file, size } = await openRegularFile(where, path)
  try {
    const most = inRange('readNpz', 'maxBytes', options?.maxBytes ?? 48 * 2 ** 20 + 3 * size, '[0, Infinity)')
    const members = await readDirectory(where, file, size)
    const other = members.find(({ name }) => !name.endsWith('.npy'))
    if (other) throw new RangeError(`${where} must hold arrays named .npy, got ${show(other.name)}`)
    const total = members.reduce((sum, { bytes }) => sum + bytes, 0)
    if (!(total <= most))
      throw new RangeError(
        `${where} must have at most ${most} bytes unpacked, got ${total}; give a larger maxBytes`,
      )
    const tensors = new Map<string, Tensor>()
    for (const member of members) {
      const bytes = await readMember(where, file, member)
      tensors.set(member.name.slice(0, -'.npy'.length), takeNpy(`${where} ${member.name}`, bytes))
    }
    return tensors
  } finally {
    await file.close()
  }
}
