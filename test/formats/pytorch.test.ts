import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fromPyTorch, type ModuleOptions, type PyTorchOptions } from '../../src/formats/pytorch.ts'
import { readSafetensors } from '../../src/formats/safetensors.ts'
import * as ls from '../../src/index.ts'
import { relativeError } from '../bed.ts'
import { caught } from '../caught.ts'
import { python, pythonHas } from './python.ts'

const { layers } = ls
const golden = fileURLToPath(new URL('golden/pytorch.safetensors', import.meta.url))
let tensors: Map<string, ls.Tensor>
beforeAll(async () => void ({ tensors } = await readSafetensors(golden)))

const sigmoid = { recurrentActivation: 'sigmoid', returnSequences: true } as const

/** What PyTorch's modules are here, with the names of their layers where these are not the modules'. */
const cases: Record<string, { make: () => ls.Layer[]; mapping?: Record<string, string | ModuleOptions> }> = {
  dense: { make: () => [layers.dense({ units: 4, name: 'dense' })] },
  unbiased: { make: () => [layers.dense({ units: 2, useBias: false, name: 'unbiased' })] },
  steps: {
    make: () => [layers.timeDistributed({ layer: layers.dense({ units: 2 }), name: 'steps' })],
  },
  conv1d: { make: () => [layers.conv1d({ filters: 3, kernelSize: 3, strides: 2, name: 'conv1d' })] },
  conv2d: { make: () => [layers.conv2d({ filters: 3, kernelSize: [2, 3], name: 'conv2d' })] },
  conv3d: { make: () => [layers.conv3d({ filters: 2, kernelSize: [2, 1, 2], name: 'conv3d' })] },
  transposed2d: {
    make: () => [
      layers.conv2dTranspose({ filters: 3, kernelSize: [2, 3], strides: [2, 2], name: 'transposed2d' }),
    ],
  },
  transposed3d: {
    make: () => [layers.conv3dTranspose({ filters: 1, kernelSize: [2, 1, 2], name: 'transposed3d' })],
  },
  depthwise: {
    make: () => [layers.depthwiseConv2d({ kernelSize: [3, 2], depthMultiplier: 2, name: 'depthwise' })],
  },
  separable: {
    make: () => [layers.separableConv2d({ filters: 3, kernelSize: 2, depthMultiplier: 2, name: 'sep' })],
    mapping: { sep: { module: ['separable.0', 'separable.1'] } },
  },
  flattened: {
    make: () => [
      layers.conv2d({ filters: 2, kernelSize: 2, name: 'images' }),
      layers.flatten({}),
      layers.dense({ units: 2, name: 'classes' }),
    ],
    mapping: { images: 'flattened.0', classes: { module: 'flattened.2', flattened: [2, 2, 3] } },
  },
  embedding: { make: () => [layers.embedding({ inputDim: 5, outputDim: 3, name: 'embedding' })] },
  batchNorm: { make: () => [layers.batchNormalization({ epsilon: 1e-5, name: 'batchNorm' })] },
  layerNorm: { make: () => [layers.layerNormalization({ epsilon: 1e-5, name: 'layerNorm' })] },
  prelu: { make: () => [layers.prelu({ sharedAxes: [1], name: 'prelu' })] },
  lstm: { make: () => [layers.lstm({ units: 2, ...sigmoid, name: 'lstm' })] },
  deepLstm: {
    make: () => ['a', 'b'].map(name => layers.lstm({ units: 2, ...sigmoid, name })),
    mapping: { a: 'deepLstm', b: { module: 'deepLstm', layer: 1 } },
  },
  bothWays: {
    make: () => [layers.bidirectional({ layer: layers.lstm({ units: 2, ...sigmoid }), name: 'bothWays' })],
  },
  gru: { make: () => [layers.gru({ units: 2, ...sigmoid, resetAfter: true, name: 'gru' })] },
  gruBothWays: {
    make: () => [
      layers.bidirectional({
        layer: layers.gru({ units: 2, ...sigmoid, resetAfter: true }),
        name: 'gruBothWays',
      }),
    ],
  },
  rnn: { make: () => [layers.simpleRNN({ units: 2, returnSequences: true, name: 'rnn' })] },
}

/** A model of layers, for the inputs that PyTorch had. */
function modelOf(made: readonly ls.Layer[], { shape }: ls.Tensor): ls.Model {
  const input = ls.input({ shape: shape.slice(1) })
  const y = made.reduce<ls.SymbolicTensor>((x, layer) => layer.apply(x) as ls.SymbolicTensor, input)
  return ls.model({ inputs: input, outputs: y })
}

const attention = (name: string) =>
  layers.multiHeadAttention({ numHeads: 2, keyDim: 2, outputShape: 4, name })
const attentions: Record<string, (of: (name: string) => ls.Tensor) => [ls.Model, ls.Tensor[]]> = {
  attention: of => {
    const x = ls.input({ shape: [3, 4] })
    const y = attention('attention').apply([x, x]) as ls.SymbolicTensor
    return [ls.model({ inputs: x, outputs: y }), [of('attention.x')]]
  },
  crossAttention: of => {
    const [x, key] = [ls.input({ shape: [2, 4] }), ls.input({ shape: [5, 3] })]
    const y = attention('crossAttention').apply([x, key]) as ls.SymbolicTensor
    return [ls.model({ inputs: [x, key], outputs: y }), [of('crossAttention.x'), of('crossAttention.key')]]
  },
}

/** The tensors of one module: its parameters, and those of the test besides. */
function stateOf(from: Map<string, ls.Tensor>, name: string) {
  const own = [...from].filter(([key]) => key.startsWith(`${name}.`))
  const isParameter = ([key]: [string, ls.Tensor]) => !/^\w+\.(x|y|key)$/.test(key)
  return new Map(own.filter(isParameter))
}

function expectTheirs(from: Map<string, ls.Tensor>, name: string): void {
  const of = (what: string) => from.get(what)!
  const [model, inputs] = cases[name]
    ? [modelOf(cases[name].make(), of(`${name}.x`)), [of(`${name}.x`)]]
    : attentions[name]!(of)
  const mapping = cases[name]?.mapping
  model.loadWeights(fromPyTorch(model, stateOf(from, name), mapping && { mapping }))
  const y = model.predict(inputs.length === 1 ? inputs[0]! : inputs) as ls.Tensor
  expect(y.shape).toEqual(of(`${name}.y`).shape)
  expect(relativeError(y.dataSync(), of(`${name}.y`).dataSync()), name).toBeLessThan(2e-6)
}

const names = [...Object.keys(cases), ...Object.keys(attentions)]
test.each(names)('%s gives the numbers that PyTorch gave', name => expectTheirs(tensors, name))

test.skipIf(!pythonHas('torch'))('PyTorch gives these numbers here, too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'torch-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'now.safetensors')
  python(golden.replace('.safetensors', '.py'), path)
  const { tensors: now } = await readSafetensors(path)
  expect([...now.keys()]).toEqual([...tensors.keys()])
  for (const name of names) expectTheirs(now, name)
})

describe('what does not fit', () => {
  const model = () =>
    ls.sequential({
      layers: [
        layers.dense({ units: 4, inputShape: [3], name: 'fc1' }),
        layers.dense({ units: 2, name: 'fc2' }),
      ],
      seed: 1,
    })
  const state = (): Record<string, ls.Tensor> => ({
    'fc1.weight': ls.zeros([4, 3]),
    'fc1.bias': ls.zeros([4]),
    'fc2.weight': ls.zeros([2, 4]),
    'fc2.bias': ls.zeros([2]),
  })
  const end = '; name modules in mapping, null for none, or give strict: false for those unexpected'

  test('missing and unexpected names, all of them, with the nearest', async () => {
    const { 'fc1.weight': weight, 'fc2.bias': bias, ...rest } = state()
    const renamed = { ...rest, 'fc_1.weight': weight!, 'head.norm': bias! }
    const message =
      'RangeError: fromPyTorch: tensors must be those of the layers, got missing "fc1.weight" ' +
      '(did you mean "fc_1.weight"?), "fc2.bias"; unexpected "fc_1.weight", "head.norm"'
    expect(await caught(() => fromPyTorch(model(), renamed))).toBe(message + end)
    expect(await caught(() => fromPyTorch(model(), renamed, { strict: false }))).toBe(
      message.slice(0, message.indexOf('; unexpected')) + end,
    )
    const many = { ...state(), ...Object.fromEntries([...'abcdefghij'].map(name => [name, bias!])) }
    expect(await caught(() => fromPyTorch(model(), many))).toContain('"h" and 2 more')
    expect(fromPyTorch(model(), many, { strict: false }).size).toBe(4)
  })

  test('layers left out, and counters of batches', () => {
    const { 'fc1.weight': _, 'fc1.bias': __, ...rest } = state()
    const given = { ...rest, 'norm.num_batches_tracked': ls.scalar(3, 'int32') }
    const found = fromPyTorch(model(), given, { mapping: { fc1: null } })
    expect([...found.keys()]).toEqual(['fc2/kernel', 'fc2/bias'])
    const target = model()
    const before = target.getWeights().map(({ values }) => values)
    target.loadWeights(found, false)
    expect(target.getWeights().map(({ values }) => values)).toEqual([
      ...before.slice(0, 2),
      new Float32Array(8),
      new Float32Array(2),
    ])
  })

  test('a model within a model', () => {
    const inner = ls.sequential({ layers: [layers.dense({ units: 3, inputShape: [3], name: 'inner' })] })
    const outer = ls.sequential()
    outer.add(inner as never)
    outer.add(layers.dense({ units: 2, name: 'outer' }))
    const given = {
      'inner.weight': ls.ones([3, 3]),
      'inner.bias': ls.zeros([3]),
      'outer.weight': ls.ones([2, 3]),
      'outer.bias': ls.zeros([2]),
    }
    outer.loadWeights(fromPyTorch(outer, given))
    expect((outer.predict(ls.ones([1, 3])) as ls.Tensor).arraySync()).toEqual([[9, 9]])
  })

  test.each([
    [
      { 'fc1.weight': ls.zeros([3, 4]) },
      {},
      'tensor "fc1.weight" must be float32 [4,3] for layer "fc1", got float32 [3,4]; correct mapping or the layer',
    ],
    [
      { 'fc1.bias': ls.zeros([4], 'int32') },
      {},
      'tensor "fc1.bias" must be float32 [4] for layer "fc1", got int32 [4]; correct mapping or the layer',
    ],
    [
      { 'fc1.bias': [1, 2, 3, 4] as never },
      {},
      'tensor "fc1.bias" must be float32 [4] for layer "fc1", got [1, 2, 3, 4]; correct mapping or the layer',
    ],
    [{}, { mapping: { fc: 'fc1' } }, 'mapping must name layers with weights, got "fc"; did you mean "fc1"?'],
    [{}, { mapping: { fc1: 3 as never } }, 'mapping of "fc1" must be a name, options or null, got 3'],
    [
      {},
      { mapping: { fc1: { modul: 'x' } as never } },
      'mapping of "fc1": unknown option "modul"; did you mean "module"?',
    ],
    [{}, { mapping: { fc1: { module: [] as never } } }, 'module of "fc1" must be a name, or two, got []'],
    [{}, { mapping: { fc1: { layer: -1 } } }, 'layer of "fc1" must be a non-negative integer, got -1'],
    [
      {},
      { mapping: { fc1: { flattened: [2, 2] } } },
      'flattened must be [channels, ...sizes] of 3 numbers, got [2, 2]; correct it',
    ],
    [{}, { maping: {} } as never, 'unknown option "maping"; did you mean "mapping"?'],
  ] as [Record<string, ls.Tensor>, PyTorchOptions, string][])(
    'what is wrong %#',
    async (changes, options, text) => {
      const message = await caught(() => fromPyTorch(model(), { ...state(), ...changes }, options))
      expect(
        message
          .replace(/^\w+Error: fromPyTorch:? /, '')
          .replace(/^mapping of "fc1" ?: /, 'mapping of "fc1": '),
      ).toBe(text)
    },
  )

  test('layers that compute something else than PyTorch’s', async () => {
    const recurrent = (layer: ls.Layer) => ls.sequential({ layers: [layer] })
    const inputShape = [4, 3]
    const wrong: [ls.Layer, string][] = [
      [
        layers.lstm({ units: 2, inputShape, name: 'r' }),
        'recurrentActivation of layer "r" must be "sigmoid", as PyTorch computes it, got "hardSigmoid"; make the layer with it',
      ],
      [
        layers.gru({ units: 2, inputShape, recurrentActivation: 'sigmoid', name: 'r' }),
        'resetAfter of layer "r" must be true, as PyTorch computes it, got false; make the layer with it',
      ],
      [
        layers.rnn({ cell: layers.gruCell({ units: 2 }), inputShape, name: 'r' }),
        'layer "r" must be of Dense, Conv1D, Conv2D, Conv3D, Conv2DTranspose, Conv3DTranspose, DepthwiseConv2D, ' +
          'SeparableConv2D, Embedding, PositionEmbedding, BatchNormalization, LayerNormalization, PReLU, LSTM, GRU, SimpleRNN, ' +
          'Bidirectional, MultiHeadAttention, got RNN; map it to null and set its weights by itself',
      ],
    ]
    for (const [layer, text] of wrong)
      expect(await caught(() => fromPyTorch(recurrent(layer), {}))).toBe(`RangeError: fromPyTorch: ${text}`)
    const other = layers.bidirectional({
      layer: layers.rnn({ cell: layers.lstmCell({ units: 2 }) }),
      inputShape,
      name: 'r',
    })
    expect(await caught(() => fromPyTorch(recurrent(other), {}))).toContain(
      'got Bidirectional of RNN; map it to null',
    )
  })
})
