import * as tf from '@tensorflow/tfjs'
import * as ls from '../../../src/index.ts'
import type { Layer } from '../../../src/layers/define.ts'
import { noise } from '../../bed.ts'
import { type Fault, flat, ourLayer, outcome, predicted, theirLayer, trainable, trained } from './evidence.ts'

const built = (name: string, options: object, shape: readonly number[]) => {
  const layer = theirLayer(name, options)
  layer.build([null as unknown as number, ...shape])
  return layer
}

/** One element of a layer's saved form, in both libraries. */
const saved = (name: string, options: object, key: string) => ({
  theirs: String(JSON.stringify(theirLayer(name, options).getConfig()[key] ?? null)),
  ours: JSON.stringify(ourLayer(name, options).config[key]),
})

/** How many different masks a seeded dropout draws in four steps. */
async function masksDrawn(): Promise<{ theirs: number[]; ours: number[] }> {
  const layer = tf.layers.dropout({ rate: 0.5, seed: 3 })
  const ones = tf.ones([1, 64])
  const draws = [1, 2, 3, 4].map(() => String(flat(layer.apply(ones, { training: true }) as tf.Tensor)))
  // Of a kernel of ones the step takes away what was not dropped: 0.1 · 2 · (y − target).
  const model = ls.sequential({
    layers: [
      ls.layers.dropout({ rate: 0.5, seed: 3, inputShape: [64] }),
      ls.layers.dense({ units: 1, useBias: false }),
    ],
  })
  model.compile({ optimizer: ls.train.sgd(0.1), loss: 'meanSquaredError' })
  const steps: string[] = []
  for (let step = 0; step < 4; step++) {
    model.setWeights([ls.tensor(new Float32Array(64).fill(1), [64, 1])])
    await model.trainOnBatch(ls.tensor(new Float32Array(64).fill(1), [1, 64]), ls.tensor([-1], [1, 1]))
    const w = model.getWeights()[0]!.dataSync() as Float32Array
    steps.push(String(Array.from(w, value => value === 1)))
  }
  model.dispose()
  return { theirs: [new Set(draws).size], ours: [new Set(steps).size] }
}

/** A dense layer's weights after a step, its output (3) joined with (2, 3). */
async function joined(name: 'maximum' | 'minimum') {
  const [a, b, w, target] = [noise(3, 1), noise(6, 2), noise(9, 3), noise(6, 4)]
  const pick = name === 'maximum' ? Math.max : Math.min
  const lossOf = (kernel: Float64Array) =>
    b.reduce((sum, other, i) => {
      const y = [0, 1, 2].reduce((dot, k) => dot + a[k]! * kernel[k * 3 + (i % 3)]!, 0)
      return sum + (pick(y, other) - target[i]!) ** 2 / 6
    }, 0)
  const wide = Float64Array.from(w)
  const expected = wide.map((value, i) => {
    const [above, below] = [value + 1e-5, value - 1e-5].map(moved => lossOf(wide.with(i, moved)))
    return value - (above! - below!) / 2e-5
  })
  const theirs = await outcome(async () => {
    const inputs = [tf.input({ shape: [3] }), tf.input({ shape: [2, 3] })] as const
    const dense = tf.layers.dense({ units: 3, useBias: false }).apply(inputs[0]) as tf.SymbolicTensor
    const outputs = theirLayer(name, {}).apply([dense, inputs[1]]) as tf.SymbolicTensor
    const model = tf.model({ inputs: [...inputs], outputs })
    model.setWeights([tf.tensor(w, [3, 3])])
    model.compile({ optimizer: tf.train.sgd(1), loss: 'meanSquaredError' })
    await model.trainOnBatch([tf.tensor(a, [1, 3]), tf.tensor(b, [1, 2, 3])], tf.tensor(target, [1, 2, 3]))
    return flat(model.getWeights())
  })
  const inputs = [ls.input({ shape: [3] }), ls.input({ shape: [2, 3] })] as const
  const dense = ls.layers.dense({ units: 3, useBias: false }).apply(inputs[0]) as ls.SymbolicTensor
  const model = ls.model({ inputs: [...inputs], outputs: ourLayer(name, {}).apply([dense, inputs[1]]) })
  model.setWeights([ls.tensor(w, [3, 3])])
  model.compile({ optimizer: ls.train.sgd(1), loss: 'meanSquaredError' })
  await model.trainOnBatch([ls.tensor(a, [1, 3]), ls.tensor(b, [1, 2, 3])], ls.tensor(target, [1, 2, 3]))
  const ours = model.getWeights()[0]!.dataSync() as Float32Array
  model.dispose()
  return { theirs, expected, ours }
}

/** A sequence of three steps, joined from two: each masks another one; the mean over the steps that count. */
function meanOfJoined() {
  const [a, b] = [
    [1, 2, -1],
    [3, -1, 4],
  ] as const
  const mask = tf.layers
    .add()
    .computeMask(
      [tf.tensor(a, [1, 3, 1]), tf.tensor(b, [1, 3, 1])],
      [tf.tensor([[1, 1, 0]], [1, 3], 'bool'), tf.tensor([[1, 0, 1]], [1, 3], 'bool')],
    ) as tf.Tensor
  const inputs = [ls.input({ shape: [3, 1] }), ls.input({ shape: [3, 1] })] as const
  const masked = inputs.map(x => ls.layers.masking({ maskValue: -1 }).apply(x) as ls.SymbolicTensor)
  const outputs = ls.layers
    .globalAveragePooling1d({})
    .apply(ls.layers.add({}).apply(masked) as ls.SymbolicTensor)
  const model = ls.model({ inputs: [...inputs], outputs })
  const y = model.predict([ls.tensor([...a], [1, 3, 1]), ls.tensor([...b], [1, 3, 1])])
  const ours = [...(y as ls.Tensor).dataSync()] as number[]
  model.dispose()
  const counted = Array.from(mask.dataSync())
  const sum = counted.reduce(
    (total, counts, i) => total + (counts ? Math.max(a[i]!, 0) + Math.max(b[i]!, 0) : 0),
    0,
  )
  return { theirs: [sum / counted.filter(Boolean).length], expected: [4], ours }
}

export const layerFaults = {
  conv1dChannelsFirst: {
    says: '`conv1d` takes `channelsFirst` for `channelsLast`.',
    show: () => predicted('conv1d', { filters: 2, kernelSize: 2, dataFormat: 'channelsFirst' }, [4, 4]),
  },
  conv1dCausal: {
    says: '`conv1d` throws for padding `causal`.',
    show: () => predicted('conv1d', { filters: 2, kernelSize: 2, padding: 'causal' }, [5, 3]),
  },
  separableChannelsFirst: {
    says: '`separableConv2d` with `channelsFirst` adds the bias to the wrong axis.',
    show: () =>
      predicted('separableConv2d', { filters: 2, kernelSize: 2, dataFormat: 'channelsFirst' }, [3, 4, 4]),
  },
  eluAlpha: {
    says: '`elu` throws for every `alpha` but 1.',
    show: () => predicted('elu', { alpha: 0.5 }, [6]),
  },
  softmaxAxis: {
    says: '`softmax` throws for every `axis` but the last, though its default is 1.',
    show: () => predicted('softmax', { axis: 1 }, [3, 4]),
  },
  volumesLeftOut: {
    says: 'Pooling of volumes with padding `same` and windows smaller than the strides leaves out where a volume begins.',
    show: () => predicted('maxPooling3d', { poolSize: 1, strides: 2, padding: 'same' }, [4, 4, 4, 1]),
  },
  volumeGradient: {
    says: 'The gradient of `maxPooling3d` mistakes the place of the maximum where height and width of the window differ.',
    show: () => trained('maxPooling3d', { poolSize: [1, 2, 3], strides: 1 }, [2, 4, 4, 2]),
  },
  equalMaxima: {
    says: 'Of several equal maxima, global max pooling gives each the whole gradient.',
    async show() {
      // Of (max(w, w))², with w = 1 and a rate of 0.1.
      const layersOf = (make: (name: string, options: object) => unknown) => [
        make('dense', { units: 1, useBias: false, kernelInitializer: 'ones', inputShape: [2, 1] }),
        make('globalMaxPooling1d', {}),
      ]
      const theirs = tf.sequential({ layers: layersOf(theirLayer) as tf.layers.Layer[] })
      theirs.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' })
      await theirs.trainOnBatch(tf.ones([1, 2, 1]), tf.zeros([1, 1]))
      const ours = ls.sequential({ layers: layersOf(ourLayer) as Layer[] })
      ours.compile({ optimizer: ls.train.sgd(0.1), loss: 'meanSquaredError' })
      await ours.trainOnBatch(ls.ones([1, 2, 1]), ls.zeros([1, 1]))
      const found = ours.getWeights()[0]!.dataSync()
      ours.dispose()
      return { theirs: flat(theirs.getWeights()), expected: [0.8], ours: found }
    },
  },
  untrainedBatchNormalization: {
    says: '`batchNormalization` without `center` or `scale` cannot be trained.',
    show: () => trainable('batchNormalization', { scale: false }, [3]),
  },
  untrainedLayerNormalization: {
    says: 'Nor can `layerNormalization`.',
    show: () => trainable('layerNormalization', { center: false }, [3]),
  },
  untrainedStep: {
    says: 'Recurrent layers cannot be trained on sequences of one step.',
    show: () => trainable('simpleRNN', { units: 2 }, [1, 3]),
  },
  untrainedThreshold: {
    says: 'Nothing below a `thresholdedReLU` can be trained.',
    show: () => trainable('thresholdedReLU', { theta: 0.1 }, [4]),
  },
  untrainedMasking: {
    says: 'Nothing below a `masking` can be trained.',
    show: () => trainable('masking', {}, [3, 4]),
  },
  concatenateAxis: {
    says: '`concatenate` joins the last axis for every negative `axis`.',
    show() {
      const [a, b] = [noise(6, 1), noise(6, 2)]
      const join = tf.layers.concatenate({ axis: -2 })
      const theirs = join.apply([tf.tensor(a, [1, 2, 3]), tf.tensor(b, [1, 2, 3])]) as tf.Tensor
      const inputs = [ls.input({ shape: [2, 3] }), ls.input({ shape: [2, 3] })]
      const model = ls.model({ inputs, outputs: ls.layers.concatenate({ axis: -2 }).apply(inputs) })
      const y = model.predict([ls.tensor(a, [1, 2, 3]), ls.tensor(b, [1, 2, 3])]) as ls.Tensor
      const ours = y.dataSync() as Float32Array
      model.dispose()
      return { theirs: theirs.dataSync(), expected: [...a, ...b], ours }
    },
  },
  centerCrop: {
    says: '`centerCrop` starts a column late where one too many is to be cut.',
    show: () => predicted('centerCrop', { height: 2, width: 2 }, [3, 3, 1]),
  },
  sizesOfImages: {
    says: 'In a model, `centerCrop` and `resizing` must be given images that have the size they make.',
    async show() {
      const [options, inputShape] = [{ height: 2, width: 2 }, [4, 4, 1]]
      const values = noise(16, 1)
      const theirs = tf.sequential({ layers: [tf.layers.centerCrop({ ...options, inputShape: [4, 4, 1] })] })
      const ours = ls.sequential({ layers: [ls.layers.centerCrop({ ...options, inputShape })] })
      const found = ours.predict(ls.tensor(values, [1, ...inputShape])).dataSync() as Float32Array
      ours.dispose()
      return {
        theirs: await outcome(() => flat(theirs.predict(tf.tensor(values, [1, ...inputShape])))),
        expected: [5, 6, 9, 10].map(i => values[i]!),
        ours: found,
      }
    },
  },
  resizing: {
    says: '`resizing` ignores `cropToAspectRatio`.',
    show: () => predicted('resizing', { height: 2, width: 2, cropToAspectRatio: true }, [2, 6, 1]),
  },
  depthwiseDilation: {
    says: '`depthwiseConv2d` ignores `dilationRate`.',
    show: () => predicted('depthwiseConv2d', { kernelSize: 2, dilationRate: 2 }, [5, 5, 2]),
  },
  depthwiseConstraint: {
    says: '`depthwiseConv2d` saves its regularizer as its constraint.',
    show: () => ({
      ...saved('depthwiseConv2d', { kernelSize: 2, depthwiseRegularizer: 'l1l2' }, 'depthwiseConstraint'),
      expected: 'null',
    }),
  },
  pointwiseInitializer: {
    says: '`separableConv2d` ignores `pointwiseInitializer`: it takes the `depthwiseInitializer` for both.',
    show() {
      const initializers = { depthwiseInitializer: 'ones', pointwiseInitializer: 'zeros' }
      const options = { filters: 2, kernelSize: 2, ...initializers }
      const theirs = built('separableConv2d', options, [4, 4, 1]).getWeights()[1]!.dataSync()
      const model = ls.sequential({
        layers: [ourLayer('separableConv2d', { ...options, inputShape: [4, 4, 1] })],
      })
      const ours = model.getWeights()[1]!.dataSync() as Float32Array
      model.dispose()
      return { theirs, expected: [0, 0], ours }
    },
  },
  depthMultiplier: {
    says: '`separableConv2d` does not save `depthMultiplier`: read again, the model does not fit its weights.',
    show: () => ({
      ...saved('separableConv2d', { filters: 2, kernelSize: 2, depthMultiplier: 2 }, 'depthMultiplier'),
      expected: '2',
    }),
  },
  conv3dTranspose: {
    says: '`conv3dTranspose` has no gradient.',
    show: () => trained('conv3dTranspose', { filters: 1, kernelSize: 2 }, [2, 2, 2, 2]),
  },
  dilatedGradient: {
    says: 'Dilated convolutions have no gradient.',
    show: () => trained('conv2d', { filters: 2, kernelSize: 2, dilationRate: 2 }, [4, 4, 2]),
  },
  averagePoolingGradient: {
    says: 'The gradient of average pooling with padding `same` divides by the whole window, the mean by what lies inside.',
    show: () => trained('averagePooling2d', { poolSize: 2, strides: 1, padding: 'same' }, [3, 3, 2]),
  },
  nearestGradient: {
    says: 'The gradient of `upSampling2d` to nearest pixels is wrong past the first sample.',
    show: () => trained('upSampling2d', { size: [2, 2] }, [2, 2, 2]),
  },
  bilinearGradient: {
    says: 'The gradient of bilinear `upSampling2d` mixes up height and width where they differ.',
    show: () => trained('upSampling2d', { size: [2, 2], interpolation: 'bilinear' }, [2, 4, 2]),
  },
  maximumGradient: {
    says: 'The gradient of a `maximum` of inputs that it broadcasts is not summed, and cannot be used.',
    show: () => joined('maximum'),
  },
  minimumGradient: {
    says: 'So is that of a `minimum`.',
    show: () => joined('minimum'),
  },
  joinedMask: {
    says: 'Of two masks, a layer that joins its inputs hands on the first; ours counts what all inputs count.',
    show: meanOfJoined,
  },
  seededDropout: {
    says: '`dropout` with a `seed` drops the same elements in every step.',
    show: async () => ({ ...(await masksDrawn()), expected: [4] }),
  },
  randomWidth: {
    says: '`randomWidth` changes the width of images outside training too.',
    async show() {
      const layer = tf.layers.randomWidth({ factor: [0.5, 0.5] })
      const theirs = [(layer.apply(tf.ones([1, 2, 10, 1])) as tf.Tensor).shape[2]!]
      const inputShape = [2, 10, 1]
      const model = ls.sequential({ layers: [ls.layers.randomWidth({ factor: [0.5, 0.5], inputShape })] })
      const ours = [model.predict(ls.tensor(new Float32Array(20), [1, ...inputShape])).shape[2]!]
      model.dispose()
      return { theirs, expected: [10], ours }
    },
  },
} satisfies Record<string, Fault>
