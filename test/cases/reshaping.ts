import { cross, of } from './example.ts'

const formats = ['channelsLast', 'channelsFirst'] as const
const interpolations = ['nearest', 'bilinear'] as const

const edges = [
  0,
  1,
  [2, 1],
  [
    [1, 0],
    [0, 2],
  ],
  [
    [0, 2],
    [3, 1],
  ],
] as const
const images = [
  [5, 6, 1],
  [6, 7, 3],
  [5, 8, 9],
] as const

const permute = of('permute')

/** Examples of the layers in src/layers/reshaping.ts. */
export const reshapingExamples = {
  cropping2D: cross(formats, cross(edges, images)).map(
    ([dataFormat, [cropping, [height, width, channels]]]) => {
      const input = dataFormat === 'channelsLast' ? [height, width, channels] : [channels, height, width]
      return of('cropping2D')({ cropping, dataFormat }, input, { samples: 2 })
    },
  ),
  permute: [
    permute({ dims: [1] }, [7]),
    ...cross(
      [
        [1, 2],
        [2, 1],
      ],
      [
        [3, 5],
        [9, 4],
        [17, 8],
        [1, 6],
      ],
    ).map(([dims, input]) => permute({ dims }, input)),
    ...[
      [1, 2, 3],
      [1, 3, 2],
      [2, 1, 3],
      [2, 3, 1],
      [3, 1, 2],
      [3, 2, 1],
    ].flatMap(dims => [
      permute({ dims }, [3, 4, 5], { samples: 2 }),
      permute({ dims }, [9, 1, 8], { samples: 1 }),
    ]),
    permute({ dims: [3, 1, 4, 2] }, [2, 3, 4, 5], { samples: 2 }),
    permute({ dims: [4, 2, 5, 3, 1] }, [2, 3, 2, 3, 4], { samples: 2 }),
  ],
  repeatVector: cross([1, 2, 5], [1, 4, 17]).map(([n, k]) => of('repeatVector')({ n }, [k])),
  upSampling2d: [
    ...cross(cross(formats, interpolations), [
      [1, 1],
      [2, 2],
      [2, 3],
      [1, 4],
    ]).flatMap(([[dataFormat, interpolation], size]) => {
      const options = { size, dataFormat, interpolation }
      return [
        [3, 4, 3],
        [1, 5, 4],
        [4, 2, 9],
      ].map(input => of('upSampling2d')(options, input, { samples: 2 }))
    }),
    of('upSampling2d')({}, [3, 2, 17]),
  ],
  zeroPadding2d: [
    of('zeroPadding2d')({}, [4, 5, 3]),
    ...cross(formats, cross(edges, images)).map(([dataFormat, [padding, input]]) =>
      of('zeroPadding2d')({ padding, dataFormat }, input, { samples: 2 }),
    ),
  ],
}
