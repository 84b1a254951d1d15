import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Graph } from '../src/graph/graph.ts'
import * as ls from '../src/index.ts'
import { copyOf } from '../src/layers/composite.ts'
import { Layer } from '../src/layers/define.ts'
import { type OpenShape, outputShapesOf } from '../src/layers/shapes.ts'
import * as layers from '../src/layers/table.ts'
import { topologyOf } from '../src/model/saving.ts'
import { activationNames } from '../src/ops/activation.ts'
import { type LayerName, makeLayer } from './cases/example.ts'
import { cases, type Example } from './cases.ts'
import { caught } from './caught.ts'
import { drawOf, setupOf } from './reference/draw.ts'
import { isMasked } from './reference/masks.ts'
import { build } from './reference/measure.ts'
import { SideBySide } from './reference/network.ts'
import { predictionOf, wide } from './reference/prove.ts'
import { withFolder } from './reference/tfjs.ts'

const subject = ({ inner, layer }: Example): Layer => inner?.layer ?? layer
const inputsOf = ({ inner, input }: Example) => inner?.inputs ?? [input]

const sized = 'it needs a size of all batches: test/states.test.ts'
const kept = 'it needs a size of all batches: test/cells.test.ts'
/** Options without a case that sets them, and why. */
const unset: Partial<Record<LayerName, Record<string, string>>> = {
  gru: { stateful: sized },
  lstm: { stateful: sized },
  convLstm2d: { stateful: kept },
  rnn: { stateful: kept },
  simpleRNN: { stateful: sized },
  multiHeadAttention: {
    useAttentionMask: 'a mask is no branch of the input: test/kernels/attention.test.ts',
  },
}
const kinked = 'masked steps are 0, where it has no derivative'
/** Layers that take steps without a case behind a mask, and why. */
const unmasked: Partial<Record<LayerName, string>> = {
  elu: kinked,
  globalMaxPooling1d: kinked,
  leakyReLU: kinked,
  maxPooling1d: kinked,
  prelu: kinked,
  reLU: kinked,
  categoryEncoding: 'tokens have no features',
}

test('there are at least 1,000 cases', () => {
  const count = cases.reduce((sum, [, list]) => sum + list.length, 0)
  console.log(`${count} cases of ${cases.length} layers`)
  expect(cases.map(([name]) => name).sort()).toEqual(Object.keys(layers).sort())
  expect(count).toBeGreaterThanOrEqual(1000)
})

describe.each(cases)('%s', (name, list) => {
  // An input layer is what begins every one of these networks.
  const networked = list.filter(() => name !== 'inputLayer')
  let network: SideBySide
  beforeAll(() => {
    if (networked.length > 0) network = new SideBySide(networked)
  })
  afterAll(() => network?.model.dispose())

  test('every option has a case with another value than the default', () => {
    const missing = Object.entries(layers[name].defaults).filter(
      ([option, byDefault]) =>
        !list.some(each => !isDeepStrictEqual(subject(each).config[option], byDefault)),
    )
    expect(missing.map(([option]) => option).sort()).toEqual(Object.keys(unset[name] ?? {}).sort())
  })

  test('every activation that an option takes has a case', async () => {
    for (const option of Object.keys(layers[name].defaults).filter(each => /activation$/i.test(each))) {
      const used = new Set(list.map(({ layer }) => layer.config[option] ?? 'linear'))
      for (const activation of activationNames.filter(each => !used.has(each))) {
        const given = { ...subject(list[0]!).config, [option]: activation }
        expect(await caught(() => makeLayer(name, given)), activation).toContain(`${option} must be one of`)
      }
    }
  })

  test('a misspelt option is refused with the nearest one', async () => {
    const { className, defaults } = layers[name]
    const options = [...Object.keys(defaults).filter(option => option.length > 1), 'trainable']
    for (const [i, each] of list.entries()) {
      const option = options[i % options.length]!
      const wrong = option[0] + option
      const message = await caught(() => makeLayer(name, { ...subject(each).config, [wrong]: 1 }))
      expect(message).toBe(`TypeError: ${className}: unknown option "${wrong}"; did you mean "${option}"?`)
    }
  })

  test('options are kept as they are given', () => {
    for (const each of list) {
      // null stands for the default.
      const given = Object.entries(each.options).filter(([, value]) => value !== null)
      expect(subject(each).config).toMatchObject(Object.fromEntries(given))
    }
  })

  test('shapes are those of the reference and of predictions', () => {
    for (const each of list) {
      const setup = setupOf(each)
      const { shape } = build(setup)
      const expected = predictionOf(setup, wide(drawOf(each, setup)(1), setup)).shape
      expect([each.samples, ...shape], each.title).toEqual(expected)
    }
    for (const { example, outputs } of network?.branches.filter(each => each.outputs.length === 1) ?? [])
      expect(outputs[0]!.sampleShape, example.title).toEqual(build(setupOf(example)).shape)
  })

  test('an open size leaves the others as they are, or is refused', () => {
    for (const each of list) {
      const inputs = inputsOf(each)
      const [closed] = outputShapesOf(subject(each), inputs)
      // Where the size is 1, an axis may be one that is repeated or left out.
      const axes = [...inputs[0]!.keys()].filter(axis => inputs[0]![axis] !== 1)
      for (const axis of axes) {
        const layer = makeLayer(name, { ...subject(each).config })
        const shape = openShapeOf(layer, [inputs[0]!.with(axis, null as never), ...inputs.slice(1)])
        if (shape === undefined) continue
        expect(
          shape.map((size, i) => size ?? closed![i]),
          each.title,
        ).toEqual(closed)
      }
    }
  })

  test.skipIf(networked.length === 0)('a file keeps every option and weight', async () => {
    const { model } = network
    const x = network.x(3)
    const loaded = await reloaded(model)
    expect(topologyOf(loaded)).toEqual(topologyOf(model))
    const described = ({ weights }: ls.Model) =>
      weights.map(({ name, shape, trainable }) => ({ name, shape, trainable }))
    expect(described(loaded)).toEqual(described(model))
    const found = [loaded.predict(x)].flat() as ls.Tensor[]
    const expected = [model.predict(x)].flat() as ls.Tensor[]
    for (const [i, y] of found.entries()) expect(y.dataSync(), `output ${i}`).toEqual(expected[i]!.dataSync())
    loaded.dispose()
  })

  test.skipIf(networked.length === 0)('the options that all layers have are kept, and obeyed', async () => {
    const [first] = networked as [Example]
    const penalty = { className: 'L1L2', config: { l1: 0.01, l2: 0.02 } }
    const own = { name: 'frozen', trainable: false, activityRegularizer: penalty }
    const layer = makeLayer(name, { ...copied(subject(first).config), ...own })
    const frozen = { ...first, layer, ...(first.inner && { inner: { ...first.inner, layer } }) }
    const network = new SideBySide([frozen], { learning: true })
    const { model } = network
    const loaded = await reloaded(model)
    expect(topologyOf(loaded)).toEqual(topologyOf(model))
    expect(loaded.getLayer('frozen')).toMatchObject({ trainable: false, activityRegularizer: penalty })
    loaded.dispose()
    const learnt = () => layer.weights.filter(each => each.learnt).map(each => model.state.read(each))
    const before = learnt()
    model.compile({ loss: 'meanSquaredError', optimizer: ls.train.sgd(0.1) })
    for (let step = 0; step < 2; step++) await model.trainOnBatch(network.x(3), network.y(3))
    expect(learnt()).toEqual(before)
    model.dispose()
  })

  test.skipIf(networked.length === 0)('a row is predicted alone as among others', () => {
    const x = network.x(5)
    const predicted = (batchSize: number) => network.byBranch(network.model.predict(x, { batchSize }))
    const expected = predicted(5)
    for (const batchSize of [1, 2]) expect(differing(network, predicted(batchSize), expected)).toEqual([])
  })

  test.skipIf(networked.length === 0)(
    'a short last batch, of one sample, trains as a batch of its own',
    async () => {
      const learning = new SideBySide(networked, { learning: true })
      const { model } = learning
      const initial = model.getWeights()
      const [x, y] = [learning.x(5), learning.y(5)]
      const train = async (...parts: (readonly [number, number])[]) => {
        model.setWeights(initial)
        model.compile({ loss: 'meanSquaredError', optimizer: ls.train.sgd(0.01) })
        for (const [from, to] of parts) {
          const part = (tensors: ls.Tensor[]) => tensors.map(each => rowsOf(each, from, to))
          await model.fit(part(x), part(y), { batchSize: 4, epochs: 1, shuffle: false, seed: 3, workers: 1 })
        }
        return model.getWeights().map(each => each.dataSync())
      }
      const [whole, apart] = [await train([0, 5]), await train([0, 4], [4, 5])]
      const wrong = model.weights.filter((_, i) => !isDeepStrictEqual(whole[i], apart[i]))
      expect(wrong.map(weight => weight.name)).toEqual([])
      if (model.weights.length > 0) expect(whole).not.toEqual(initial.map(each => each.dataSync()))
      model.dispose()
    },
  )

  test('masks are handed on, or dropped, as the reference says', () => {
    const sequences = list.filter(({ inner, input, integers }) => !inner && input.length === 2 && !integers)
    for (const { layer, input, title } of sequences) {
      const g = new Graph({ training: false, leaves: 1, rows: 1 })
      const x = g.batch('x', input)
      g.masks.set(x, g.batch('mask', [input[0]!]))
      const masked = g.masks.of(layer.build(g, x)) !== undefined
      expect(masked, title).toBe(isMasked(layer.className, layer.config, true))
    }
    const proved = sequences.length === 0 || sequences.some(each => each.masked)
    expect(
      proved || unmasked[name] !== undefined,
      'a case behind a mask is needed in test/cases/masks.ts',
    ).toBe(true)
  })
})

/** Options with copies of the layers among them: a layer is named, and frozen, once. */
/** An option, with layers of its own. */
function copiedOption(value: unknown): unknown {
  if (value instanceof Layer) return copyOf(value, {})
  return Array.isArray(value) ? value.map(copiedOption) : value
}

const copied = (options: object) =>
  Object.fromEntries(Object.entries(options).map(([key, value]) => [key, copiedOption(value)]))

const reloaded = (model: ls.Model): Promise<ls.Model> =>
  withFolder(async folder => {
    await model.save(`file://${folder}`)
    return (await ls.loadLayersModel(`file://${folder}`)) as ls.Model
  })

const openShapeOf = (layer: Layer, inputs: readonly OpenShape[]): OpenShape | undefined => {
  try {
    return outputShapesOf(layer, inputs)[0]
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** Samples [from, to) of a tensor. */
function rowsOf({ values, shape }: ls.Tensor, from: number, to: number): ls.Tensor {
  const size = values.length / shape[0]!
  return ls.tensor(Float32Array.from(values.slice(from * size, to * size)), [to - from, ...shape.slice(1)])
}

/** Titles of the cases whose outputs differ. */
const differing = ({ branches }: SideBySide, found: Float32Array[][], expected: Float32Array[][]): string[] =>
  branches.filter((_, i) => !isDeepStrictEqual(found[i], expected[i])).map(({ example }) => example.title)
