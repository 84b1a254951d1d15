import type { Layer } from '../../src/layers/define.ts'
import type { Example } from '../cases/example.ts'

// Conditions on a case, under which a library computes something else.

/** The options that they read. */
export interface Options {
  readonly alpha?: number
  readonly axis?: number | readonly number[]
  readonly axes?: number | readonly number[]
  readonly backwardLayer?: Layer
  readonly cell?: Layer | readonly Layer[]
  readonly cells?: readonly Layer[]
  readonly center?: boolean
  readonly cropToAspectRatio?: boolean
  readonly dataFormat?: string
  readonly dilationRate?: number | readonly number[]
  readonly dropout?: number
  readonly height?: number
  readonly interpolation?: string
  readonly kernelSize?: number | readonly number[]
  readonly layer?: Layer
  readonly noiseShape?: readonly (number | null)[] | null
  readonly normalize?: boolean
  readonly outputMode?: string
  readonly padding?: unknown
  readonly poolSize?: number | readonly number[]
  readonly rate?: number
  readonly recurrentActivation?: string | null
  readonly recurrentDropout?: number
  readonly resetAfter?: boolean
  readonly scale?: boolean
  readonly size?: readonly [number, number]
  readonly stddev?: number
  readonly strides?: number | readonly number[] | null
  readonly unroll?: boolean
  readonly width?: number
}

export const isFirst = ({ dataFormat }: Options) => dataFormat === 'channelsFirst'
export const isDilated = ({ dilationRate = 1 }: Options) => [dilationRate].flat().some(rate => rate > 1)
export const some = (value: number | readonly number[], test: (n: number) => boolean) =>
  [value].flat().some(test)

/** The layer in a layer, or in that one. */
export function innermost({ layer }: Options): Layer {
  const { layer: inner } = layer!.config as Options
  return inner ? innermost({ layer: inner }) : layer!
}

/** The cells of a layer, and those stacked in them. */
export function cellsWithin({ cell, cells = [] }: Options): Layer[] {
  const own = [...[cell ?? []].flat(), ...cells]
  return own.flatMap(each => [each, ...cellsWithin(each.config as Options)])
}

/** The sizes along which a layer of three dimensions works. */
const volumeOf = (options: Options, { input }: Example) =>
  isFirst(options) ? input.slice(1) : input.slice(0, 3)

export const sizeAlong = (sizes: number | readonly number[], axis: number) =>
  [sizes].flat()[axis] ?? [sizes].flat()[0]!

/** Whether an image is no smaller than what is cut out of it. */
export const isLarger = ({ height, width }: Options, input: readonly number[]) =>
  input[0]! >= height! && input[1]! >= width!

export const isBilinear = ({ interpolation }: Options, className: string) =>
  className === 'CenterCrop' || interpolation === 'bilinear'

/** Whether the windows of a `same` volume leave places between them out at its end. */
export function leavesOut(options: Options, example: Example): boolean {
  const window = options.poolSize ?? options.kernelSize ?? 2
  const strides = options.strides ?? window
  return (
    options.padding === 'same' &&
    volumeOf(options, example).some((n, axis) => {
      const stride = sizeAlong(strides, axis)
      return (Math.ceil(n / stride) - 1) * stride + sizeAlong(window, axis) < n
    })
  )
}
