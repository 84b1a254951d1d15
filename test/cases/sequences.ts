import { cross, of } from './example.ts'

const layerNormalization = of('layerNormalization')
const normExamples = cross(
  [{}, { center: false }, { scale: false }, { center: false, scale: false }, { epsilon: 0.1 }],
  [[5], [17], [3, 4, 8], [2, 3, 33]],
).map(([options, input]) => layerNormalization(options, input, { samples: 4 }))

const embedding = of('embedding')
const embeddingExamples = [1, 3, 4, 8, 16, 17, 33].map((outputDim, i) =>
  embedding({ inputDim: 1 + 2 * i, outputDim }, [1 + i], { integers: 1 + 2 * i }),
)

/** Examples of the layers that sequences are made for. */
export const sequences = {
  embedding: [
    ...embeddingExamples,
    embedding({ inputDim: 40, outputDim: 5 }, [3, 4], { integers: 40, samples: 2 }),
    embedding({ inputDim: 3, outputDim: 20, inputLength: 50 }, [50], { integers: 3 }),
  ],
  layerNormalization: [
    ...normExamples,
    layerNormalization({ axis: 2 }, [3, 4]),
    layerNormalization({ axis: [-1] }, [40], { samples: 70 }),
  ],
}
