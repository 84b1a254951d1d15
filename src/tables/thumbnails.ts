import type { Tensor } from '../data/tensor.ts'
import { pngBytes } from '../formats/png.ts'

/** Rows and columns of a thumbnail, at most: 17 KB in base64. */
const most = 64

/**
 * One of (n, height, width, channels) images as a small PNG in base64: in colours where there are three channels, grey
 * otherwise, from the first. Of larger ones every n-th pixel is taken. Bytes are seen from 0 to `white`, other numbers from
 * the least to the largest of the image.
 */
export function thumbnailOf({ values, shape, dtype }: Tensor, sample: number, white: number): string {
  const [, height, width, channels] = shape as [number, number, number, number]
  const step = Math.ceil(Math.max(height, width) / most)
  const [down, across] = [Math.ceil(height / step), Math.ceil(width / step)]
  const own = values.subarray(sample * height * width * channels, (sample + 1) * height * width * channels)
  const seen = channels < 3 ? 1 : 3
  const numbers = Float32Array.from({ length: down * across * seen }, (_, i) => {
    const pixel = Math.floor(i / seen)
    const [y, x] = [step * Math.floor(pixel / across), step * (pixel % across)]
    return own[(y * width + x) * channels + (i % seen)]!
  })
  const isByte = dtype === 'uint8' || dtype === 'bool'
  const low = isByte ? 0 : Math.min(...numbers)
  const range = (isByte ? white : Math.max(...numbers)) - low || 1
  const bytes = Uint8Array.from(numbers, value => Math.min(255, Math.round((255 * (value - low)) / range)))
  return pngBytes({ height: down, width: across, channels: seen, values: bytes }).toString('base64')
}
