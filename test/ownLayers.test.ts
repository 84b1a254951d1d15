import { describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise, relativeError } from './bed.ts'
import { caught } from './caught.ts'
import { withFolder } from './reference/tfjs.ts'

const { ops } = ls
type Weights = Record<string, unknown>

/** y = tanh(x·kernel) · gain, dropped out. */
const gated = ls.defineLayer(
  'Gated',
  {
    units: ls.required<number>(),
    rate: 0,
    mode: 'plainSum',
    kernelInitializer: 'glorotUniform',
    kernelRegularizer: null as ReturnType<typeof ls.regularizers.l2> | null,
    kernelConstraint: null as ReturnType<typeof ls.constraints.maxNorm> | null,
    gainInitializer: 'ones',
  },
  ({ weight, training, refuse }, x, { units, rate, mode, gainInitializer, ...config }) => {
    if (x.shape.length === 0) refuse('the input must have an axis, got none; reshape it')
    const w = weight('kernel', [x.shape.at(-1)!, units], {
      initializer: config.kernelInitializer,
      regularizer: config.kernelRegularizer,
      constraint: config.kernelConstraint,
    })
    const gain = weight('gain', [units], { initializer: gainInitializer })
    const y = ops.multiply(ops.tanh(ops.matMul(x, w)), gain)
    const kept = training && mode === 'noisy' ? ops.add(y, 1) : y
    return ops.dropout(kept, rate)
  },
  {
    masking: 'passes',
    check(where, { rate }) {
      if (rate >= 1) throw new RangeError(`${where}: rate must be below 1, got ${rate}; lower it`)
    },
  },
)

/** a·b + b. */
const blend = ls.defineMergeLayer('Blend', {}, ({ refuse }, inputs) => {
  if (inputs.length !== 2) refuse(`it must have two inputs, got ${inputs.length}; apply it to a list`)
  const [a, b] = inputs as [ls.Value, ls.Value]
  return ops.add(ops.multiply(a, b), b)
})

const rows = 37
const x = ls.tensor(noise(rows * 6, 3), [rows, 6])
const y = ls.tensor(noise(rows * 2, 4), [rows, 2])
const bytesOf = (model: ls.Sequential | ls.Model) =>
  model.getWeights().map(({ values }) => Buffer.from((values as Float32Array).slice().buffer).toString('hex'))

function make(options: Partial<Parameters<typeof gated>[0]> = {}): ls.Sequential {
  const layers = [
    gated({ units: 5, name: 'first', inputShape: [6], ...options } as Parameters<typeof gated>[0]),
    ls.layers.dense({ units: 2, name: 'last' }),
  ]
  const model = ls.sequential({ layers, seed: 3 })
  model.compile({ optimizer: ls.train.adam(0.01), loss: 'meanSquaredError', leaves: 2 })
  return model
}

describe('a layer of one’s own', () => {
  test('computes what ours compute', () => {
    const model = make()
    const twin = ls.sequential({
      layers: [
        ls.layers.dense({ units: 5, activation: 'tanh', useBias: false, inputShape: [6] }),
        ls.layers.dense({ units: 2 }),
      ],
    })
    const [kernel, , ...rest] = model.getWeights()
    twin.setWeights([kernel!, ...rest])
    const [ours, theirs] = [model, twin].map(each => each.predict(x) as ls.Tensor)
    expect(relativeError(ours!.dataSync(), theirs!.dataSync())).toBeLessThan(1e-6)
    expect(model.weights.map(({ name }) => name)).toEqual([
      'first/kernel',
      'first/gain',
      'last/kernel',
      'last/bias',
    ])
    expect(model.layers[0]!.config).toMatchObject({ units: 5, rate: 0, gainInitializer: 'ones' })
  })

  test('trains to the same bits on any number of workers, and leaf by leaf', async () => {
    const train = async (workers: number, accumulate = false) => {
      const model = make({ rate: 0.2, kernelRegularizer: ls.regularizers.l2({ l2: 0.01 }) })
      const { history } = await model.fit(x, y, { epochs: 4, batchSize: 16, seed: 5, workers, accumulate })
      const losses = history.loss as number[]
      expect(losses.at(-1)).toBeLessThan(losses[0]!)
      const bytes = bytesOf(model)
      model.dispose()
      return bytes
    }
    const one = await train(1)
    expect(await train(2)).toEqual(one)
    expect(await train(3)).toEqual(one)
    expect(await train(2, true)).toEqual(one)
  })

  test('has regularizers, constraints and a frozen state', async () => {
    const plain = make()
    const penalized = make({ kernelRegularizer: ls.regularizers.l2({ l2: 0.5 }) })
    penalized.setWeights(plain.getWeights())
    const kernel = plain.getWeights()[0]!.dataSync() as Float32Array
    const [without, with_] = [plain, penalized].map(
      model => (model.evaluate(x, y) as ls.Tensor).dataSync()[0]!,
    )
    expect(with_! - without!).toBeCloseTo(0.5 * kernel.reduce((sum, w) => sum + w * w, 0), 4)
    const limited = make({ kernelConstraint: ls.constraints.maxNorm({ maxValue: 0.1 }) })
    await limited.trainOnBatch(x, y)
    const w = limited.getWeights()[0]!.dataSync() as Float32Array
    for (let j = 0; j < 5; j++)
      expect(Math.hypot(...Array.from({ length: 6 }, (_, i) => w[i * 5 + j]!))).toBeLessThan(0.1001)
    const frozen = make({ trainable: false })
    const before = bytesOf(frozen).sort()
    await frozen.trainOnBatch(x, y)
    expect(bytesOf(frozen).filter(bytes => before.includes(bytes))).toHaveLength(2)
  })

  test('knows training from inference', async () => {
    const [still, noisy] = [make(), make({ mode: 'noisy' })]
    noisy.setWeights(still.getWeights())
    expect((noisy.predict(x) as ls.Tensor).dataSync()).toEqual((still.predict(x) as ls.Tensor).dataSync())
    const losses = await Promise.all([still, noisy].map(model => model.trainOnBatch(x, y)))
    expect(losses[0]).not.toBeCloseTo(losses[1] as number, 3)
  })

  test('sees masks and hands them on', () => {
    const masked = ls.defineLayer('MaskedSum', {}, ({ maskOf }, x) => {
      const mask = maskOf(x)
      return ops.sum(mask ? ops.multiply(x, ops.expandDims(mask)) : x, 0)
    })
    const model = ls.sequential({
      layers: [
        ls.layers.masking({ maskValue: 9, inputShape: [3, 2] }),
        gated({ units: 2, gainInitializer: 'ones' }),
        masked({}),
      ],
      seed: 1,
    })
    const steps = [1, 2, 9, 9, 3, 4]
    const [whole, part] = [steps, [1, 2, 3, 4]].map(values => {
      const dense = (model.getWeights()[0]!.dataSync() as Float32Array).slice()
      const sums = [0, 0]
      for (let t = 0; t < values.length; t += 2) {
        if (values[t] === 9) continue
        for (const j of [0, 1]) sums[j]! += Math.tanh(values[t]! * dense[j]! + values[t + 1]! * dense[2 + j]!)
      }
      return sums
    })
    expect(whole).toEqual(part)
    const found = (model.predict(ls.tensor(steps, [1, 3, 2])) as ls.Tensor).dataSync()
    expect(relativeError(found, whole!)).toBeLessThan(1e-6)
  })

  test('takes several inputs in a functional model', () => {
    const [a, b] = [ls.input({ shape: [3] }), ls.input({ shape: [3] })]
    const model = ls.model({ inputs: [a, b], outputs: blend({}).apply([a, b]) as ls.SymbolicTensor })
    const found = model.predict([ls.tensor([1, 2, 3], [1, 3]), ls.tensor([4, 5, 6], [1, 3])]) as ls.Tensor
    expect([...found.dataSync()]).toEqual([8, 15, 24])
    expect(() => blend({}).apply(a)).toThrow('it must have two inputs, got 1; apply it to a list')
    const halves = ls.defineMergeLayer('Halves', {}, (_, [whole]) =>
      [0, 2].map(begin => ops.slice(whole!, [begin], [2])),
    )
    const input = ls.input({ shape: [4] })
    const parts = ls.model({ inputs: input, outputs: halves({}).apply([input]) as ls.SymbolicTensor[] })
    const values = parts.predict(ls.tensor([1, 2, 3, 4], [1, 4])) as ls.Tensor[]
    expect(values.map(each => [...each.dataSync()])).toEqual([
      [1, 2],
      [3, 4],
    ])
  })

  test('works with sequences of unknown length', async () => {
    const model = ls.sequential({
      layers: [gated({ units: 3, inputShape: [null, 2] }), ls.layers.globalAveragePooling1d({})],
      seed: 2,
    })
    for (const length of [2, 5])
      expect((model.predict(ls.tensor(noise(length * 2), [1, length, 2])) as ls.Tensor).shape).toEqual([1, 3])
  })
})

describe('a saved model with layers of one’s own', () => {
  ls.serialization.registerClass(gated)
  ls.serialization.registerClass(blend)

  test('loads again', () =>
    withFolder(async folder => {
      const model = make({ kernelRegularizer: ls.regularizers.l2({ l2: 0.25 }), rate: 0.5 })
      await model.save(`file://${folder}`)
      const loaded = (await ls.loadLayersModel(`file://${folder}`)) as ls.Sequential
      expect((loaded.predict(x) as ls.Tensor).dataSync()).toEqual((model.predict(x) as ls.Tensor).dataSync())
      expect(loaded.layers[0]!.config).toMatchObject({ units: 5, rate: 0.5, mode: 'plainSum' })
      const { kernelRegularizer } = loaded.layers[0]!.config as Weights
      expect(kernelRegularizer).toMatchObject({ config: { l1: 0, l2: 0.25 } })
    }))

  test('loads as a graph', () =>
    withFolder(async folder => {
      const [a, b] = [ls.input({ shape: [3] }), ls.input({ shape: [3] })]
      const model = ls.model({ inputs: [a, b], outputs: blend({}).apply([a, b]) as ls.SymbolicTensor })
      await model.save(`file://${folder}`)
      const loaded = (await ls.loadLayersModel(`file://${folder}`)) as ls.Model
      const inputs = [ls.tensor([1, 2, 3], [1, 3]), ls.tensor([4, 5, 6], [1, 3])]
      expect([...(loaded.predict(inputs) as ls.Tensor).dataSync()]).toEqual([8, 15, 24])
    }))

  test('is refused where a class is not registered, or an option would change', () =>
    withFolder(async folder => {
      const stranger = ls.defineLayer('Stranger', { label: 'a word' }, (_, x) => ops.neg(x))
      const model = (label: string) =>
        ls.sequential({ layers: [stranger({ label, inputShape: [2], name: 'stranger' })] })
      await model('plainWord').save(`file://${folder}`)
      await expect(ls.loadLayersModel(`file://${folder}`)).rejects.toThrow(
        `loadLayersModel: file://${folder} layers must be of a known class, got "Stranger"; ` +
          'if it is your own, give it to ls.serialization.registerClass first',
      )
      ls.serialization.registerClass(stranger)
      expect((await ls.loadLayersModel(`file://${folder}`)).layers[0]!.config).toEqual({ label: 'plainWord' })
      await expect(model('Two Words').save(`file://${folder}`)).rejects.toThrow(
        'save: option "label" of stranger must be numbers, true, false, null, words in camelCase, ' +
          'or lists and objects of these, got "Two Words"; change it',
      )
    }))
})

describe('what is refused', () => {
  const cases: [string, () => unknown, string][] = [
    [
      'a small letter',
      () => ls.defineLayer('small', {}, (_, x) => x),
      'className must be a word that begins with a capital letter, got "small"',
    ],
    ['no function', () => ls.defineLayer('Some', {}, 3 as never), 'build must be a function, got 3'],
    [
      'an unknown option',
      () => gated({ unit: 3 } as never),
      'Gated: unknown option "unit"; did you mean "units"?',
    ],
    ['a missing option', () => gated({} as never), 'Gated: units must be given, got undefined'],
    ['a wrong option', () => gated({ units: 3, rate: 1 }), 'Gated: rate must be below 1, got 1; lower it'],
    [
      'a layer',
      () => ls.serialization.registerClass(gated({ units: 2 }) as never),
      'registerClass: it must be given what defineLayer made',
    ],
    [
      'the name of one of ours',
      () => ls.serialization.registerClass(ls.defineLayer('Dense', {}, (_, x) => x)),
      'className must not be a layer of Lockstep\'s, got "Dense"',
    ],
  ]
  test.each(cases)('%s', async (_, act, message) => {
    expect(await caught(act)).toContain(message)
  })

  /** The message of a layer that builds this. */
  const built = (build: (x: ls.Value, w: ls.Value) => ls.Value): Promise<string> => {
    const layer = ls.defineLayer('Wrong', {}, ({ weight }, x) =>
      build(x, weight('w', [3], { initializer: 'ones' })),
    )
    return caught(() => ls.sequential({ layers: [layer({ name: 'wrong', inputShape: [2, 3] })] }))
  }
  const wrong: [string, (x: ls.Value, w: ls.Value) => ls.Value, string][] = [
    ['nothing', () => undefined as never, 'wrong: build must return a value, got undefined'],
    ['a weight', (_, w) => w, 'wrong: build must return values of samples, got the weight wrong/w'],
    ['a number a sample', x => ops.sum(x), 'wrong: its output must have an axis'],
    [
      'shapes that do not fit',
      (x, w) => ops.add(ops.transpose(x), w),
      'ops.add: shapes must have the same sizes, or 1, from the last axis on, got [3,2] and [3]',
    ],
    ['numbers alone', () => ops.add(1, 2), 'ops.add: one operand must be a value, got 1 and 2'],
    ['something else', () => ops.exp('x' as never), 'ops.exp: x must be a value, got "x"'],
    [
      'an axis too many',
      x => ops.sum(x, 2),
      'ops.sum: axis must be among those of a sample [2,3], counted from 0 or from −1 back, got 2',
    ],
    [
      'another size',
      x => ops.reshape(x, [4, -1]),
      'ops.reshape: the shape must have 6 elements as [2,3], got [4,1.5]',
    ],
    [
      'a product that does not fit',
      (x, w) => ops.matMul(x, ops.reshape(w, [1, 3])),
      'ops.matMul: b must be [3, n]',
    ],
    [
      'a box outside',
      x => ops.slice(x, [0, 2], [2, 2]),
      'ops.slice: begin + size of axis 1 must be in [0, 3], got 4',
    ],
    ['an empty list', () => ops.concat([]), 'ops.concat: it must be given a list of values, got []'],
    [
      'uneven numbers',
      x => ops.constant(x, [[1], [1, 2]]),
      'ops.constant: numbers must be finite, in even lists',
    ],
    ['limits the wrong way round', x => ops.clip(x, 1, 0), 'ops.clip: low must be'],
    [
      'a value as an exponent',
      (x, w) => ops.power(x, w as never),
      'ops.power: exponent must be a finite number',
    ],
    [
      'too many axes',
      x => ops.broadcastTo(x, [1, 2, 1, 2, 2, 3]),
      'ops.broadcastTo: a sample must have at most 5 axes',
    ],
  ]
  test.each(wrong)('a layer that builds %s', async (_, build, message) => {
    expect(await built(build)).toContain(message)
  })
})
