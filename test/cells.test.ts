import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { sizeOf } from '../src/graph/value.ts'
import * as ls from '../src/index.ts'
import { Composite } from '../src/layers/composite.ts'
import { unroll } from '../src/layers/course.ts'
import * as layers from '../src/layers/table.ts'
import { activate } from '../src/ops/activation.ts'
import { stepMask } from '../src/ops/masks.ts'
import { concat, sliceAxis } from '../src/ops/moves.ts'
import { losses } from '../src/training/losses.ts'
import { noise, relativeError } from './bed.ts'
import { caught } from './caught.ts'
import { build, measure } from './reference/measure.ts'
import { gradientError } from './reference/prove.ts'
import {
  batchOf,
  close,
  copyWeights,
  numbers,
  predictionsOf,
  readByOurs,
  readByTheirs,
  stir,
  weightsOf,
  withFolder,
} from './reference/tfjs.ts'

type Library = typeof tf.layers
/** Layers made by either library: cells are made anew for each. */
type Recipe = (make: Library) => tf.layers.Layer[]

const head = (make: Library) => make.dense({ units: 3, activation: 'softmax' })

function twins(recipe: Recipe) {
  const ours = ls.sequential({ layers: recipe(ls.layers as unknown as Library) as never, seed: 4 })
  const theirs = tf.sequential({ layers: recipe(tf.layers) })
  stir(ours)
  copyWeights({ ours, theirs })
  return { ours, theirs }
}

/** Networks, with the shape of a sample. */
const networks: Record<string, [input: number[], recipe: Recipe]> = {
  'one cell of each kind': [
    [5, 4],
    make => [
      make.rnn({
        cell: make.lstmCell({ units: 6, activation: 'softsign' }),
        returnSequences: true,
        inputShape: [5, 4],
      }),
      make.rnn({
        cell: make.gruCell({ units: 5, recurrentActivation: 'sigmoid' }),
        goBackwards: true,
        returnSequences: true,
      }),
      make.rnn({ cell: make.simpleRNNCell({ units: 4, useBias: false }) as never }),
      head(make),
    ],
  ],
  'stacked cells': [
    [4, 3],
    make => [
      make.rnn({
        cell: [
          make.lstmCell({ units: 5 }),
          make.gruCell({ units: 4, activation: 'mish' }),
          make.simpleRNNCell({ units: 17 }),
        ] as never,
        returnSequences: true,
        inputShape: [4, 3],
      }),
      make.rnn({
        cell: make.stackedRNNCells({
          cells: [make.gruCell({ units: 3 }), make.lstmCell({ units: 2, unitForgetBias: true })] as never,
        }),
        goBackwards: true,
      }),
      head(make),
    ],
  ],
  'convolutional memory': [
    [3, 6, 5, 2],
    make => [
      make.convLstm2d({ filters: 4, kernelSize: 3, returnSequences: true, inputShape: [3, 6, 5, 2] }),
      make.convLstm2d({
        filters: 3,
        kernelSize: [2, 3],
        padding: 'same',
        strides: [2, 1],
        goBackwards: true,
        unitForgetBias: true,
        recurrentActivation: 'sigmoid',
      }),
      make.flatten(),
      head(make),
    ],
  ],
}

describe.each(Object.entries(networks))('%s', (_, [input, recipe]) => {
  const size = input.reduce((product, n) => product * n, 1)
  const batch = (rows: number, seed: number) => batchOf(noise(rows * size, seed), [rows, ...input])
  const classes = (rows: number) =>
    batchOf(
      Float32Array.from({ length: rows * 3 }, (_, i) => Number(i % 3 === Math.floor(i / 3) % 3)),
      [rows, 3],
    )

  test('predicts and trains as TensorFlow.js', async () => {
    const { ours, theirs } = twins(recipe)
    expect(ours.weights.map(({ name }) => name.replace(/^[^/]*/, ''))).toEqual(
      theirs.weights.map(({ originalName }) => originalName.replace(/^[^/]*/, '')),
    )
    const x = batch(7, 1)
    close(ours.predict(x.ours).dataSync(), predictionsOf(theirs, x.theirs), 'predictions')
    const loss = 'categoricalCrossentropy'
    ours.compile({ loss, optimizer: ls.train.sgd(0.1) })
    theirs.compile({ loss, optimizer: tf.train.sgd(0.1) })
    for (let step = 0; step < 3; step++) {
      const [xs, ys] = [batch(9 - step, 10 + step), classes(9 - step)]
      const found = numbers(await ours.trainOnBatch(xs.ours, ys.ours))
      close(found, numbers(await theirs.trainOnBatch(xs.theirs, ys.theirs)), 'losses')
    }
    const expected = weightsOf(theirs)
    weightsOf(ours).forEach((w, i) => close(w, expected[i]!, ours.weights[i]!.name))
    ours.dispose()
  })

  test('saved models are read by the other side', async () => {
    const { ours, theirs } = twins(recipe)
    const x = batch(5, 2)
    const expected = ours.predict(x.ours).dataSync()
    close(predictionsOf(await readByTheirs(ours), x.theirs), expected, 'read by TensorFlow.js')
    const again = await readByOurs(theirs)
    expect(again.predict(x.ours).dataSync()).toEqual(expected)
    for (const model of [ours, again]) model.dispose()
  })
})

describe('steps recorded one by one do what kernels do of all at once', () => {
  const options = { units: 5, recurrentActivation: 'sigmoid', dropout: 0.3, recurrentDropout: 0.2 } as const
  const { recurrentActivation: _, ...simple } = options
  const cells = {
    simpleRNNCell: () => layers.simpleRNNCell(simple),
    gruCell: () => layers.gruCell(options),
    'gruCell, resetAfter': () => layers.gruCell({ ...options, resetAfter: true }),
    lstmCell: () => layers.lstmCell(options),
  }
  const flags = [false, true]
  const cases = Object.entries(cells).flatMap(([name, make]) =>
    flags.flatMap(sequences =>
      flags.flatMap(backwards => flags.map(masked => [name, make, sequences, backwards, masked] as const)),
    ),
  )

  test.each(cases)(
    '%s %o, sequences %s, backwards %s, masked %s',
    (_, make, sequences, backwards, masked) => {
      const [samples, time, n] = [7, 6, 10]
      const cell = make()
      const layerOf = (kind: 'whole' | 'unrolled') =>
        new Composite('Steps', { cell }, { name: 'steps' }, (builder, [x]) => {
          const { g } = builder
          const steps = cell.begin(g, [n], 'steps')
          const initial = steps.states.map((_, i) =>
            g.view(activate(g, sliceAxis(g, x!, 0, i, 1), 'tanh'), [n]),
          )
          const course = {
            sequences,
            backwards,
            steps: masked ? stepMask(g, x!, 0) : undefined,
            initial: initial.map(h => sliceAxis(g, h, 0, 0, 5)),
          }
          const { y, states } =
            kind === 'whole' ? steps.whole!(x!, course) : unroll(builder, steps, x!, course)
          return [
            concat(
              g,
              [y, ...states].map(part => g.view(part, [sizeOf(part.shape)])),
              0,
            ),
          ]
        })
      const setup = { input: [time, n], samples, loss: losses.meanSquaredError }
      const { shape, weights } = build({ ...setup, layers: [layerOf('whole')] })
      const target = noise(samples * sizeOf(shape), 2)
      const x = noise(samples * time * n, 1).map((value, i) => (Math.floor(i / n) % 3 === 1 ? 0 : value))
      const named = Object.fromEntries(
        weights.map(({ name, shape }, i) => [name, noise(sizeOf(shape), 3 + i)]),
      )
      const run = (kind: 'whole' | 'unrolled') =>
        measure({ ...setup, layers: [layerOf(kind)] }, { x, target, weights: named })
      const [whole, unrolled] = [run('whole'), run('unrolled')]
      expect(relativeError(unrolled.y, whole.y)).toBeLessThan(1e-6)
      expect(relativeError(unrolled.dx, whole.dx)).toBeLessThan(2e-6)
      expect(Object.keys(whole.gradients)).toHaveLength(3)
      for (const [name, dw] of Object.entries(whole.gradients))
        expect(relativeError(unrolled.gradients[name]!, dw), name).toBeLessThan(2e-6)
    },
  )
})

describe('states', () => {
  type Layers = typeof tf.layers
  const recurrences: Record<
    string,
    [shape: number[], states: number[][], make: (make: Layers, options: object) => tf.layers.Layer]
  > = {
    'rnn of one cell': [
      [3],
      [[4], [4]],
      (make, options) => make.rnn({ cell: make.lstmCell({ units: 4, activation: 'mish' }), ...options }),
    ],
    'rnn of stacked cells': [
      [3],
      [[2], [4], [4]],
      (make, options) =>
        make.rnn({ cell: [make.lstmCell({ units: 4 }), make.gruCell({ units: 2 })] as never, ...options }),
    ],
    convLstm2d: [
      [4, 3, 2],
      [
        [3, 2, 3],
        [3, 2, 3],
      ],
      (make, options) => make.convLstm2d({ filters: 3, kernelSize: 2, ...options } as never),
    ],
  }
  const all = Object.entries(recurrences)
  /** Both models from a layer applied to x and initial states: all its outputs. */
  const modelsOf = (
    input: number[],
    states: number[][],
    make: (make: Layers, options: object) => tf.layers.Layer,
    options: object,
  ) => {
    const build = (library: typeof tf) => {
      const inputs = [input, ...states].map(shape => library.input({ shape }))
      const [x, ...initial] = inputs as [tf.SymbolicTensor, ...tf.SymbolicTensor[]]
      const layer = make(library.layers, { returnState: true, ...options })
      const outputs = layer.apply(x, { initialState: initial }) as tf.SymbolicTensor[]
      return library.model({ inputs, outputs })
    }
    const ours = build(ls as unknown as typeof tf) as unknown as ls.Model
    const theirs = build(tf)
    stir(ours)
    copyWeights({ ours, theirs } as never)
    return { ours, theirs }
  }

  test.each(all)('%s takes and returns them as TensorFlow.js', async (_, [shape, states, make]) => {
    for (const options of [{}, { returnSequences: true, goBackwards: true }]) {
      const { ours, theirs } = modelsOf([4, ...shape], states, make, options)
      const batches = [[4, ...shape], ...states].map((own, i) =>
        batchOf(noise(5 * sizeOf(own), 3 + i), [5, ...own]),
      )
      const found = ours.predict(batches.map(batch => batch.ours)) as ls.Tensor[]
      const expected = theirs.predict(batches.map(batch => batch.theirs)) as tf.Tensor[]
      expect(found.map(own => own.shape)).toEqual(expected.map(own => own.shape))
      found.forEach((own, i) => close(own.dataSync(), expected[i]!.dataSync(), `output ${i}`))
      const again = await readByOurs(theirs)
      const read = (again as unknown as ls.Model).predict(batches.map(batch => batch.ours)) as ls.Tensor[]
      read.forEach((own, i) => expect(own.dataSync()).toEqual(found[i]!.dataSync()))
      const back = (await readByTheirs(ours)).predict(batches.map(batch => batch.theirs)) as tf.Tensor[]
      back.forEach((own, i) => close(own.dataSync(), found[i]!.dataSync(), `read by TensorFlow.js, ${i}`))
    }
  })

  test.each(all)('%s keeps them from one mini-batch to the next', (_, [shape, , make]) => {
    const layersOf = (options: object, time: number) => [
      make(ls.layers as unknown as Layers, { batchInputShape: [2, time, ...shape], ...options }) as never,
    ]
    const long = ls.sequential({ layers: layersOf({ returnSequences: true }, 6), seed: 3 })
    const short = ls.sequential({ layers: layersOf({ returnSequences: true, stateful: true }, 3), seed: 3 })
    const x = noise(12 * sizeOf(shape), 1)
    const whole = ls.tensor(x, [2, 6, ...shape])
    const [first, second] = [0, 1].map(half => {
      const values = [0, 1].flatMap(sample => [
        ...x.slice((sample * 6 + half * 3) * sizeOf(shape), (sample * 6 + half * 3 + 3) * sizeOf(shape)),
      ])
      return ls.tensor(values, [2, 3, ...shape])
    })
    const expected = long.predict(whole).dataSync()
    const size = expected.length / 12
    const partOf = (half: number) =>
      [0, 1].flatMap(sample => [
        ...expected.slice((sample * 6 + half * 3) * size, (sample * 6 + half * 3 + 3) * size),
      ])
    expect([...short.predict(first!).dataSync()]).toEqual(partOf(0))
    expect([...short.predict(second!).dataSync()]).toEqual(partOf(1))
    short.resetStates()
    expect([...short.predict(first!).dataSync()]).toEqual(partOf(0))
    for (const model of [long, short]) model.dispose()
  })
})

test('a cell alone is one step', () => {
  const [x, h, c] = [[3], [4], [4]].map(shape => ls.input({ shape }))
  const cell = ls.layers.lstmCell({ units: 4, name: 'cell' })
  const model = ls.model({ inputs: [x!, h!, c!], outputs: cell.apply([x!, h!, c!]) as ls.SymbolicTensor[] })
  const whole = ls.layers.lstm({ units: 4, returnState: true })
  const sequence = ls.input({ shape: [1, 3] })
  const outputs = whole.apply<ls.SymbolicTensor[]>(sequence, { initialState: [h!, c!] })
  const other = ls.model({ inputs: [sequence, h!, c!], outputs })
  other.setWeights(model.getWeights())
  const values = [3, 4, 4].map((n, i) => noise(2 * n, i))
  const [found, expected] = [
    model.predict(values.map((own, i) => ls.tensor(own, [2, [3, 4, 4][i]!]))),
    other.predict(values.map((own, i) => ls.tensor(own, i === 0 ? [2, 1, 3] : [2, 4]))),
  ] as ls.Tensor[][]
  expect(found!.map(({ shape }) => shape)).toEqual([
    [2, 4],
    [2, 4],
    [2, 4],
  ])
  found!.forEach((own, i) => close(own.dataSync(), expected![i]!.dataSync(), `output ${i}`))
  expect(ls.layers.lstmCell({ units: 4 }).apply(x!)).toHaveLength(3)
  for (const each of [model, other]) each.dispose()
})

test('both ways, a cell does what the layer does', () => {
  const { bidirectional, lstm, lstmCell, rnn } = ls.layers
  const [ofCell, ofLayer] = [rnn({ cell: lstmCell({ units: 4 }) }), lstm({ units: 4 })].map(layer =>
    ls.sequential({ layers: [bidirectional({ layer, inputShape: [5, 3] })] }),
  )
  ofLayer!.setWeights(ofCell!.getWeights())
  const x = ls.tensor(noise(2 * 15, 1), [2, 5, 3])
  expect(ofCell!.predict(x).dataSync()).toEqual(ofLayer!.predict(x).dataSync())
  for (const model of [ofCell!, ofLayer!]) model.dispose()
})

/** s becomes s + x·kernel; the output is s beside x. */
const runningSum = ls.defineCell(
  'RunningSum',
  { initializer: 'zeros' },
  ({ weight }, [n], { initializer }) => {
    const w = weight('kernel', [n!, n!], { initializer: initializer as 'zeros' })
    return {
      states: [[n!]],
      output: [2 * n!],
      step(x, [s]) {
        const sum = ls.ops.add(s!, ls.ops.matMul(x, w))
        return [ls.ops.concat([sum, x]), sum]
      },
    }
  },
)

describe('a cell of the user', () => {
  const [samples, time, n] = [4, 5, 3]
  /** The outputs after each step that counts, in float64; those of one below go into the next. */
  function sums(x: Float64Array, kernels: readonly Float64Array[], steps: Float64Array, backwards: boolean) {
    const last = kernels.reduce(width => 2 * width, n)
    const y = new Float64Array(samples * time * last)
    for (let sample = 0; sample < samples; sample++) {
      const states = kernels.map((_, i) => new Float64Array(n * 2 ** i))
      let output: Float64Array = new Float64Array(last)
      for (let step = 0; step < time; step++) {
        const at = sample * time + (backwards ? time - 1 - step : step)
        if (steps[at] === 1) {
          output = kernels.reduce(
            (input, w, i) => {
              const state = states[i]!
              state.forEach((_, j) =>
                input.forEach((value, k) => (state[j]! += value * w[k * state.length + j]!)),
              )
              const output = new Float64Array(2 * state.length)
              output.set(state)
              output.set(input, state.length)
              return output
            },
            x.slice(at * n, at * n + n),
          )
        }
        y.set(output, (sample * time + step) * last)
      }
    }
    return y
  }

  test.each([
    [1, false, false],
    [1, true, true],
    [2, false, true],
    [2, true, false],
    [3, true, true],
  ])('%i of them, backwards %s, masked %s', (count, goBackwards, masked) => {
    const cell = Array.from({ length: count }, () => runningSum({}))
    const stack = [layers.rnn({ cell: count === 1 ? cell[0]! : cell, returnSequences: true, goBackwards })]
    const all = masked ? [layers.masking({}), ...stack] : stack
    const setup = { layers: all, input: [time, n], samples, loss: losses.meanSquaredError }
    const { shape, weights } = build(setup)
    expect(shape).toEqual([time, n * 2 ** count])
    const steps = Float64Array.from({ length: samples * time }, (_, i) => Number(!masked || i % 3 > 0))
    const x = noise(samples * time * n, 1).map((value, i) => value * steps[Math.floor(i / n)]!)
    const named = Object.fromEntries(weights.map(({ name, shape }, i) => [name, noise(sizeOf(shape), 3 + i)]))
    const target = noise(samples * sizeOf(shape), 2)
    const { y, dx, gradients } = measure(setup, { x, target, weights: named })
    const x64 = Float64Array.from(x)
    const kernels = Object.values(named).map(w => Float64Array.from(w))
    const expected = () => sums(x64, kernels, steps, goBackwards)
    expect(relativeError(y, expected())).toBeLessThan(1e-6)
    const out = goBackwards ? steps.map((_, i) => steps[i - (i % time) + time - 1 - (i % time)]!) : steps
    const counted = out.reduce((a, b) => a + b, 0) * shape[1]!
    const loss = () =>
      expected().reduce((sum, value, i) => {
        const counts = out[Math.floor(i / shape[1]!)]!
        return sum + (counts * (value - target[i]!) ** 2) / counted
      }, 0)
    if (!masked) expect(gradientError(loss, x64, dx)).toBeLessThan(1e-5)
    Object.values(gradients).forEach((dw, i) =>
      expect(gradientError(loss, kernels[i]!, dw)).toBeLessThan(1e-5),
    )
  })
})

test('a cell of the user trains to the same bits, keeps its states, and is saved', async () => {
  const { dense, lstmCell, rnn } = ls.layers
  const leaky = ls.defineCell(
    'Leaky',
    { rate: 0.5, dropout: 0.25 },
    ({ dropoutMask, weight }, [n], { rate, dropout }) => {
      const w = weight('kernel', [n!, 3], { initializer: 'glorotUniform' })
      const mask = dropoutMask([n!], dropout)
      return {
        states: [[3]],
        ahead: xs => ls.ops.matMul(ls.ops.multiply(xs, mask), w),
        step(z, [h]) {
          const next = ls.ops.add(ls.ops.multiply(h!, rate), ls.ops.tanh(z))
          return [next, next]
        },
      }
    },
  )
  ls.serialization.registerClass(leaky)
  const run = async (options: ls.FitOptions) => {
    const cell = [leaky({}), lstmCell({ units: 4 }), leaky({ rate: 0.25 })]
    const model = ls.sequential({ layers: [rnn({ cell, inputShape: [5, 2] }), dense({ units: 1 })], seed: 2 })
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError', leaves: 4 })
    await model.fit(noise(30 * 10, 1), noise(30, 2), { epochs: 3, batchSize: 16, seed: 7, ...options })
    return model
  }
  const model = await run({ workers: 1 })
  const bytes = (each: ls.Sequential | ls.Model) => each.getWeights().map(w => [...w.dataSync()])
  for (const options of [{ workers: 2 }, { workers: 3 }, { workers: 2, accumulate: true }]) {
    const other = await run(options)
    expect(bytes(other)).toEqual(bytes(model))
    other.dispose()
  }
  const x = ls.tensor(noise(20, 5), [2, 5, 2])
  await withFolder(async folder => {
    await model.save(`file://${folder}`)
    const again = await ls.loadLayersModel(`file://${folder}`)
    expect((again.predict(x) as ls.Tensor).dataSync()).toEqual(model.predict(x).dataSync())
    again.dispose()
  })
  const stateful = (time: number, options: object) =>
    ls.sequential({ layers: [rnn({ cell: leaky({}), batchInputShape: [1, time, 2], ...options })], seed: 3 })
  const [long, short] = [stateful(4, {}), stateful(2, { stateful: true })]
  const values = noise(8, 6)
  short.predict(ls.tensor(values.slice(0, 4), [1, 2, 2]))
  expect([...short.predict(ls.tensor(values.slice(4), [1, 2, 2])).dataSync()]).toEqual([
    ...long.predict(ls.tensor(values, [1, 4, 2])).dataSync(),
  ])
  for (const each of [model, long, short]) each.dispose()
})

/** Weights after training on 70 sequences. */
async function trained(options: ls.FitOptions): Promise<number[][]> {
  const { convLstm2d, flatten, gruCell, lstmCell, reshape, rnn, simpleRNNCell } = ls.layers
  const cell = [
    lstmCell({ units: 7, dropout: 0.2, activation: 'gelu' }),
    gruCell({ units: 5, recurrentDropout: 0.3 }),
    simpleRNNCell({ units: 8 }),
  ]
  const model = ls.sequential({
    seed: 5,
    layers: [
      convLstm2d({
        filters: 3,
        kernelSize: 2,
        returnSequences: true,
        dropout: 0.1,
        inputShape: [4, 3, 4, 2],
      }),
      reshape({ targetShape: [4, -1] }),
      rnn({ cell, returnSequences: true, goBackwards: true }),
      flatten({}),
      ls.layers.dense({ units: 3, activation: 'softmax' }),
    ],
  })
  model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', leaves: 4 })
  const y = Float32Array.from({ length: 70 }, (_, i) => i % 3)
  await model.fit(noise(70 * 96, 3), y, { epochs: 2, batchSize: 32, seed: 8, ...options })
  const weights = model.getWeights().map(weight => [...weight.dataSync()] as number[])
  model.dispose()
  return weights
}

test('cells give the same bits for any number of workers, all leaves at once or one by one', async () => {
  const expected = await trained({ workers: 1 })
  expect(expected.flat().every(Number.isFinite)).toBe(true)
  expect(await trained({ workers: 2 })).toEqual(expected)
  expect(await trained({ workers: 3 })).toEqual(expected)
  expect(await trained({ workers: 2, accumulate: true })).toEqual(expected)
})

describe('messages', () => {
  const { convLstm2d, gruCell, lstmCell, rnn, simpleRNNCell, stackedRNNCells } = ls.layers
  const wrong = ls.defineCell('Wrong', {}, (_, shape) => ({
    states: [shape],
    step: (x, [s]) => [ls.ops.concat([x, s!]), s!],
  }))
  const empty = ls.defineCell('Empty', {}, () => 3 as never)
  const add = (make: () => object) => () => ls.sequential({ layers: [make() as never] })
  test.each<[() => unknown, string]>([
    [
      () => rnn({ cell: 3 as never }),
      'TypeError: RNN: cell must be cells, got [3]; write [ls.layers.lstmCell({ units: 32 })]',
    ],
    [() => rnn({} as never), 'TypeError: RNN: cell must be given, got undefined; add it to the options'],
    [
      () => rnn({ cell: lstmCell({ units: 2 }), returnSequence: true } as never),
      'TypeError: RNN: unknown option "returnSequence"; did you mean "returnSequences"?',
    ],
    [
      () => stackedRNNCells({ cells: [] }),
      'TypeError: StackedRNNCells: cells must be cells, got []; write [ls.layers.lstmCell({ units: 32 })]',
    ],
    [
      () => stackedRNNCells({ cell: [] } as never),
      'TypeError: StackedRNNCells: unknown option "cell"; did you mean "cells"?',
    ],
    [() => gruCell({ unit: 3 } as never), 'TypeError: GRUCell: unknown option "unit"; did you mean "units"?'],
    [() => simpleRNNCell({ units: 0 }), 'RangeError: SimpleRNNCell: units must be a positive integer, got 0'],
    [() => lstmCell({ units: 1, dropout: 1 }), 'RangeError: LSTMCell: dropout must be in [0, 1), got 1'],
    [
      () => convLstm2d({ filters: 2 } as never),
      'TypeError: ConvLSTM2D: kernelSize must be given, got undefined; add it to the options',
    ],
    [
      add(() => convLstm2d({ name: 'c', filters: 2, kernelSize: 3, inputShape: [5, 5, 1] })),
      'RangeError: c: the input must have shape [time, height, width, channels], got [5,5,1]; add layers.reshape() before it',
    ],
    [
      add(() => convLstm2d({ name: 'c', filters: 2, kernelSize: 4, inputShape: [2, 3, 5, 1] })),
      "RangeError: c: a window of [4,4] must fit into the input, got [3,5,1]; use padding: 'same' or a smaller window",
    ],
    [
      add(() => rnn({ name: 'r', cell: lstmCell({ units: 2, name: 'l' }), inputShape: [5] })),
      'RangeError: r: the input must have shape [time, …], got [5]; add layers.reshape() before it',
    ],
    [
      add(() => rnn({ name: 'r', cell: lstmCell({ units: 2, name: 'l' }), inputShape: [5, 2, 2] })),
      "RangeError: l: a step's input must have shape [features], got [2,2]; add layers.reshape() before it",
    ],
    [
      add(() => rnn({ name: 'r', cell: empty({ name: 'e' }), inputShape: [5, 2] })),
      'RangeError: e: build must return { states, step }, got 3; states are shapes, step is a function',
    ],
    [
      () => ls.defineCell('lower', {}, () => 3 as never),
      'TypeError: defineCell: className must be a word that begins with a capital letter, got "lower"; write \'MyLayer\'',
    ],
    [
      add(() => rnn({ name: 'r', cell: wrong({ name: 'w' }), inputShape: [5, 2] })),
      'RangeError: r: a step must return its output and its states, [2] and [2], got [4] and [2]; correct step, states or output',
    ],
  ])('%#', async (run, text) => {
    expect(await caught(run)).toBe(text)
  })
})
