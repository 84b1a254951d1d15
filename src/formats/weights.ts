import { Tensor } from '../data/tensor.ts'
import { show } from '../errors.ts'
import { decode } from './elements.ts'
import type { WeightGroup, WeightSpec } from './manifest.ts'

/** A saved weight. `group` is 'optimizer' for a slot of the optimizer. */
export interface NamedWeight {
  name: string
  tensor: Tensor
  group?: string
}

/** Bytes of a file, of memory or of an answer. `read` fills some of the target from a position on; 0 bytes mean the end. */
export interface Stretch {
  readonly size: number
  read(target: Uint8Array, at: number): number | Promise<number>
}

export const stretchOf = (bytes: Uint8Array): Stretch => ({
  size: bytes.length,
  read: (target, at) => {
    const part = bytes.subarray(at, at + target.length)
    target.set(part)
    return part.length
  },
})

/** Bytes that the weights of a group take. */
export const bytesNeeded = ({ weights }: WeightGroup): number =>
  weights.reduce((sum, { bytes }) => sum + bytes, 0)

/** Reads consecutive stretches as one. */
function reader(where: string, stretches: readonly Stretch[]): (target: Uint8Array) => Promise<void> {
  let index = 0
  let position = 0
  return async target => {
    let done = 0
    while (done < target.length) {
      const current = stretches[index]
      if (!current)
        throw new RangeError(`${where} weight files must not shrink while they are read, got fewer bytes`)
      const count = await current.read(target.subarray(done), position)
      done += count
      position += count
      if (count === 0) {
        index++
        position = 0
      }
    }
  }
}

/** Numbers that smaller ones stand for, as TensorFlow.js computes them; integers are rounded. */
function restore(values: Tensor['values'], { dtype, quantization }: WeightSpec): Tensor['values'] {
  const { scale, min } = quantization!
  if (dtype === 'int32') return Int32Array.from(values, value => Math.round(value * scale + min))
  return Float32Array.from(values, value => value * scale + min)
}

async function readWeight(where: string, spec: WeightSpec, read: (target: Uint8Array) => Promise<void>) {
  const bytes = new Uint8Array(spec.bytes)
  await read(bytes)
  const stored = decode(`${where} weight ${show(spec.name)}`, spec.type, bytes)
  const values = spec.quantization ? restore(stored, spec) : stored
  const weight: NamedWeight = { name: spec.name, tensor: new Tensor(values, spec.shape, spec.dtype) }
  return spec.group === undefined ? weight : { ...weight, group: spec.group }
}

/**
 * Reads the weights of a checked manifest from where `open` finds a group's bytes, after the sizes of all groups
 * are found right.
 * @throws RangeError for another size than the manifest's weights have, or a wrong element
 */
export async function readWeights(
  where: string,
  groups: readonly WeightGroup[],
  open: (group: WeightGroup) => Stretch[] | Promise<Stretch[]>,
): Promise<NamedWeight[]> {
  const stretchesOf: Stretch[][] = []
  for (const group of groups) {
    const stretches = await open(group)
    const needed = bytesNeeded(group)
    const found = stretches.reduce((sum, { size }) => sum + size, 0)
    if (needed !== found) {
      const names = group.paths.join(', ') || 'no files'
      throw new RangeError(`${where} weights must have ${needed} bytes in ${names}, got ${found}`)
    }
    stretchesOf.push(stretches)
  }
  const weights: NamedWeight[] = []
  for (const [g, group] of groups.entries()) {
    const read = reader(where, stretchesOf[g]!)
    for (const spec of group.weights) weights.push(await readWeight(where, spec, read))
  }
  return weights
}
