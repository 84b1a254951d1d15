import type { Pixels } from '../formats/png.ts'

/** Weights of the source pixels from `start` on that make one pixel. */
interface Taps {
  readonly start: number
  readonly weights: Float64Array
}

/**
 * A triangle over each of `count` pixels that lie on `length` source pixels from `from` on, at least one to each side: linear
 * between pixels where the picture grows, an average where it shrinks.
 */
function tapsOf(from: number, length: number, count: number, limit: number): Taps[] {
  const scale = length / count
  const reach = Math.max(1, scale)
  return Array.from({ length: count }, (_, i) => {
    const centre = from + (i + 0.5) * scale
    const start = Math.max(0, Math.ceil(centre - reach - 0.5))
    const end = Math.min(limit - 1, Math.floor(centre + reach - 0.5))
    const weights = Float64Array.from({ length: end - start + 1 }, (_, k) =>
      Math.max(0, 1 - Math.abs(start + k + 0.5 - centre) / reach),
    )
    const sum = weights.reduce((all, weight) => all + weight, 0)
    return { start, weights: weights.map(weight => weight / sum) }
  })
}

/** One row as red, green and blue; what is transparent shows white. */
function colours({ width, channels, values }: Pixels, row: number, target: Float64Array): void {
  const isGrey = channels < 3
  for (let x = 0; x < width; x++) {
    const at = (row * width + x) * channels
    const alpha = channels % 2 === 0 ? values[at + channels - 1]! / 255 : 1
    for (let c = 0; c < 3; c++) target[3 * x + c] = 255 + alpha * (values[at + (isGrey ? 0 : c)]! - 255)
  }
}

/** The largest square in the middle of an image, as size × size × 3 bytes. */
export function square(pixels: Pixels, size: number): Uint8Array {
  const { height, width } = pixels
  const side = Math.min(height, width)
  const across = tapsOf((width - side) / 2, side, size, width)
  const down = tapsOf((height - side) / 2, side, size, height)
  const sums = new Float64Array(size * size * 3)
  const source = new Float64Array(3 * width)
  const narrowed = new Float64Array(3 * size)
  for (let row = down[0]!.start; row < down.at(-1)!.start + down.at(-1)!.weights.length; row++) {
    colours(pixels, row, source)
    for (const [x, { start, weights }] of across.entries())
      for (let c = 0; c < 3; c++) {
        let sum = 0
        for (let k = 0; k < weights.length; k++) sum += weights[k]! * source[3 * (start + k) + c]!
        narrowed[3 * x + c] = sum
      }
    for (const [y, { start, weights }] of down.entries()) {
      const weight = weights[row - start] ?? 0
      if (row < start || weight === 0) continue
      const at = y * size * 3
      for (let i = 0; i < narrowed.length; i++) sums[at + i]! += weight * narrowed[i]!
    }
  }
  return Uint8Array.from(sums, Math.round)
}

/** Whether each pixel of size × size × 3 bytes is grey. */
export function isGrey(values: Uint8Array): boolean {
  for (let i = 0; i < values.length; i += 3)
    if (values[i] !== values[i + 1] || values[i] !== values[i + 2]) return false
  return true
}

/** Brightness of each pixel (ITU-R BT.601). */
export function greyOf(values: Uint8Array): Uint8Array {
  const grey = new Uint8Array(values.length / 3)
  for (let i = 0; i < grey.length; i++)
    grey[i] = Math.round((299 * values[3 * i]! + 587 * values[3 * i + 1]! + 114 * values[3 * i + 2]!) / 1000)
  return grey
}
