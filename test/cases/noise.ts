import { cross, of } from './example.ts'

const shapes = [[7], [17], [3, 4, 5]]
const rates = [0, 0.3, 0.8]

/** Draws shared along axes, with inputs of that rank. */
const shared = [
  [[null, 9], [9]],
  [[1, null], [9]],
  [[null, 1], [9]],
  [
    [null, 1, null],
    [5, 6],
  ],
  [
    [null, null, 1],
    [5, 6],
  ],
  [
    [1, 5, 1],
    [5, 6],
  ],
  [
    [null, 1, null, 1, 3],
    [2, 3, 4, 3],
  ],
  [
    [null, null, 1, 1, 1, null],
    [2, 2, 3, 2, 3],
  ],
] as const

/** Examples of the layers in src/layers/noise.ts. */
export const noiseExamples = {
  alphaDropout: [
    ...cross(rates, shapes).map(([rate, input]) => of('alphaDropout')({ rate }, input)),
    ...shared.map(([noiseShape, input]) => of('alphaDropout')({ rate: 0.4, noiseShape }, input)),
  ],
  dropout: [
    of('dropout')({ rate: 0 }, [7]),
    of('dropout')({ rate: 0.3 }, [17]),
    of('dropout')({ rate: 0.5 }, [3, 4, 5], { samples: 5 }),
    of('dropout')({ rate: 0.9, seed: 4 }, [40]),
    ...shared.map(([noiseShape, input]) => of('dropout')({ rate: 0.4, noiseShape }, input)),
  ],
  gaussianDropout: cross(rates, shapes).map(([rate, input]) => of('gaussianDropout')({ rate }, input)),
  gaussianNoise: cross([0, 0.1, 2], shapes).map(([stddev, input]) => of('gaussianNoise')({ stddev }, input)),
  spatialDropout1d: cross(rates, [
    [1, 5],
    [4, 1],
    [5, 17],
  ]).map(([rate, input]) => of('spatialDropout1d')({ rate, seed: 7 }, input)),
}
