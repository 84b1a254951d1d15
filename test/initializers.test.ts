import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import {
  getInitializer,
  type InitializerName,
  initializers,
  type RandomSource,
  serializeInitializer,
} from '../src/training/initializers.ts'
import { noise } from './bed.ts'
import { caught } from './caught.ts'

/** Tells what was asked for: [count, low or mean, high or deviation, kind]. */
function record() {
  const asked: [number, number, number, string][] = []
  const note = (kind: string) => (count: number, a: number, b: number) => {
    asked.push([count, a, b, kind])
    return noise(count, 5)
  }
  const random: RandomSource = {
    uniform: note('uniform'),
    normal: note('normal'),
    truncatedNormal: note('truncated'),
  }
  return { asked, random }
}

const { sqrt } = Math
const modes = '"fanIn", "fanOut", "fanAvg"'

test.each([
  ['randomUniform', {}, [2, 3], [6, -0.05, 0.05, 'uniform']],
  ['randomUniform', { minval: 0, maxval: 1 }, [2, 3], [6, 0, 1, 'uniform']],
  ['randomNormal', {}, [4], [4, 0, 0.05, 'normal']],
  ['truncatedNormal', { mean: 1, stddev: 2 }, [4], [4, 1, 2, 'truncated']],
  ['glorotUniform', {}, [30, 20], [600, -sqrt(6 / 50), sqrt(6 / 50), 'uniform']],
  ['glorotNormal', {}, [3, 3, 4, 8], [288, 0, sqrt(2 / (9 * 12)), 'truncated']],
  ['heUniform', {}, [3, 4, 8], [96, -sqrt(6 / 12), sqrt(6 / 12), 'uniform']],
  ['heNormal', {}, [30, 20], [600, 0, sqrt(2 / 30), 'truncated']],
  ['leCunUniform', {}, [30, 20], [600, -sqrt(3 / 30), sqrt(3 / 30), 'uniform']],
  ['leCunNormal', {}, [2, 2, 2, 3, 4], [96, 0, sqrt(1 / 24), 'truncated']],
  ['glorotUniform', {}, [16], [16, -sqrt(3 / 4), sqrt(3 / 4), 'uniform']],
  ['varianceScaling', {}, [4, 2], [8, 0, 0.5, 'truncated']],
  [
    'varianceScaling',
    { mode: 'fanOut', distribution: 'uniform', scale: 3 },
    [5, 4],
    [20, -1.5, 1.5, 'uniform'],
  ],
  [
    'varianceScaling',
    { distribution: 'truncatedNormal' },
    [4, 2],
    [8, 0, 0.5 / 0.8796256610342398, 'truncated'],
  ],
] as [InitializerName, object, number[], [number, number, number, string]][])(
  '%s asks for the right numbers %#',
  (name, options, shape, [count, a, b, kind]) => {
    const { asked, random } = record()
    const values = initializers[name](options as never).apply(shape, random)
    expect(values).toEqual(noise(count, 5))
    expect(asked).toHaveLength(1)
    expect([asked[0]![0], asked[0]![3]]).toEqual([count, kind])
    expect(asked[0]![1]).toBeCloseTo(a, 14)
    expect(asked[0]![2]).toBeCloseTo(b, 14)
  },
)

test('fixed values', () => {
  const { random } = record()
  expect([...initializers.zeros().apply([2, 2], random)]).toEqual([0, 0, 0, 0])
  expect([...initializers.ones().apply([2], random)]).toEqual([1, 1])
  expect([...initializers.constant({ value: 3 }).apply([2], random)]).toEqual([3, 3])
  expect([...initializers.identity({ gain: 2 }).apply([2, 3], random)]).toEqual([2, 0, 0, 0, 2, 0])
})

test.each([[[5, 5]], [[40, 7]], [[7, 40]], [[3, 3, 2, 4]], [[64, 64]]])('orthogonal %j', shape => {
  const columns = shape.at(-1)!
  const rows = shape.slice(0, -1).reduce((a, b) => a * b)
  const w = initializers.orthogonal({ gain: 2 }).apply(shape, record().random)
  const tall = rows >= columns
  const [long, short] = tall ? [rows, columns] : [columns, rows]
  const at = (i: number, j: number) => (tall ? w[i * columns + j]! : w[j * columns + i]!)
  for (let a = 0; a < short; a++) {
    for (let b = 0; b <= a; b++) {
      let sum = 0
      for (let i = 0; i < long; i++) sum += at(i, a) * at(i, b)
      expect(Math.abs(sum - (a === b ? 4 : 0))).toBeLessThan(2e-6)
    }
  }
  // R = QᵀA has a positive diagonal: the first column of Q points along that of A.
  const first = noise(long * short, 5).filter((_, i) => i % short === 0)
  let along = 0
  for (let i = 0; i < long; i++) along += at(i, 0) * first[i]!
  expect(along).toBeGreaterThan(0)
})

test('configs and saved forms are those of TF.js', () => {
  for (const name of Object.keys(initializers) as InitializerName[]) {
    const options = name === 'constant' ? { value: 2 } : /zeros|ones|identity/.test(name) ? {} : { seed: 5 }
    const theirs = (tf.initializers[name] as (options: object) => tf.serialization.Serializable)(options)
    const ours = initializers[name](options as never)
    expect(serializeInitializer(ours)).toEqual({
      className: theirs.getClassName(),
      config: theirs.getConfig(),
    })
    const again = getInitializer(serializeInitializer(ours))
    expect(again.config).toEqual(ours.config)
    if (name === 'constant') continue
    const className = name[0]!.toUpperCase() + name.slice(1)
    expect(getInitializer(name).className).toBe(className)
    expect(getInitializer(className).className).toBe(className)
  }
})

test('Keras saves the family under its own names, with nulls', () => {
  const saved = {
    className: 'GlorotUniform',
    config: { seed: null, distribution: 'uniform', mode: 'fanAvg', scale: 1 },
  }
  expect(getInitializer(saved).config).toEqual(initializers.glorotUniform().config)
  const given = initializers.ones()
  expect(getInitializer(given)).toBe(given)
})

test.each([
  [() => initializers.constant(), 'TypeError: Constant: value must be a finite number, got undefined'],
  [
    () => initializers.heNormal({ sead: 1 } as never),
    'TypeError: HeNormal: unknown option "sead"; did you mean "seed"?',
  ],
  [
    () => initializers.randomNormal({ mean: 'a' } as never),
    'TypeError: RandomNormal: mean must be a finite number, got "a"',
  ],
  [
    () => initializers.varianceScaling({ mode: 'fan_in' } as never),
    `RangeError: VarianceScaling: mode must be one of ${modes}, got "fan_in"; did you mean "fanIn"?`,
  ],
  [
    () => initializers.varianceScaling({ scale: -1 }),
    'RangeError: VarianceScaling: scale must be a number >= 0, got -1',
  ],
  [
    () => initializers.identity().apply([3], record().random),
    'RangeError: Identity: shape must have two dimensions, got [3]',
  ],
  [
    () => initializers.orthogonal().apply([3], record().random),
    'RangeError: Orthogonal: shape must have two dimensions or more, got [3]',
  ],
  [
    () => getInitializer('glorot_uniform'),
    'RangeError: getInitializer: unknown initializer "glorot_uniform"; did you mean "glorotUniform"?',
  ],
  [
    () => getInitializer(3 as never),
    'TypeError: getInitializer: an initializer must be a name or an initializer, got 3',
  ],
])('message %#', async (run, text) => {
  expect(await caught(run)).toBe(text)
})
