// Bytes of scratch of the kernels in assembly/gradient.ts, assembly/convolution.ts and assembly/recurrent.ts,
// whose constants these are.

/**
 * `productGradient`: 256 rows of eight packed panels of dy and of a copy of 192 columns of x, 13 cache lines
 * a row.
 */
export const productGradientScratch = (): number => 256 * (8 * 64 + 13 * 64)

/** Sizes of a convolution in the order of the kernels' arguments. */
export type ConvolutionSizes = readonly [
  height: number,
  width: number,
  channels: number,
  kernelHeight: number,
  kernelWidth: number,
  filters: number,
  strideHeight: number,
  strideWidth: number,
  padTop: number,
  padLeft: number,
  outHeight: number,
  outWidth: number,
  rateHeight: number,
  rateWidth: number,
]

/** Bytes of the padded sample, or 0 where the kernel window never leaves the input. */
function paddedBytes(sizes: ConvolutionSizes): number {
  const [height, width, channels, kernelHeight, kernelWidth, , strideHeight, strideWidth] = sizes
  const [, , , , , , , , padTop, padLeft, outHeight, outWidth, rateHeight, rateWidth] = sizes
  const rows = (outHeight - 1) * strideHeight + (kernelHeight - 1) * rateHeight + 1
  const columns = (outWidth - 1) * strideWidth + (kernelWidth - 1) * rateWidth + 1
  const inside = padTop === 0 && padLeft === 0 && rows <= height && columns <= width
  return inside ? 0 : rows * columns * channels * 4
}

/** `convolve`: a padded (or spread out) sample. */
export function convolveScratch(...args: [...ConvolutionSizes, number, number]): number {
  const [dilateHeight, dilateWidth] = args.slice(14) as [number, number]
  const sizes = args.slice(0, 14) as unknown as ConvolutionSizes
  if (dilateHeight === 1 && dilateWidth === 1) return paddedBytes(sizes)
  return paddedBytes([0, 0, ...sizes.slice(2)] as unknown as ConvolutionSizes)
}

/**
 * `convolveGradient`: a packed panel of dy for 256 output pixels, or a longer line of them, and a padded
 * sample.
 */
export function convolveGradientScratch(...sizes: ConvolutionSizes): number {
  const [outHeight, outWidth] = sizes.slice(10) as [number, number]
  const lines = Math.max(1, Math.min(outHeight, Math.floor(256 / outWidth)))
  return 64 * lines * outWidth + paddedBytes(sizes)
}

/** Recurrent kernels: so many rows of each of 48 samples that go through the sequence together, and some more. */
export const recurrentScratch = (units: number, rows: number, more: number): number =>
  4 * (48 * rows + more) * units
