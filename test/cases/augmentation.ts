import { cross, of } from './example.ts'

const images = [
  [5, 6, 1],
  [6, 4, 3],
  [3, 5, 9],
]
const fillModes = ['reflect', 'wrap', 'nearest', 'constant']
const samplings = cross(fillModes, ['bilinear', 'nearest']).map(([fillMode, interpolation]) => ({
  fillMode,
  interpolation,
  fillValue: 0.5,
}))
/** Every sampling on one image, and every image with the defaults. */
const sampled = (name: 'randomRotation' | 'randomZoom' | 'randomTranslation', options: object) => [
  ...samplings.map(sampling => of(name)({ ...options, ...sampling }, [5, 6, 2], { samples: 4 })),
  ...images.map(image => of(name)({ ...options, seed: 7 }, image)),
]
const bright = { samples: 5, spread: 1 }

/** Examples of the layers in src/layers/augmentation.ts and appearance.ts. */
export const augmentationExamples = {
  randomBrightness: cross([0.3, [-0.4, -0.1], 1], images).map(([factor, image]) =>
    of('randomBrightness')({ factor, valueRange: [-1, 1], seed: 7 }, image, bright),
  ),
  randomContrast: cross([0.5, [0.3, 0.9], 1], images).map(([factor, image]) =>
    of('randomContrast')({ factor, valueRange: [-0.8, 0.9], seed: 7 }, image, { samples: 3, spread: 1 }),
  ),
  randomCrop: cross(
    [
      [2, 3],
      [3, 4],
      [7, 9],
    ],
    images,
  ).map(([[height, width], image]) => of('randomCrop')({ height, width, seed: 7 }, image, { samples: 4 })),
  randomErasing: cross(
    [{}, { fillValue: 0.25 }, { factor: 0.5, scale: [0.3, 0.9] }, { factor: [0.2, 0.8], scale: [1, 1] }],
    images,
  ).map(([options, image]) =>
    of('randomErasing')({ valueRange: [-1, 1], seed: 7, ...options }, image, { samples: 6 }),
  ),
  randomFlip: cross([{}, { mode: 'horizontal' }, { mode: 'vertical', seed: 7 }], images).map(
    ([options, image]) => of('randomFlip')(options, image, { samples: 6 }),
  ),
  randomRotation: [
    ...sampled('randomRotation', { factor: 0.3 }),
    of('randomRotation')({ factor: [0.24, 0.25] }, [7, 7, 2]),
  ],
  randomTranslation: [
    ...sampled('randomTranslation', { heightFactor: 0.6, widthFactor: [-0.3, 0.9] }),
    of('randomTranslation')({ heightFactor: [0.1, 0.2], widthFactor: 0 }, [1, 1, 4]),
  ],
  randomWidth: cross(['bilinear', 'nearest'], images).map(([interpolation, image]) =>
    of('randomWidth')({ factor: [-0.5, 0.6], interpolation, seed: 7 }, image, { samples: 4 }),
  ),
  randomZoom: [
    ...sampled('randomZoom', { heightFactor: [-0.6, 0.9] }),
    ...sampled('randomZoom', { heightFactor: 0.3, widthFactor: [0.2, 2] }),
  ],
}
