import { cross, of } from './example.ts'

const images = [
  [6, 9, 1],
  [5, 5, 3],
  [7, 4, 9],
]
const tokens = { centre: 2.5, spread: 2.5 }

/** Examples of the layers in src/layers/preprocessing.ts. */
export const preprocessingExamples = {
  categoryEncoding: [
    ...cross(['multiHot', 'oneHot', 'count'], [[1], [4], [3, 2], [3, 1]]).map(([outputMode, input]) =>
      of('categoryEncoding')({ numTokens: 5, outputMode }, input, tokens),
    ),
    of('categoryEncoding')({ numTokens: 17 }, [9], tokens),
  ],
  centerCrop: cross(
    [
      [2, 3],
      [5, 4],
      [4, 5],
      [8, 10],
    ],
    images,
  ).map(([[height, width], input]) => of('centerCrop')({ height, width }, input, { samples: 2 })),
  rescaling: [
    of('rescaling')({ scale: 0.5 }, [7]),
    of('rescaling')({ scale: -2, offset: 0.25 }, [3, 17]),
    of('rescaling')({ scale: 3, offset: -1 }, [2, 3, 4]),
  ],
  resizing: cross(
    cross(['bilinear', 'nearest'], [false, true]),
    cross(
      [
        [3, 3],
        [8, 12],
        [4, 9],
      ],
      images,
    ),
  ).map(([[interpolation, cropToAspectRatio], [[height, width], input]]) =>
    of('resizing')({ height, width, interpolation, cropToAspectRatio }, input, { samples: 2 }),
  ),
}
