// What bench/product.ts measures: the products of dense layers and of convolutions, with their float64
// residuals.

import { pack, unitsOf, unpack } from '../src/graph/parameter.ts'
import {
  type ConvolutionSizes,
  convolveGradientScratch,
  convolveScratch,
  productGradientScratch,
} from '../src/ops/scratch.ts'
import type { Kernels } from '../src/runtime/tiers.ts'

export interface Task {
  name: 'forward' | 'weights' | 'inputs' | 'convolve' | 'convolve inputs' | 'convolve weights'
  size: readonly number[]
  flops: number
  /** Longest chain of additions, for the bound of the residual. */
  depth: number
  run(): void
  residual(): number
}

export const layers = [
  [32, 128, 784],
  [128, 128, 784],
  [128, 512, 512],
  [256, 256, 256],
  [512, 512, 512],
  [1024, 1024, 1024],
] as const

const ones = [1, 1, 1] as const

export const convolutions: ConvolutionSizes[] = [
  [1, 26, 26, 32, 1, 3, 3, 64, 1, 1, 1, 0, 0, 0, 1, 24, 24, 1, 1, 1],
  [1, 28, 28, 1, 1, 3, 3, 32, 1, 1, 1, 0, 0, 0, 1, 26, 26, 1, 1, 1],
]

/** Memory laid out from its beginning for each task in turn. */
export class Bench {
  readonly memory = new WebAssembly.Memory({ initial: 1024, maximum: 65536, shared: true })
  private top = 1024

  reset(): void {
    this.top = 1024
  }

  reserve(count: number): number {
    const address = this.top
    this.top += (count * 4 + 127) & ~63
    return address
  }

  floats(address: number, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, count)
  }

  /** `count` seeded numbers in [−0.5, 0.5). */
  numbers(count: number, seed: number): { address: number; values: Float32Array } {
    const address = this.reserve(count)
    const values = this.floats(address, count)
    for (let i = 0; i < count; i++) values[i] = (((i + seed) * 7919) % 1009) / 1009 - 0.5
    return { address, values }
  }

  packed(values: Float32Array, shape: number[]): number {
    const address = this.reserve(16 * unitsOf(shape))
    pack(values, shape, this.floats(address, 16 * unitsOf(shape)))
    return address
  }
}

/**
 * Largest deviation of some `rows` of c (m,n) from a (m,k)·b (k,n) in float64, relative to the largest
 * element.
 */
function residual(
  c: Float32Array,
  m: number,
  n: number,
  k: number,
  a: (i: number, p: number) => number,
  b: (p: number, j: number) => number,
): number {
  let worst = 0
  let largest = 0
  for (let i = 0; i < m; i += Math.max(1, Math.floor(m / 7))) {
    for (let j = 0; j < n; j++) {
      let sum = 0
      for (let p = 0; p < k; p++) sum += a(i, p) * b(p, j)
      largest = Math.max(largest, Math.abs(sum))
      worst = Math.max(worst, Math.abs(sum - c[i * n + j]!))
    }
  }
  return worst / largest
}

/** The three products of a dense layer of m rows, n units and k inputs. */
export function layerTasks(
  bench: Bench,
  kernels: Kernels,
  [m, n, k]: readonly [number, number, number],
): Task[] {
  bench.reset()
  const x = bench.numbers(m * k, 1)
  const w = bench.numbers(k * n, 2)
  const dy = bench.numbers(m * n, 3)
  const panels = bench.packed(w.values, [k, n])
  const [y, dx] = [bench.reserve(m * n), bench.reserve(m * k)]
  const [dw, wt] = [bench.reserve(16 * unitsOf([k, n])), bench.reserve(16 * unitsOf([n, k]))]
  const scratch = bench.reserve(productGradientScratch() / 4)
  const span = bench.reserve(2)
  new Int32Array(bench.memory.buffer, span, 2).set([0, m])
  const units = unitsOf([k, n])
  const common = { size: [m, n, k], flops: 2 * m * n * k }
  return [
    {
      ...common,
      name: 'forward',
      depth: k,
      run: () => kernels.product(0, m, x.address, panels, 0, y, n, k, Number.NEGATIVE_INFINITY),
      residual: () =>
        residual(
          bench.floats(y, m * n),
          m,
          n,
          k,
          (i, p) => x.values[i * k + p]!,
          (p, j) => w.values[p * n + j]!,
        ),
    },
    {
      ...common,
      name: 'weights',
      depth: m,
      run: () => kernels.productGradient(0, units, x.address, dy.address, dw, span, 1, k, n, scratch),
      residual: () =>
        residual(
          unpack(bench.floats(dw, 16 * units), [k, n]),
          k,
          n,
          m,
          (i, p) => x.values[p * k + i]!,
          (p, j) => dy.values[p * n + j]!,
        ),
    },
    {
      ...common,
      name: 'inputs',
      depth: n,
      run: () => {
        kernels.transposePanels(0, units, panels, wt, k, n)
        kernels.product(0, m, dy.address, wt, 0, dx, k, n, Number.NEGATIVE_INFINITY)
      },
      residual: () =>
        residual(
          bench.floats(dx, m * k),
          m,
          k,
          n,
          (i, p) => dy.values[i * n + p]!,
          (p, j) => w.values[j * n + p]!,
        ),
    },
  ]
}

/** A convolution (no padding, strides 1) of four samples, and its gradients. */
export function convolutionTasks(bench: Bench, kernels: Kernels, sizes: ConvolutionSizes): Task[] {
  const [, height, width, channels, , kernelHeight, kernelWidth, filters] = sizes
  const [outHeight, outWidth] = sizes.slice(15) as [number, number]
  const samples = 4
  const taps = kernelHeight * kernelWidth
  const [k, pixels, inputs] = [taps * channels, outHeight * outWidth, height * width]
  bench.reset()
  const x = bench.numbers(samples * inputs * channels, 1)
  const w = bench.numbers(k * filters, 2)
  const dy = bench.numbers(samples * pixels * filters, 3)
  const panels = bench.packed(w.values, [k, filters])
  const [y, dx] = [bench.reserve(dy.values.length), bench.reserve(x.values.length)]
  const units = unitsOf([k, filters])
  const [dw, wt] = [bench.reserve(16 * units), bench.reserve(16 * unitsOf([taps * filters, channels]))]
  const pads = [kernelHeight - 1, kernelWidth - 1] as const
  const kernel = [1, kernelHeight, kernelWidth, channels, ...ones, 0, ...pads] as const
  const backward = [1, outHeight, outWidth, filters, ...kernel, 1, height, width, ...ones, ...ones] as const
  const scratch = bench.reserve(
    Math.max(
      convolveScratch(...sizes, ...ones),
      convolveScratch(...backward),
      convolveGradientScratch(...sizes),
    ) / 4,
  )
  const span = bench.reserve(2)
  new Int32Array(bench.memory.buffer, span, 2).set([0, samples])

  /** x under tap p of output i; i counts the pixels of all samples. */
  const under = (i: number, p: number) => {
    const [sample, pixel] = [Math.floor(i / pixels), i % pixels]
    const row = Math.floor(pixel / outWidth) + Math.floor(p / (kernelWidth * channels))
    const column = (pixel % outWidth) + (Math.floor(p / channels) % kernelWidth)
    return x.values[((sample * height + row) * width + column) * channels + (p % channels)]!
  }
  /** dy over tap q = (kh, kw, filter) of input i, zero outside. */
  const over = (i: number, q: number) => {
    const [sample, pixel] = [Math.floor(i / inputs), i % inputs]
    const row = Math.floor(pixel / width) - Math.floor(q / (kernelWidth * filters))
    const column = (pixel % width) - (Math.floor(q / filters) % kernelWidth)
    if (row < 0 || row >= outHeight || column < 0 || column >= outWidth) return 0
    return dy.values[((sample * outHeight + row) * outWidth + column) * filters + (q % filters)]!
  }
  const common = {
    size: [...sizes.slice(1, 4), ...sizes.slice(5, 8)],
    flops: 2 * samples * pixels * k * filters,
  }
  return [
    {
      ...common,
      name: 'convolve',
      depth: k,
      run: () =>
        kernels.convolve(
          0,
          samples,
          x.address,
          panels,
          0,
          y,
          scratch,
          Number.NEGATIVE_INFINITY,
          ...sizes,
          ...ones,
        ),
      residual: () =>
        residual(
          bench.floats(y, dy.values.length),
          samples * pixels,
          filters,
          k,
          under,
          (p, j) => w.values[p * filters + j]!,
        ),
    },
    {
      ...common,
      name: 'convolve weights',
      depth: samples * pixels,
      run: () => kernels.convolveGradient(0, units, x.address, dy.address, dw, span, scratch, ...sizes),
      residual: () =>
        residual(
          unpack(bench.floats(dw, 16 * units), [k, filters]),
          k,
          filters,
          samples * pixels,
          (i, p) => under(p, i),
          (p, j) => dy.values[p * filters + j]!,
        ),
    },
    {
      ...common,
      name: 'convolve inputs',
      depth: taps * filters,
      run: () => {
        kernels.flipPanels(0, units, panels, wt, taps, channels, filters)
        kernels.convolve(0, samples, dy.address, wt, 0, dx, scratch, Number.NEGATIVE_INFINITY, ...backward)
      },
      residual: () =>
        residual(
          bench.floats(dx, x.values.length),
          samples * inputs,
          channels,
          taps * filters,
          over,
          (q, c) => w.values[(Math.floor(q / filters) * channels + c) * filters + (q % filters)]!,
        ),
    },
  ]
}
