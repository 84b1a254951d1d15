import * as tf from '@tensorflow/tfjs'
import { beforeAll, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import type { Layer } from '../src/layers/define.ts'
import { noise, relativeError } from './bed.ts'
import { caught } from './caught.ts'

beforeAll(() => tf.setBackend('cpu'))

type Name = 'add' | 'average' | 'dot' | 'maximum' | 'minimum' | 'multiply'
type Shape = readonly number[]

/** Joins of what dense layers make of two inputs of these shapes, in either library. */
function joining<Library extends typeof ls | typeof tf>(
  library: Library,
  name: Name,
  options: object,
  shapes: readonly Shape[],
) {
  const { input, layers, model } = library as typeof ls
  const inputs = shapes.map((shape, i) => input({ shape: [...shape], name: `in${i}` }))
  const bent = inputs.map((x, i) => layers.dense({ units: shapes[i]!.at(-1)!, activation: 'tanh' }).apply(x))
  const join = (layers[name] as (options: object) => Layer)(options)
  const joined = join.apply(bent) as unknown as ls.SymbolicTensor
  const flat = joined.shape.length > 2 ? layers.flatten({}).apply(joined) : joined
  return model({ inputs, outputs: [layers.dense({ units: 2 }).apply(flat)] })
}

const size = (shape: Shape) => shape.reduce((product, n) => product * n, 1)
const rows = 6

/** The largest error of predictions, losses and weights over three steps. */
async function parityOf(name: Name, options: object, shapes: readonly Shape[]): Promise<number> {
  const ours = joining(ls, name, structuredClone(options), shapes)
  const theirs = joining(tf, name, structuredClone(options), shapes) as unknown as tf.LayersModel
  theirs.setWeights(ours.getWeights().map(w => tf.tensor(w.dataSync() as Float32Array, [...w.shape])))
  const values = shapes.map((shape, i) => noise(rows * size(shape), 3 + i))
  const target = noise(2 * rows, 9)
  const ourXs = shapes.map((shape, i) => ls.tensor(values[i]!, [rows, ...shape]))
  const theirXs = shapes.map((shape, i) => tf.tensor(values[i]!, [rows, ...shape]))
  const predicted = () =>
    relativeError(
      (ours.predict(ourXs) as ls.Tensor).dataSync() as Float32Array,
      (theirs.predict(theirXs) as tf.Tensor).dataSync(),
    )
  const errors = [predicted()]
  const loss = 'meanSquaredError'
  const steps = untrainable.includes(name) ? 0 : 3
  ours.compile({ loss, optimizer: ls.train.sgd(0.1) })
  theirs.compile({ loss, optimizer: tf.train.sgd(0.1) })
  for (let step = 0; step < steps; step++) {
    const found = await ours.trainOnBatch(ourXs, ls.tensor(target, [rows, 2]))
    const expected = await theirs.trainOnBatch(theirXs, tf.tensor(target, [rows, 2]))
    errors.push(relativeError([found as number], [expected as number]))
  }
  const weights = theirs.getWeights()
  errors.push(predicted())
  errors.push(
    ...ours.getWeights().map((w, i) => relativeError(w.dataSync() as Float32Array, weights[i]!.dataSync())),
  )
  ours.dispose()
  return Math.max(...errors)
}

const broadcasts: (readonly Shape[])[] = [
  [[5], [4, 5]],
  [[4, 5], [5]],
  [
    [4, 1],
    [4, 5],
  ],
  [
    [1, 5],
    [4, 1],
  ],
  [[3], [2, 4, 3]],
  [
    [2, 1, 3],
    [2, 4, 1],
  ],
]
const names: Name[] = ['add', 'average', 'maximum', 'minimum', 'multiply']
/** TensorFlow.js does not sum their gradients over what it has broadcast, and throws. */
const untrainable: readonly Name[] = ['maximum', 'minimum']
const cases: [Name, object, readonly Shape[]][] = [
  ...names.flatMap(name => broadcasts.map((shapes): [Name, object, readonly Shape[]] => [name, {}, shapes])),
  ...[false, true].flatMap((normalize): [Name, object, readonly Shape[]][] => [
    ['dot', { axes: 1, normalize }, [[7], [7]]],
    ['dot', { axes: -1, normalize }, [[7], [7]]],
    [
      'dot',
      { axes: 2, normalize },
      [
        [4, 5],
        [3, 5],
      ],
    ],
    [
      'dot',
      { axes: 1, normalize },
      [
        [4, 5],
        [4, 3],
      ],
    ],
    [
      'dot',
      { axes: [1, 2], normalize },
      [
        [4, 5],
        [3, 4],
      ],
    ],
    [
      'dot',
      { axes: [2, 1], normalize },
      [
        [4, 5],
        [5, 3],
      ],
    ],
    ['dot', { axes: [1, 2], normalize }, [[5], [4, 5]]],
    ['dot', { axes: [2, 1], normalize }, [[4, 5], [5]]],
  ]),
]

test.each(cases)('%s %j of %j as TensorFlow.js', async (name, options, shapes) => {
  expect(await parityOf(name, options, shapes)).toBeLessThan(5e-6)
})

test.each([{ workers: 2 }, { workers: 3 }, { workers: 2, accumulate: true }])(
  'joins that broadcast have the same bits: %j',
  async options => {
    const trained = async (more: ls.FitOptions) => {
      const model = ls.sequential({ seed: 1, layers: [ls.layers.dense({ units: 4, inputShape: [3, 4] })] })
      const [a, b] = [ls.input({ shape: [3, 4] }), ls.input({ shape: [4] })]
      const bent = ls.layers.dense({ units: 4 }).apply(b)
      const sum = ls.layers.add({}).apply([model.apply(a) as ls.SymbolicTensor, bent]) as ls.SymbolicTensor
      const product = ls.layers
        .dot({ axes: [1, 1], normalize: true })
        .apply([sum, model.apply(a) as ls.SymbolicTensor])
      const whole = ls.model({ inputs: [a, b], outputs: [product as ls.SymbolicTensor], seed: 4 })
      whole.compile({ optimizer: 'adam', loss: 'meanSquaredError', leaves: 2 })
      const xs = [ls.tensor(noise(240, 1), [20, 3, 4]), ls.tensor(noise(80, 2), [20, 4])]
      await whole.fit(xs, ls.tensor(noise(320, 3), [20, 4, 4]), { batchSize: 7, seed: 2, ...more })
      const weights = whole.getWeights().flatMap(w => [...w.dataSync()] as number[])
      for (const each of [whole, model]) each.dispose()
      return weights
    }
    expect(await trained(options)).toEqual(await trained({ workers: 1 }))
  },
)

const apply =
  (layer: Layer, ...shapes: Shape[]) =>
  () =>
    layer.apply(shapes.map(shape => ls.input({ shape: [...shape] })))
const { add, dot } = ls.layers
const failures: [run: () => unknown, text: string][] = [
  [
    apply(add({ name: 'it' }), [2, 3], [2]),
    'RangeError: it: its inputs must have the same sizes, or 1, from the last axis on, got [2,3] and [2]; reshape one',
  ],
  [
    apply(dot({ axes: 1, name: 'it' }), [2]),
    'RangeError: it: it must have 2 inputs, got 1; apply it to a list',
  ],
  [
    apply(dot({ axes: 1, name: 'it' }), [2], [3]),
    'RangeError: it: the inputs must have the same size along axes, got 2 and 3 of [2] and [3]; correct axes',
  ],
  [
    apply(dot({ axes: 0, name: 'it' }), [2], [2]),
    'RangeError: it: axes must lie in [-1, 1] and not be 0, that of the batch, got 0; correct axes',
  ],
  [
    () => dot({ axes: [1] as unknown as number }),
    'TypeError: Dot: axes must be an integer or two, got [1]; write [2, 1]',
  ],
]

test.each(failures)('message %#', async (run, text) => {
  expect(await caught(run)).toBe(text)
})
