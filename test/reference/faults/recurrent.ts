import * as tf from '@tensorflow/tfjs'
import * as ls from '../../../src/index.ts'
import { type Fault, flat, outcome } from './evidence.ts'

/** What a model is made with in either library. */
interface Library {
  input(options: object): unknown
  model(options: object): unknown
  readonly layers: Record<string, (options: object) => { apply(inputs: unknown, options?: object): unknown }>
}
const libraries = { ours: ls as unknown as Library, theirs: tf as unknown as Library }
interface TheirModel {
  predict(x: tf.Tensor[]): tf.Tensor
}

/** Recurrent layers of one unit that add up their input: what they make can be done in the head. */
const adding = (layers: Library['layers'], options: object = {}) =>
  layers.simpleRNN!({
    ...{ units: 1, activation: 'linear', useBias: false },
    ...{ kernelInitializer: 'ones', recurrentInitializer: 'ones', ...options },
  })

type Data = readonly (readonly [values: number[], shape: number[]])[]

/** What both libraries predict for one sample of each input, its shape after it. */
async function predictions(data: Data, build: (layers: Library['layers'], inputs: unknown[]) => unknown) {
  const make = ({ input, layers, model }: Library) => {
    const inputs = data.map(([, shape]) => input({ shape }))
    return model({ inputs, outputs: build(layers, inputs) })
  }
  const theirs = make(libraries.theirs) as TheirModel
  const ours = make(libraries.ours) as ls.Model
  const x = data.map(([values, shape]) => ls.tensor(values, [1, ...shape]))
  return {
    theirs: await outcome(() =>
      flat(theirs.predict(data.map(([values, shape]) => tf.tensor(values, [1, ...shape])))),
    ),
    ours: (ours.predict(x) as ls.Tensor).dataSync(),
  }
}

/** Whether a decoder whose state is put out can be trained. */
async function trainedDecoder(library: keyof typeof libraries): Promise<string> {
  const { input, layers, model } = libraries[library]
  const inputs = [input({ shape: [2, 1] }), input({ shape: [1] })]
  const decoder = adding(layers, { returnState: true })
  const outputs = decoder.apply(inputs[0], { initialState: [inputs[1]] })
  const made = model({ inputs, outputs }) as ls.Model
  made.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  const tensor = library === 'ours' ? ls.tensor : (tf.tensor as unknown as typeof ls.tensor)
  const one = tensor([1], [1, 1])
  await made.trainOnBatch([tensor([1, 2], [1, 2, 1]), one], [one, one])
  return 'trains'
}

/** One sequence of single features, behind what masks its zeros. */
const masked = (values: number[]): Data => [[values, [values.length, 1]]]
const behind = (layers: Library['layers'], x: unknown) => layers.masking!({}).apply(x)

export const recurrentFaults: Readonly<Record<string, Fault>> = {
  staleMask: {
    says: 'A recurrent layer takes a mask that a layer before it has dropped.',
    show: async () => ({
      expected: [1, 2],
      ...(await predictions(masked([1, 0]), (layers, [x]) => {
        const last = layers.repeatVector!({ n: 2 }).apply(adding(layers).apply(behind(layers, x)))
        return adding(layers, { returnSequences: true }).apply(last)
      })),
    }),
  },
  backwardMask: {
    says: 'With `goBackwards` the output is in the order of the steps, its mask in that of the input.',
    show: async () => ({
      expected: [2 + (2 + 1)],
      ...(await predictions(masked([1, 2, 0]), (layers, [x]) => {
        const first = adding(layers, { returnSequences: true, goBackwards: true })
        return adding(layers).apply(first.apply(behind(layers, x)))
      })),
    }),
  },
  followedState: {
    says: 'Behind a mask, or in training, a recurrent layer throws where one before it has an `initialState`.',
    show: async () => ({
      expected: [6 + 7],
      ...(await predictions([...masked([1, 1]), [[5], [1]]], (layers, [x, h]) => {
        const first = adding(layers, { returnSequences: true })
        return adding(layers).apply(first.apply(behind(layers, x), { initialState: [h] }))
      })),
    }),
  },
  trainedStates: {
    says: 'A model that puts out the states of a layer with `initialState` cannot be trained.',
    show: async () => ({
      theirs: await outcome(() => trainedDecoder('theirs')),
      ours: await outcome(() => trainedDecoder('ours')),
      expected: 'trains',
    }),
  },
}
