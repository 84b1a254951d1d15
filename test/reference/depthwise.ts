import { activate } from './activations.ts'
import { type Array64, zeros } from './arrays.ts'
import { onImage, pair } from './convolution.ts'
import { convolve, type Geometry, windows } from './images.ts'
import type { Options, Reference } from './layers.ts'

/** The options of the layers in src/layers/depthwise.ts that no other has. */
export interface DepthwiseOptions {
  depthMultiplier: number
}

/** Channel c·multiplier + j: cross-correlation of x's channel c with w (…size, channels, multiplier), plus b. */
function depthwise(
  x: Array64,
  w: Float64Array,
  b: Float64Array | undefined,
  multiplier: number,
  g: Geometry,
): Array64 {
  const [batch, height, width, channels] = x.shape as [number, number, number, number]
  const { tops, lefts } = windows(x, g)
  const [down, right] = g.rates ?? [1, 1]
  const n = channels * multiplier
  const y = zeros([batch, tops.length, lefts.length, n])
  y.values.forEach((_, at) => {
    const o = at % n
    const left = lefts[Math.floor(at / n) % lefts.length]!
    const top = tops[Math.floor(at / n / lefts.length) % tops.length]!
    const s = Math.floor(at / n / lefts.length / tops.length)
    let sum = b ? b[o]! : 0
    for (let tap = 0; tap < g.size[0] * g.size[1]; tap++) {
      const row = top + Math.floor(tap / g.size[1]) * down
      const column = left + (tap % g.size[1]) * right
      if (row < 0 || row >= height || column < 0 || column >= width) continue
      const from = ((s * height + row) * width + column) * channels
      sum += x.values[from + Math.floor(o / multiplier)]! * w[tap * n + o]!
    }
    y.values[at] = sum
  })
  return y
}

const geometryOf = ({ kernelSize, strides, dilationRate, padding }: Options): Geometry => ({
  size: pair(kernelSize, 2),
  strides: pair(strides!, 2),
  rates: pair(dilationRate, 2),
  padding,
})

const depthwiseConv2d: Reference = (x, { depthwise_kernel, bias }, options, context) => {
  const { depthMultiplier, dataFormat, activation } = options
  const g = geometryOf(options)
  const y = onImage(x, dataFormat, image => depthwise(image, depthwise_kernel!, bias, depthMultiplier, g))
  return activate(y, activation, context)
}

const separableConv2d: Reference = (x, weights, options, context) => {
  const { depthMultiplier, dataFormat, activation, filters } = options
  const { depthwise_kernel, pointwise_kernel, bias } = weights
  const y = onImage(x, dataFormat, image => {
    const filtered = depthwise(image, depthwise_kernel!, undefined, depthMultiplier, geometryOf(options))
    const g = { size: [1, 1], strides: [1, 1], padding: 'valid' } as const
    return convolve(filtered, pointwise_kernel!, bias, filters, g)
  })
  return activate(y, activation, context)
}

export const depthwiseReferences = { depthwiseConv2d, separableConv2d } satisfies Record<string, Reference>
