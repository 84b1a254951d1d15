import { sizeOf } from '../graph/value.ts'

// Bytes of scratch of the kernels in assembly/gradient.ts, assembly/convolution.ts and assembly/recurrent.ts,
// whose constants these are.

/**
 * `productGradient`: 256 rows of 32 packed panels of dy and of a copy of 192 columns of x, 13 cache lines
 * a row.
 */
export const productGradientScratch = (): number => 256 * (32 * 64 + 13 * 64)

/** A size along each axis of a window: depth, height, width. */
export type Triple = readonly [number, number, number]

/** Sizes of a convolution in the order of the kernels' arguments: of each three, depth, height, width. */
export type ConvolutionSizes = readonly [
  ...input: Triple,
  channels: number,
  ...kernel: Triple,
  filters: number,
  ...strides: Triple,
  ...before: Triple,
  ...out: Triple,
  ...rates: Triple,
]

/** Bytes of the padded sample, or 0 where the kernel window never leaves the input. */
function paddedBytes(sizes: ConvolutionSizes, dilated = false): number {
  const input = sizes.slice(0, 3)
  const [kernel, strides, before, out, rates] = [4, 8, 11, 14, 17].map(at => sizes.slice(at, at + 3))
  const reach = input.map((_, i) => (out![i]! - 1) * strides![i]! + (kernel![i]! - 1) * rates![i]! + 1)
  const inside = !dilated && input.every((n, i) => before![i] === 0 && reach[i]! <= n)
  return inside ? 0 : 4 * sizes[3] * sizeOf(reach)
}

/** `convolve`: a padded (or spread out) sample. */
export function convolveScratch(...args: [...ConvolutionSizes, ...Triple]): number {
  const sizes = args.slice(0, 20) as unknown as ConvolutionSizes
  return paddedBytes(
    sizes,
    args.slice(20).some(dilation => dilation > 1),
  )
}

/**
 * `convolveGradient`: a packed panel of dy for 256 output pixels, or a longer line of them, and a padded
 * sample.
 */
export function convolveGradientScratch(...sizes: ConvolutionSizes): number {
  const [outHeight, outWidth] = sizes.slice(15) as [number, number]
  const lines = Math.max(1, Math.min(outHeight, Math.floor(256 / outWidth)))
  return 64 * lines * outWidth + paddedBytes(sizes)
}

/** Recurrent kernels: so many rows of each of 48 samples that go through the sequence together, and some more. */
export const recurrentScratch = (units: number, rows: number, more: number): number =>
  4 * (48 * rows + more) * units
