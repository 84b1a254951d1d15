import { cross, of, weightSettings } from './example.ts'

const shapes = [[1], [17], [3, 5], [2, 3, 4]]
const [prelu, softmax] = [of('prelu'), of('softmax')]

/** Examples of the layers in src/layers/activations.ts. */
export const activationLayerExamples = {
  elu: cross([{}, { alpha: 0.3 }, { alpha: 2 }, { alpha: 0 }], shapes).map(([options, input]) =>
    of('elu')(options, input),
  ),
  leakyReLU: [
    of('leakyReLU')({}, [17]),
    of('leakyReLU')({ alpha: 0 }, [3, 5]),
    of('leakyReLU')({ alpha: 1.5 }, [2, 3, 5]),
  ],
  prelu: [
    ...cross([1, 3, 8, 16, 17, 40], [null, [1], 1]).map(([n, sharedAxes]) => prelu({ sharedAxes }, [n])),
    ...cross(
      [
        [3, 5],
        [5, 18],
        [4, 1],
      ],
      [null, [1], [2], [1, 2]],
    ).map(([input, sharedAxes]) => prelu({ sharedAxes }, input)),
    ...cross(
      [
        [2, 3, 5],
        [3, 2, 17],
      ],
      [null, [1, 2], [3], [2], [1, 3], [1, 2, 3], [2, 3]],
    ).map(([input, sharedAxes]) => prelu({ sharedAxes }, input, { samples: 2 })),
    prelu(weightSettings('prelu'), [2, 5]),
    ...[null, [2, 4], [5], [1, 3]].map(sharedAxes => prelu({ sharedAxes }, [2, 3, 2, 2, 3], { samples: 2 })),
  ],
  reLU: cross([{}, { maxValue: 1 }, { maxValue: 0.5 }], shapes).map(([options, input]) =>
    of('reLU')(options, input),
  ),
  softmax: [
    ...[{}, { axis: 1 }, { axis: -1 }].map(options => softmax(options, [7])),
    ...[{}, { axis: 1 }, { axis: 2 }, { axis: [1, 2] }, { axis: [-1] }].map(options =>
      softmax(options, [4, 5]),
    ),
    ...[1, 2, 3, -3, [1, 2], [2, 3], [1, 3], [3, 1, 2]].map(axis =>
      softmax({ axis }, [3, 4, 9], { samples: 2 }),
    ),
    softmax({ axis: [2, 4] }, [2, 3, 2, 3, 2], { samples: 2 }),
  ],
  thresholdedReLU: cross([{}, { theta: 0.3 }, { theta: -0.5 }], shapes).map(([options, input]) =>
    of('thresholdedReLU')(options, input),
  ),
}
