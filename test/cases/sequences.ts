import { cross, of } from './example.ts'

const layerNormalization = of('layerNormalization')
const normExamples = cross(
  [{}, { center: false }, { scale: false }, { center: false, scale: false }, { epsilon: 0.1 }],
  [[5], [17], [3, 4, 8], [2, 3, 33]],
).map(([options, input]) => layerNormalization(options, input, { samples: 4 }))

/** Examples of the layers that sequences are made for. */
export const sequences = {
  layerNormalization: [
    ...normExamples,
    layerNormalization({ axis: 2 }, [3, 4]),
    layerNormalization({ axis: [-1] }, [40], { samples: 70 }),
  ],
}
