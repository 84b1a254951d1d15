import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { getConstraint } from '../src/training/constraints.ts'
import { noise, relativeError } from './bed.ts'
import { prove } from './kernels/trial.ts'
import { batchOf, type Recipe, readByOurs, readByTheirs, twins, weightsOf } from './reference/tfjs.ts'

beforeAll(() => tf.setBackend('cpu'))

const cases: [string, { className: string; config: object }][] = [
  ['maxNorm', { className: 'MaxNorm', config: { maxValue: 0.6, axis: 0 } }],
  ['unitNorm', { className: 'UnitNorm', config: { axis: 0 } }],
  ['nonNeg', { className: 'NonNeg', config: {} }],
  ['minMaxNorm', { className: 'MinMaxNorm', config: { minValue: 0.4, maxValue: 0.5, rate: 0.7, axis: 0 } }],
]

describe.each(cases)('%s', (_, constraint) => {
  const recipe: Recipe = [
    ['conv2d', { filters: 17, kernelSize: 2, kernelConstraint: constraint, biasConstraint: constraint }],
    ['batchNormalization', { gammaConstraint: constraint, betaConstraint: constraint }],
    ['flatten'],
    ['dense', { units: 18, kernelConstraint: constraint, activation: 'tanh' }],
    ['dense', { units: 5, kernelConstraint: constraint, biasConstraint: constraint }],
  ]
  const [x, y] = [batchOf(noise(108, 1), [6, 3, 3, 2]), batchOf(noise(30, 2), [6, 5])]

  test('constrains weights as TensorFlow.js', async () => {
    const { ours, theirs } = twins(recipe, [3, 3, 2])
    ours.compile({ optimizer: ls.train.sgd(0.05), loss: 'meanSquaredError' })
    theirs.compile({ optimizer: tf.train.sgd(0.05), loss: 'meanSquaredError' })
    // TensorFlow.js constrains what is set, but forgets what its optimizers update.
    ours.setWeights(theirs.getWeights().map(w => ls.tensor(w.dataSync() as Float32Array, w.shape)))
    for (let step = 0; step < 3; step++) {
      await ours.trainOnBatch(x.ours, y.ours)
      await theirs.trainOnBatch(x.theirs, y.theirs)
      theirs.setWeights(theirs.getWeights().map(w => w.clone()))
    }
    const expected = weightsOf(theirs)
    weightsOf(ours).forEach((w, i) =>
      expect(relativeError(w, expected[i]!), ours.weights[i]!.name).toBeLessThan(5e-6),
    )
    ours.dispose()
  })

  test('has the same bits with any number of workers', async () => {
    const { ours } = twins(recipe, [3, 3, 2])
    const initial = ours.getWeights()
    const run = async (workers: number) => {
      ours.setWeights(initial)
      ours.compile({ optimizer: ls.train.sgd(0.05), loss: 'meanSquaredError' })
      await ours.fit(x.ours, y.ours, { epochs: 3, batchSize: 4, seed: 1, shuffle: false, workers })
      return weightsOf(ours).map(w => w.slice())
    }
    const one = await run(1)
    expect(await run(2)).toEqual(one)
    expect(await run(3)).toEqual(one)
    ours.dispose()
  })

  test('is saved and read', async () => {
    const { ours, theirs } = twins(recipe, [3, 3, 2])
    const again = await readByOurs(theirs)
    expect(again.layers[0]!.weights[0]!.constraint).toMatchObject(constraint)
    expect((await readByTheirs(again)).layers.at(-1)!.getConfig().kernelConstraint).toEqual(constraint)
    for (const model of [ours, again]) model.dispose()
  })
})

describe('norms over any axes', () => {
  const shapes = [[7], [5, 3], [2, 3, 4, 17], [1, 33], [3, 2, 16]]
  const choices = shapes.flatMap(shape =>
    [0, -1, [0, 1], [1, 2], [0, 1, 2], [-1, -2], [0, 1, 2, 3]].map(axis => ({ shape, axis })),
  )
  const possible = choices.filter(
    ({ shape, axis }) => Math.max(...[axis].flat().map(a => (a < 0 ? -a - 1 : a))) < shape.length,
  )
  test.each(possible)('$axis of $shape', async ({ shape, axis }) => {
    const size = shape.reduce((a, b) => a * b)
    const w = noise(size, 3)
    const tensor = tf.tensor(w, shape)
    const norms = tf.sqrt(tf.sum(tf.square(tensor), axis, true))
    const expected = await tf.div(tensor, tf.add(norms, 1e-7)).data()
    expect(relativeError(constrained(w, shape, axis), expected)).toBeLessThan(1e-6)
  })

  /** w after unitNorm over the axes. */
  function constrained(w: Float32Array, shape: number[], axis: number | number[]): Float32Array {
    const n = shape.at(-1)!
    const k = w.length / n
    const panels = Math.ceil(n / 16)
    const at = (i: number) => (Math.floor((i % n) / 16) * k + Math.floor(i / n)) * 16 + ((i % n) % 16)
    const packed = new Float32Array(panels * k * 16)
    w.forEach((value, i) => (packed[at(i)] = value))
    const calls: { kernel: string; count: number; args: number[] }[] = []
    const spy = {
      update: (kernel: string, cut: { count: number }, _w: unknown, ...args: number[]) =>
        calls.push({ kernel, count: cut.count, args }),
    }
    ls.constraints.unitNorm({ axis }).record(spy as never, { shape, storage: {} } as never)
    const [{ kernel, count, args }] = calls as [(typeof calls)[0]]
    const [found] = prove({
      inputs: [packed],
      outputs: [packed.length],
      units: count,
      call(kernels, begin, end, [w], [y]) {
        // Groups lie scattered: all is copied with the last range, which comes first.
        if (end === count) kernels.copy(0, packed.length, w!, y!)
        ;(kernels[kernel as 'constrainRows'] as (...args: number[]) => void)(begin, end, y!, ...args)
      },
    })
    expect(found!.filter((_, i) => !w.some((_, j) => at(j) === i)).every(value => value === 0)).toBe(true)
    return w.map((_, i) => found![at(i)]!)
  }
})

test('wrong constraints are refused', () => {
  const { maxNorm, minMaxNorm, unitNorm } = ls.constraints
  const refused: [() => void, Error][] = [
    [() => maxNorm({ maxValue: -1 }), new RangeError('maxNorm: maxValue must be a number >= 0, got -1')],
    [() => minMaxNorm({ minValue: 2 }), new RangeError('minMaxNorm: maxValue must be a number >= 2, got 1')],
    [
      () => unitNorm({ axis: 0.5 }),
      new TypeError('unitNorm: axis must be an integer or a list of them, got 0.5; try 0'),
    ],
    [
      () => getConstraint('maxnorm' as never),
      new RangeError('getConstraint: unknown constraint "maxnorm"; did you mean "maxNorm"?'),
    ],
    [
      () =>
        ls.sequential({
          layers: [
            ls.layers.dense({ name: 'd', units: 2, inputShape: [3], biasConstraint: unitNorm({ axis: 1 }) }),
          ],
        }),
      new RangeError('d: constraint of bias: axis must be among the axes of shape [2], got 1; correct it'),
    ],
  ]
  for (const [make, error] of refused) expect(make).toThrow(error)
})
