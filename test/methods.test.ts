import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { caught } from './caught.ts'

await tf.setBackend('cpu')

const stack = (library: typeof ls) =>
  library.sequential({
    layers: [
      library.layers.dense({ units: 4, activation: 'relu', inputShape: [3], name: 'first' }),
      library.layers.batchNormalization({ name: 'norm' }),
      library.layers.dense({ units: 2, name: 'last' }),
    ],
    name: 'stack',
  })

/** Two inputs that share a layer. */
function graph(): ls.Model {
  const [a, b] = [ls.input({ shape: [3], name: 'a' }), ls.input({ shape: [3], name: 'b' })]
  const shared = ls.layers.dense({ units: 2, name: 'shared' })
  const sum = ls.layers.add({ name: 'sum' }).apply([shared.apply(a), shared.apply(b)]) as ls.SymbolicTensor
  return ls.model({ inputs: [a, b], outputs: sum, name: 'graph' })
}

test('a model is made again from its architecture', () => {
  for (const model of [stack(ls), graph()]) {
    for (const topology of [
      model.toJSON(),
      model.toJSON(null, false),
      { modelTopology: model.toJSON(null, false) },
    ]) {
      const copy = ls.models.modelFromJSON(topology as string)
      expect(copy.toJSON()).toBe(model.toJSON())
      copy.loadWeights(Object.fromEntries(model.weights.map(({ name }, i) => [name, model.getWeights()[i]!])))
      const x = model.inputShapes.map(shape =>
        ls.randomNormal([2, ...(shape as number[])], 0, 1, 'float32', 3),
      )
      const predicted = (each: typeof copy) => (each.predict(x) as ls.Tensor).dataSync()
      expect(predicted(copy)).toEqual(predicted(model as typeof copy))
    }
  }
})

test('the architecture goes both ways between TensorFlow.js and Lockstep', async () => {
  const theirs = stack(tf as unknown as typeof ls) as unknown as tf.Sequential
  const ours = ls.models.modelFromJSON(theirs.toJSON() as string)
  expect(ours.weights.map(({ name }) => name)).toEqual(theirs.weights.map(({ originalName }) => originalName))
  const back = (await tf.models.modelFromJSON(JSON.parse(stack(ls).toJSON() as string))) as tf.Sequential
  expect(back.toJSON(null, false)).toMatchObject({ config: { name: 'stack' }, class_name: 'Sequential' })
  // What TensorFlow.js gives is in Lockstep's; Lockstep's has what Keras has besides.
  expect(stack(ls).getConfig()).toMatchObject({ name: 'stack', layers: [{ className: 'Dense' }, {}, {}] })
})

test('weights that are trained, and others', () => {
  const model = stack(ls)
  const names = (weights: readonly { name: string }[]) => weights.map(({ name }) => name)
  expect(names(model.trainableWeights)).toEqual([
    'first/kernel',
    'first/bias',
    'norm/gamma',
    'norm/beta',
    'last/kernel',
    'last/bias',
  ])
  expect(names(model.nonTrainableWeights)).toEqual(['norm/moving_mean', 'norm/moving_variance'])
  expect(model.getWeights(true)).toEqual(model.getWeights().slice(0, 6))
  expect(model.trainable).toBe(true)
  model.trainable = false
  expect([model.trainable, model.trainableWeights.length]).toEqual([false, 0])
  model.trainable = true
  expect(model.trainableWeights.length).toBe(6)
})

test('weights by name: some of them, or strictly all', async () => {
  const model = stack(ls)
  const bias = ls.tensor([5, 6])
  const before = model.getWeights()
  expect(await caught(() => model.loadWeights({ 'last/bias': bias }))).toBe(
    'RangeError: loadWeights: "first/kernel" must be given, got none; give it, or strict = false',
  )
  expect(await caught(() => model.loadWeights({ 'last/bia': bias }))).toBe(
    'RangeError: loadWeights: unknown weight "last/bia"; did you mean "last/bias"?',
  )
  expect(model.getWeights()).toEqual(before)
  model.loadWeights(new Map([['last/bias', bias]]), false)
  expect(model.getWeights().map(each => each.dataSync())).toEqual(
    before.map((each, i) => (i === 5 ? bias : each).dataSync()),
  )
})

test('pop takes the last layer away', async () => {
  const model = stack(ls)
  model.compile({ loss: 'meanSquaredError', optimizer: 'SGD' })
  model.pop()
  expect([model.layers.length, model.outputShape]).toEqual([2, [null, 4]])
  expect(await caught(() => model.fit(ls.zeros([1, 3]), ls.zeros([1, 4])))).toBe(
    'Error: stack: the model must be compiled, got one that is not; call compile()',
  )
  model.add(ls.layers.dense({ units: 7 }))
  expect((model.predict(ls.zeros([2, 3])) as ls.Tensor).shape).toEqual([2, 7])
  for (let left = 3; left > 0; left--) model.pop()
  expect(await caught(() => model.pop())).toBe('Error: pop: stack must have layers, got none; call add()')
  model.add(ls.layers.dense({ units: 1, inputShape: [9] }))
  expect(model.inputShapes).toEqual([[9]])
})

test('input and output of a functional model', () => {
  const model = graph()
  expect(model.input).toEqual(model.inputs)
  expect(model.output).toBe(model.outputs[0])
})

describe('a layer', () => {
  test('has the weights of its model, and changes them', async () => {
    const model = stack(ls)
    const [first, norm] = model.layers as [ls.Layer, ls.Layer]
    expect(first.getWeights()).toEqual(model.getWeights().slice(0, 2))
    expect([first.countParams(), norm.countParams()]).toEqual([16, 16])
    const names = (weights: readonly { name: string }[]) => weights.map(({ name }) => name)
    expect(names(norm.trainableWeights)).toEqual(['norm/gamma', 'norm/beta'])
    expect(names(norm.nonTrainableWeights)).toEqual(['norm/moving_mean', 'norm/moving_variance'])
    const [kernel, bias] = [ls.randomNormal([3, 4], 0, 1, 'float32', 1), ls.tensor([1, 2, 3, 4])]
    first.setWeights([kernel, bias])
    expect(model.getWeights().slice(0, 2)).toEqual([kernel, bias])
    model.compile({ loss: 'meanSquaredError', optimizer: 'sgd' })
    await model.fit(ls.randomNormal([4, 3], 0, 1, 'float32', 2), ls.ones([4, 2]), { workers: 2 })
    expect(first.getWeights()).toEqual(model.getWeights().slice(0, 2))
    expect(first.getWeights()).not.toEqual([kernel, bias])
  })

  test('whose columns are several axes', () => {
    const layer = ls.layers.multiHeadAttention({ numHeads: 2, keyDim: 3 })
    const x = ls.input({ shape: [4, 5] })
    const model = ls.model({ inputs: x, outputs: layer.apply(x) })
    const values = model.getWeights().map((weight, i) => ls.randomNormal(weight.shape, 0, 1, 'float32', i))
    layer.setWeights(values)
    expect([layer.getWeights(), model.getWeights()]).toEqual([values, values])
  })

  test('gives what it was applied to, and what came out', async () => {
    const [a, b] = [ls.input({ shape: [3] }), ls.input({ shape: [3] })]
    const dense = ls.layers.dense({ units: 2, name: 'dense' })
    const message = (times: number) =>
      `Error: dense: the layer must be applied once to have one input and output, got ${times} times; ` +
      'use what apply() returned'
    expect(await caught(() => dense.output)).toBe(message(0))
    const y = dense.apply(a)
    expect([dense.input, dense.output]).toEqual([a, y])
    // The first layers of a model make another one, which shares them.
    const top = ls.layers.dense({ units: 1 }).apply(dense.output as ls.SymbolicTensor)
    const whole = ls.model({ inputs: a, outputs: top })
    const part = ls.model({ inputs: whole.inputs, outputs: whole.getLayer('dense').output })
    expect(part.outputShape).toEqual([null, 2])
    expect(part.getWeights()).toEqual(whole.getWeights().slice(0, 2))
    dense.apply(b)
    expect(await caught(() => dense.input)).toBe(message(2))
  })

  test('in no model has no values yet, and wrong ones change nothing', async () => {
    const layer = ls.layers.dense({ units: 2, name: 'lonely' })
    layer.apply(ls.input({ shape: [3] }))
    expect(await caught(() => layer.getWeights())).toBe(
      'Error: lonely: getWeights must be asked of a layer in a model, got one in none; make a model of it',
    )
    const [first] = stack(ls).layers as [ls.Layer]
    const before = first.getWeights()
    expect(await caught(() => first.setWeights([ls.zeros([3, 4])]))).toBe(
      'RangeError: first: setWeights: there must be 2 weights, got 1; give those of getWeights()',
    )
    expect(await caught(() => first.setWeights([ls.zeros([4, 3]), ls.zeros([4])]))).toBe(
      'RangeError: first: setWeights: first/kernel must have shape [3,4], got [4,3]; give those of getWeights()',
    )
    expect(first.getWeights()).toEqual(before)
  })
})

test.each(['Adam', 'RMSProp', 'SGD', 'Adagrad', 'Adadelta', 'Adamax'])(
  'optimizers by class name: %s',
  name => {
    const model = stack(ls)
    model.compile({ loss: 'meanSquaredError', optimizer: name as 'Adam' })
    expect(model.optimizer.className.toLowerCase()).toBe(name.toLowerCase())
  },
)

test('a decay of adamax needs a rate', async () => {
  const rate = ls.schedules.constant(0.1)
  expect(await caught(() => ls.train.adamax({ learningRate: rate, decay: 0.1 }))).toBe(
    'TypeError: Adamax: learningRate must be a number where there is a decay, got a schedule; leave decay out',
  )
})

test('data.func gives what a function gives until it is done', async () => {
  let count = 0
  const next = () =>
    count++ % 4 === 3 ? { done: true as const, value: undefined } : { done: false as const, value: count }
  expect(await ls.data.func(next as () => IteratorResult<number>).toArray()).toEqual([1, 2, 3])
  expect(await caught(() => ls.data.func(3 as never))).toBe(
    'TypeError: func: must be given a function, got 3; write () => ({ value, done: false })',
  )
})

test.each([
  ['TypeError: modelFromJSON: topology must be what toJSON() gave, got "[1]"', '[1]'],
  ['RangeError: modelFromJSON must have keys of their own, got "a" twice', '{"a":1,"a":2}'],
  [
    'RangeError: loadLayersModel: the model must be a Sequential or a Model, got "Other"; rebuild it here',
    '{"class_name":"Other","config":{}}',
  ],
])('%s', async (message, json) => {
  expect(await caught(() => ls.models.modelFromJSON(json))).toBe(message)
})
