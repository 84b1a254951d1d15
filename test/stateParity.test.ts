import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise } from './bed.ts'
import { close, readByOurs, readByTheirs } from './reference/tfjs.ts'

beforeAll(() => tf.setBackend('cpu'))

type Kind = 'lstm' | 'gru' | 'simpleRNN'
const kinds: Kind[] = ['lstm', 'gru', 'simpleRNN']

/** What both libraries make models with. */
interface Library {
  input(options: object): unknown
  model(options: object): unknown
  readonly layers: Record<string, (options: object) => { apply(inputs: unknown, options?: object): unknown }>
}
const [ours, theirs] = [ls, tf] as unknown as [Library, Library]

/** Reads a sequence, and writes another one from the states that this leaves; puts out what the second leaves, too. */
function encoderDecoder({ input, layers, model }: Library, kind: Kind, listed: boolean, all = true) {
  const recurrent = (options: object) => layers[kind]!({ units: 4, returnState: true, ...options })
  const [question, answer] = [input({ shape: [5, 3], name: 'q' }), input({ shape: [4, 2], name: 'a' })]
  const [, ...states] = recurrent({ name: 'encoder' }).apply(question) as unknown[]
  const decoder = recurrent({ name: 'decoder', returnSequences: true })
  const decoded = listed
    ? decoder.apply([answer, ...states])
    : decoder.apply(answer, { initialState: states })
  const [y, ...last] = decoded as unknown[]
  const outputs = [layers.dense!({ name: 'end', units: 3 }).apply(y), ...(all ? last : [])]
  return model({ inputs: [question, answer], outputs, name: 'm' })
}

const x = [noise(6 * 5 * 3, 1), noise(6 * 4 * 2, 2)]
const shapes = [
  [6, 5, 3],
  [6, 4, 2],
]
const oursOf = () => x.map((values, i) => ls.tensor(values, shapes[i]!))
const theirsOf = () => x.map((values, i) => tf.tensor(values, shapes[i]!))

const give = (from: ls.Model | ls.Sequential, to: tf.LayersModel) =>
  to.setWeights(from.getWeights().map(({ values, shape }) => tf.tensor(values as Float32Array, [...shape])))

function compare(model: ls.Model, other: tf.LayersModel): void {
  const predictions = [model.predict(oursOf())].flat() as ls.Tensor[]
  const expected = [other.predict(theirsOf())].flat() as tf.Tensor[]
  expect(predictions.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape))
  for (const [i, y] of predictions.entries()) close(y.dataSync(), expected[i]!.dataSync(), `output ${i}`)
}

describe.each(kinds)('an encoder and a decoder of %s', kind => {
  test.each([false, true])(
    'predict and train as those of TensorFlow.js; states in the list: %s',
    async listed => {
      // TensorFlow.js cannot train what puts out the decoder's states: it hands the initial ones to apply() twice then.
      const model = encoderDecoder(ours, kind, listed, false) as ls.Model
      const other = encoderDecoder(theirs, kind, listed, false) as tf.LayersModel
      expect(model.weights.map(({ name }) => name)).toEqual(
        other.weights.map(({ originalName }) => originalName),
      )
      give(model, other)
      compare(model, other)
      const y = noise(6 * 4 * 3, 3)
      model.compile({ optimizer: ls.train.sgd(0.1), loss: 'meanSquaredError' })
      other.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' })
      for (let step = 0; step < 4; step++) {
        await model.trainOnBatch(oursOf(), ls.tensor(y, [6, 4, 3]))
        await other.trainOnBatch(theirsOf(), tf.tensor(y, [6, 4, 3]))
      }
      const weights = other.getWeights()
      for (const [i, w] of model.getWeights().entries())
        close(w.dataSync(), weights[i]!.dataSync(), `weight ${i}`)
      compare(model, other)
    },
  )

  test.each([false, true])('are exchanged with TensorFlow.js; states in the list: %s', async listed => {
    const model = encoderDecoder(ours, kind, listed) as ls.Model
    compare(model, await readByTheirs(model))
    const other = encoderDecoder(theirs, kind, listed) as tf.LayersModel
    compare((await readByOurs(other)) as unknown as ls.Model, other)
  })
})

describe.each(kinds)('a stateful %s', kind => {
  const count = 8
  const data = { x: noise(count * 5 * 2, 6), y: noise(count * 3, 7) }
  const make = ({ layers, ...library }: Library) => {
    const { sequential } = library as unknown as { sequential(options: object): unknown }
    const shared = { stateful: true, units: 4 }
    return sequential({
      layers: [
        layers[kind]!({ ...shared, returnSequences: true, batchInputShape: [4, 5, 2], name: 'first' }),
        layers[kind]!({ ...shared, goBackwards: true, name: 'second' }),
        layers.dense!({ units: 3, name: 'end' }),
      ],
    })
  }
  const tensors = {
    ours: [ls.tensor(data.x, [count, 5, 2]), ls.tensor(data.y, [count, 3])] as const,
    theirs: [tf.tensor(data.x, [count, 5, 2]), tf.tensor(data.y, [count, 3])] as const,
  }
  const agree = (model: ls.Sequential, other: tf.LayersModel, what: string) => {
    const y = other.predict(tensors.theirs[0], { batchSize: 4 }) as tf.Tensor
    close(model.predict(tensors.ours[0]).dataSync(), y.dataSync(), what)
  }

  test('goes on as that of TensorFlow.js, in prediction, training and evaluation', async () => {
    const model = make(ours) as ls.Sequential
    const other = make(theirs) as tf.LayersModel
    give(model, other)
    agree(model, other, 'from zeros')
    agree(model, other, 'from the states before')
    model.resetStates()
    other.resetStates()
    agree(model, other, 'from zeros again')
    model.compile({ optimizer: ls.train.sgd(0.1), loss: 'meanSquaredError' })
    other.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' })
    const options = { epochs: 2, shuffle: false, batchSize: 4, verbose: 0 }
    const { history } = await model.fit(...tensors.ours, { ...options, workers: 2 })
    const found = await other.fit(...tensors.theirs, options)
    close(history.loss!, found.history.loss as number[], 'losses')
    agree(model, other, 'after training')
    const [loss, expected] = [
      model.evaluate(...tensors.ours) as ls.Tensor,
      other.evaluate(...tensors.theirs, { batchSize: 4 }) as tf.Scalar,
    ]
    close(loss.dataSync(), expected.dataSync(), 'evaluation')
    agree(model, other, 'after evaluation')
  })

  test('is exchanged with TensorFlow.js', async () => {
    const model = make(ours) as ls.Sequential
    agree(model, await readByTheirs(model), 'read by TensorFlow.js')
    const other = make(theirs) as tf.LayersModel
    agree(await readByOurs(other), other, 'read from TensorFlow.js')
  })
})
