import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { caught } from './caught.ts'

const { bidirectional, conv2d, convLstm2d, dense, embedding, gru, inputLayer, lstm, simpleRNN } = ls.layers

test('batchSize, inputDim and inputLength say the shape of the input', () => {
  const given = [
    [dense, { units: 2, inputDim: 3 }],
    [dense, { units: 2, inputDim: 3, batchSize: 4 }],
    [dense, { units: 2, inputDim: 3, inputShape: [5, 6] }],
    [dense, { units: 2, inputShape: [5], batchSize: 7, inputDType: 'int32' }],
    [dense, { units: 2, batchInputShape: [2, 5], batchSize: 7 }],
    [embedding, { inputDim: 9, outputDim: 2, inputLength: 5, batchSize: 3 }],
    [embedding, { inputDim: 9, outputDim: 2, batchSize: 3 }],
    [inputLayer, { inputShape: [5], batchSize: 3 }],
  ] as const
  for (const [make, options] of given) {
    const theirs = make === dense ? tf.layers.dense : make === embedding ? tf.layers.embedding : undefined
    const expected = theirs ? theirs(options as never).batchInputShape : [3, 5]
    expect((make as (options: object) => { batchInputShape?: unknown })(options).batchInputShape).toEqual(
      expected,
    )
  }
  expect(ls.sequential({ layers: [dense({ units: 2, inputDim: 3 })] }).inputShapes).toEqual([[3]])
  expect(ls.input({ shape: [3], dtype: 'int32' }).shape).toEqual([null, 3])
})

test.each([
  [{ batchSize: 0 }, 'RangeError: Dense: batchSize must be a positive integer, got 0'],
  [{ inputDim: -1 }, 'RangeError: Dense: inputDim must be a positive integer, got -1'],
  [
    { weights: 3 },
    'TypeError: Dense: weights must be an array of tensors, got 3; give what getWeights() gives',
  ],
  [
    { inputDType: 'int3' },
    'RangeError: Dense: inputDType must be one of "float32", "int32", "bool", got "int3"; did you mean "int32"?',
  ],
  [{ dtype: 'int32' }, 'RangeError: Dense: dtype must be "float32", got "int32"; leave it out'],
])('%o is refused', async (options, message) => {
  expect(await caught(() => dense({ units: 1, ...options } as never))).toBe(message)
})

test('weights are the first values, in stacks and graphs', async () => {
  const kernel = ls.tensor([1, 2, 3, 4, 5, 6], [3, 2])
  const bias = new Float32Array([7, 8])
  const stack = ls.sequential({ layers: [dense({ units: 2, inputShape: [3], weights: [kernel, bias] })] })
  const input = ls.input({ shape: [3] })
  const layer = dense({ units: 2, weights: [kernel, bias] })
  const graph = ls.model({ inputs: input, outputs: layer.apply(input) })
  for (const model of [stack, graph]) {
    expect(model.getWeights().map(each => each.arraySync())).toEqual([kernel.arraySync(), [7, 8]])
    expect((model.predict(ls.tensor([1, 0, 0], [1, 3])) as ls.Tensor).arraySync()).toEqual([[8, 10]])
  }
  const [forward, backward] = [gru({ units: 2 }), gru({ units: 2 })]
  const x = ls.input({ shape: [4, 3] })
  const made = [forward, backward].map(each => ls.model({ inputs: x, outputs: each.apply(x) }).getWeights())
  const both = bidirectional({ layer: gru({ units: 2 }), weights: made.flat(), inputShape: [4, 3] })
  const found = ls.sequential({ layers: [both] }).getWeights()
  expect(found.map(each => each.dataSync())).toEqual(made.flat().map(each => each.dataSync()))
  const message = await caught(() => dense({ units: 2, weights: [kernel], name: 'one' }).apply(input))
  expect(message).toBe(
    'RangeError: one: setWeights: there must be 2 weights, got 1; give those of getWeights()',
  )
})

test('null is no activation in layers of gates, and the default in simpleRNN', () => {
  const options = { units: 2, activation: null, recurrentActivation: null }
  const of = (layer: { config: object }) =>
    Object.entries(layer.config).filter(([name]) => /activation$/i.test(name))
  expect(of(lstm(options))).toEqual([
    ['activation', 'linear'],
    ['recurrentActivation', 'linear'],
  ])
  for (const [name, make] of Object.entries({ simpleRNN, gru, lstm, dense })) {
    const given = { units: 2, activation: null as never }
    // TensorFlow.js adds to what it is given.
    const theirs = tf.layers[name as 'gru']({ ...given } as never).getConfig()
    expect((make as typeof dense)(given).getConfig().activation ?? 'linear', name).toBe(theirs.activation)
  }
  expect(convLstm2d({ filters: 1, kernelSize: 1, activation: null }).config.activation).toBe('linear')
})

test('getConfig, outputShape and computeOutputShape are those of TensorFlow.js', () => {
  const options = { filters: 3, kernelSize: 2, padding: 'same', name: 'c', inputShape: [5, 4, 2] } as const
  const [ours, theirs] = [conv2d(options), tf.layers.conv2d({ ...options, inputShape: [5, 4, 2] })]
  const { kernelConstraint: _, ...config } = theirs.getConfig()
  const own = ours.getConfig()
  for (const name of [
    'name',
    'trainable',
    'batchInputShape',
    'dtype',
    'filters',
    'padding',
    'kernelInitializer',
  ])
    expect(own[name], name).toEqual(config[name])
  expect(own.kernelInitializer).toMatchObject({ className: expect.any(String), config: expect.any(Object) })

  for (const shape of [
    [null, 5, 4, 2],
    [8, 7, 6, 1],
  ])
    expect(ours.computeOutputShape(shape)).toEqual(theirs.computeOutputShape(shape))
  // It has made no weights of that shape.
  expect(ours.weights).toEqual([])
  const added = ls.layers.add({})
  const shapes = [
    [null, 3],
    [null, 3],
  ]
  expect(added.computeOutputShape(shapes)).toEqual([null, 3])
  expect(() => ours.outputShape).toThrow('c: the layer must be in a model, with outputs of one shape, got 0')

  const model = ls.sequential({ layers: [ours, ls.layers.flatten({})] })
  tf.sequential({ layers: [theirs] })
  expect(ours.outputShape).toEqual(theirs.outputShape)
  expect(model.layers[1]!.outputShape).toEqual([null, 60])
  model.pop()
  const wide = lstm({ units: 3, returnState: true })
  wide.apply(ls.input({ batchShape: [2, 4, 5] }))
  expect(wide.outputShape).toEqual([
    [2, 3],
    [2, 3],
    [2, 3],
  ])
  wide.apply(ls.input({ batchShape: [3, 4, 5] }))
  expect(() => wide.outputShape).toThrow('got 2; ask computeOutputShape()')
  const nested = bidirectional({ layer: lstm({ units: 3 }) })
  expect(nested.computeOutputShape([null, 4, 5])).toEqual([null, 6])
  expect(nested.computeOutputShape([null, 4, 2])).toEqual([null, 6])
  expect(nested.getConfig().layer).toMatchObject({
    className: 'LSTM',
    config: { units: 3, name: expect.any(String) },
  })
})

test('a constraint that a layer does not have is refused', async () => {
  const json = JSON.parse(
    ls.sequential({ layers: [ls.layers.flatten({ inputShape: [2], name: 'f' })] }).toJSON() as string,
  )
  const config = json.config?.layers?.[0]?.config ?? json.model_config?.config?.layers?.[0]?.config
  config.kernel_constraint = null
  await ls.models.modelFromJSON(json)
  config.kernel_constraint = { class_name: 'NonNeg', config: {} }
  expect(await caught(() => ls.models.modelFromJSON(json))).toContain(
    'loadLayersModel: Flatten must not have option "kernelConstraint"',
  )
})

test.each(['model/trainable', 'model/functional', 'layers/layer', 'layers/composite', 'model/saving'])(
  '%s can be the first that is imported',
  async name => {
    const { execFileSync } = await import('node:child_process')
    const url = new URL(`../src/${name}.ts`, import.meta.url)
    execFileSync(process.execPath, ['--input-type=module', '-e', `await import('${url}')`], { stdio: 'pipe' })
  },
)
