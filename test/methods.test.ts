import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
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
  expect([model.layers.length, model.outputShape]).toEqual([2, [4]])
  expect(await caught(() => model.fit(ls.zeros([1, 3]), ls.zeros([1, 4])))).toBe(
    'Error: stack: the model must be compiled, got one that is not; call compile()',
  )
  model.add(ls.layers.dense({ units: 7 }))
  expect((model.predict(ls.zeros([2, 3])) as ls.Tensor).shape).toEqual([2, 7])
  for (let left = 3; left > 0; left--) model.pop()
  expect(await caught(() => model.pop())).toBe('Error: pop: stack must have layers, got none; call add()')
  model.add(ls.layers.dense({ units: 1, inputShape: [9] }))
  expect(model.inputShape).toEqual([9])
})

test('input and output of a functional model', () => {
  const model = graph()
  expect(model.input).toEqual(model.inputs)
  expect(model.output).toBe(model.outputs[0])
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
