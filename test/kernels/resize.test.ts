import { expect, test } from 'vitest'
import { noise, relativeError } from '../bed.ts'
import { prove } from './trial.ts'

/** height, width, outHeight, outWidth. */
const geometries = [
  [3, 4, 6, 12],
  [1, 5, 4, 10],
  [5, 1, 5, 3],
  [7, 9, 3, 4],
  [4, 6, 7, 5],
  [49, 2, 98, 1],
  [2, 3, 1, 1],
] as const
const channelCounts = [1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33]
const samples = 2
const cases = geometries.flatMap(([height, width, outHeight, outWidth]) =>
  [false, true].map(corners => ({ height, width, outHeight, outWidth, corners })),
)

type Share = [from: number, weight: number]

/** Pixels of one axis that output i is made of, and their weights. */
function shares(i: number, size: number, [rise, fall]: Pair, nearest: boolean, round: boolean): Share[] {
  if (nearest) return [[Math.min(size - 1, Math.floor((i * rise + (round ? fall / 2 : 0)) / fall)), 1]]
  const before = Math.floor((i * rise) / fall)
  const weight = ((i * rise) % fall) / fall
  return [
    [Math.min(before, size - 1), 1 - weight],
    [Math.min(before + 1, size - 1), weight],
  ]
}

type Pair = [number, number]
const pace = (size: number, out: number, corners: boolean): Pair =>
  corners && out > 1 ? [size - 1, out - 1] : [size, out]

for (const kind of ['resizeNearest', 'resizeBilinear'] as const) {
  test.each(cases)(
    `${kind} $height × $width → $outHeight × $outWidth, corners $corners`,
    ({ height, width, outHeight, outWidth, corners }) => {
      const [rows, columns] = [pace(height, outHeight, corners), pace(width, outWidth, corners)]
      const round = Number(corners)
      for (const channels of channelCounts) {
        const sizes = [height, width, channels, outHeight, outWidth, ...rows, ...columns] as const
        const x = noise(samples * height * width * channels, 3)
        const dy = noise(samples * outHeight * outWidth * channels, 4)
        const wantedY = new Float64Array(dy.length)
        const wantedDx = new Float64Array(x.length)
        for (let i = 0; i < dy.length; i++) {
          const [pixel, c] = [Math.floor(i / channels), i % channels]
          const [line, s] = [Math.floor(pixel / outWidth), Math.floor(pixel / outWidth / outHeight)]
          const nearest = kind === 'resizeNearest'
          for (const [row, down] of shares(line % outHeight, height, rows, nearest, corners)) {
            for (const [column, across] of shares(pixel % outWidth, width, columns, nearest, corners)) {
              const at = ((s * height + row) * width + column) * channels + c
              wantedY[i]! += x[at]! * down * across
              wantedDx[at]! += dy[i]! * down * across
            }
          }
        }
        const [y] = prove({
          inputs: [x],
          outputs: [dy.length],
          units: samples,
          call: (k, begin, end, [x], [y]) => k[kind](begin, end, x!, y!, ...sizes, round),
        })
        expect(relativeError(y!, wantedY)).toBeLessThan(5e-7)
        const [dx] = prove({
          inputs: [dy],
          outputs: [x.length],
          units: samples,
          call: (k, begin, end, [dy], [dx]) => k[`${kind}Gradient`](begin, end, dy!, dx!, ...sizes, round),
        })
        expect(relativeError(dx!, wantedDx)).toBeLessThan(2e-6)
      }
    },
  )
}
