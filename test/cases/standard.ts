import { cross, of } from './example.ts'

const shapes: [axis: unknown, input: readonly number[]][] = [
  [-1, [1]],
  [-1, [5]],
  [1, [17]],
  [-1, [4, 9]],
  [1, [4, 9]],
  [-1, [5, 7, 3]],
  [2, [3, 5, 7]],
  [
    [1, 3],
    [3, 4, 18],
  ],
  [
    [-2, 1],
    [3, 2, 4],
  ],
  [
    [1, 2, 3],
    [3, 2, 4],
  ],
  [
    [2, 3],
    [2, 3, 2, 3, 2],
  ],
  [null, [6]],
  [null, [3, 5, 7]],
]

/** Examples of the layer in src/layers/standard.ts. */
export const standardExamples = {
  normalization: [
    ...cross([false, true], shapes).map(([invert, [axis, input]]) =>
      of('normalization')({ axis, invert }, input),
    ),
    of('normalization')({ mean: 2, variance: 3 }, [4]),
    of('normalization')({ mean: [1, 2], variance: [3, 4] }, [5, 2]),
  ],
}
