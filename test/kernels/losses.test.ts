import * as tf from '@tensorflow/tfjs'
import { describe, expect, test } from 'vitest'
import { awkwardSizes, noise, relativeError } from '../bed.ts'
import { slope, softplus } from '../float64.ts'
import { prove } from './trial.ts'

type Name =
  | 'meanSquaredError'
  | 'meanAbsoluteError'
  | 'binaryCrossentropy'
  | 'sigmoidCrossentropy'
  | 'hinge'
  | 'logcosh'
  | 'huber'
  | 'categoricalCrossentropy'
  | 'softmaxCrossentropy'
  | 'sparseCategoricalCrossentropy'
  | 'sparseSoftmaxCrossentropy'

interface Row {
  readonly name: Name
  /** Float64 loss of a row; of a sparse target, t holds the class alone. */
  readonly loss: (p: number[], t: number[]) => number
  readonly prediction: 'real' | 'probability'
  readonly target: 'real' | 'probability' | 'sign' | 'class'
}

const delta = 0.6
const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length
const sum = (values: number[]) => values.reduce((sum, x) => sum + x, 0)
const clip = (p: number) => Math.min(Math.max(p, 1e-7), Math.fround(0.9999999))
const differences = (p: number[], t: number[], f: (x: number) => number) =>
  mean(p.map((p, i) => f(p - t[i]!)))
const logSum = (p: number[]) => Math.max(...p) + Math.log(sum(p.map(x => Math.exp(x - Math.max(...p)))))
const huber = (x: number) => (Math.abs(x) <= delta ? (x * x) / 2 : delta * (Math.abs(x) - delta / 2))
const logcosh = (x: number) => Math.log1p(2 * Math.sinh(x / 2) ** 2)

const rows: Row[] = [
  {
    name: 'meanSquaredError',
    prediction: 'real',
    target: 'real',
    loss: (p, t) => differences(p, t, x => x * x),
  },
  {
    name: 'meanAbsoluteError',
    prediction: 'real',
    target: 'real',
    loss: (p, t) => differences(p, t, Math.abs),
  },
  { name: 'logcosh', prediction: 'real', target: 'real', loss: (p, t) => differences(p, t, logcosh) },
  { name: 'huber', prediction: 'real', target: 'real', loss: (p, t) => differences(p, t, huber) },
  {
    name: 'hinge',
    prediction: 'real',
    target: 'sign',
    loss: (p, t) => mean(p.map((p, i) => Math.max(0, 1 - t[i]! * p))),
  },
  {
    name: 'binaryCrossentropy',
    prediction: 'probability',
    target: 'probability',
    loss: (p, t) => -mean(p.map((p, i) => t[i]! * Math.log(clip(p)) + (1 - t[i]!) * Math.log1p(-clip(p)))),
  },
  {
    name: 'sigmoidCrossentropy',
    prediction: 'real',
    target: 'probability',
    loss: (p, t) => mean(p.map((p, i) => softplus(p) - p * t[i]!)),
  },
  {
    name: 'categoricalCrossentropy',
    prediction: 'probability',
    target: 'probability',
    loss: (p, t) => -sum(p.map((x, i) => t[i]! * Math.log(clip(x / sum(p))))),
  },
  {
    name: 'softmaxCrossentropy',
    prediction: 'real',
    target: 'probability',
    loss: (p, t) => logSum(p) * sum(t) - sum(p.map((p, i) => p * t[i]!)),
  },
  {
    name: 'sparseCategoricalCrossentropy',
    prediction: 'probability',
    target: 'class',
    loss: (p, [t]) => -Math.log(clip(clip(p[t!]!) / sum(p.map(clip)))),
  },
  {
    name: 'sparseSoftmaxCrossentropy',
    prediction: 'real',
    target: 'class',
    loss: (p, [t]) => logSum(p) - p[t!]!,
  },
]

const inner = 2
const rowCount = 6
const weight = Float32Array.of(0.5, 2, 0)
const scale = Float32Array.of(0.25)

/** Losses and gradient, p (rows,n), with sample weights and without. */
function run(name: Name, p: Float32Array, t: Float32Array, n: number, weighted = false) {
  const count = p.length / n
  const trial = (gradient: boolean) =>
    prove({
      inputs: [p, t, weighted ? weight : undefined, scale],
      outputs: gradient ? [count, p.length] : [count],
      units: count,
      call: (k, begin, end, [p, t, weight, scale], [loss, dp]) =>
        k[name](begin, end, p!, t!, loss!, dp ?? 0, weight!, scale!, n, inner, delta),
    })
  const [loss, dp] = trial(true)
  expect(trial(false)[0]).toEqual(loss)
  return { loss: loss!, dp: dp! }
}

const draw = (
  kind: Row['prediction'] | Row['target'],
  count: number,
  n: number,
  seed: number,
): Float32Array => {
  const values = noise(kind === 'class' ? count / n : count, seed)
  if (kind === 'class') return values.map(u => Math.floor(((u + 1) / 2) * n))
  if (kind === 'sign') return values.map(Math.sign)
  return kind === 'probability' ? values.map(u => 0.5 + 0.48 * u) : values.map(u => 4 * u)
}

/** Moves p away from the kinks of |p - t|, huber and hinge. */
function awayFromKinks(p: Float32Array, t: Float32Array): Float32Array {
  const near = (x: number) => [0, delta, -delta].some(kink => Math.abs(x - kink) < 0.02)
  return p.map((p, i) => (near(p - t[i]!) || Math.abs(1 - t[i]! * p) < 0.02 ? p + 0.05 : p))
}

describe.each(rows)('$name', ({ name, loss, prediction, target }) => {
  test.each([...awkwardSizes.slice(1), 500])(
    'rows of %i',
    n => {
      const t = draw(target, rowCount * n, n, 11)
      const drawn = draw(prediction, rowCount * n, n, n)
      const p = prediction === 'real' && target !== 'class' ? awayFromKinks(drawn, t) : drawn
      const rowsOf = (values: Float32Array) => {
        const width = values.length / rowCount
        return Array.from({ length: rowCount }, (_, r) => [...values.subarray(r * width, r * width + width)])
      }
      const columns = rowsOf(p)[0]!
        .map((_, i) => i)
        .filter(i => n < 100 || i % 41 === 0)
      for (const weighted of [false, true]) {
        const found = run(name, p, t, n, weighted)
        const losses = rowsOf(p).map((row, r) => loss(row, rowsOf(t)[r]!))
        expect(relativeError([...found.loss, 0.1], [...losses, 0.1])).toBeLessThan(2e-6)
        const gradients = rowsOf(p).map((row, r) => {
          const factor = (scale[0]! / inner) * (weighted ? weight[Math.floor(r / inner)]! : 1)
          const target = rowsOf(t)[r]!
          return columns.map(i => factor * slope(z => loss(row.with(i, z), target), row[i]!, 2e-4))
        })
        const dp = rowsOf(found.dp).map(row => columns.map(i => row[i]!))
        expect(relativeError([...dp.flat(), 0.1 / n], [...gradients.flat(), 0.1 / n])).toBeLessThan(2e-6)
      }
    },
    60_000,
  )

  test('far out', () => {
    const far = prediction === 'real' ? [-1000, 1000, 1000, -1000] : [0, 1, 1, 0]
    const t = target === 'class' ? [0, 0] : target === 'sign' ? [1, 1, -1, -1] : [0, 1, 0, 1]
    const { loss: found, dp } = run(name, Float32Array.from(far), Float32Array.from(t), 2)
    const wanted = [0, 1].map(r =>
      loss(far.slice(2 * r, 2 * r + 2), target === 'class' ? [0] : t.slice(2 * r, 2 * r + 2)),
    )
    expect(relativeError([...found, 1], [...wanted, 1])).toBeLessThan(3e-7)
    expect(dp.every(Number.isFinite)).toBe(true)
    if (prediction === 'probability' && name !== 'categoricalCrossentropy')
      expect([...dp]).toEqual([0, 0, 0, 0])
  })

  test('a NaN stays', () => {
    const t = draw(target, 12, 12, 3)
    for (const at of [target === 'class' ? t[0]! : 1, target === 'class' ? t[0]! : 9]) {
      const p = draw(prediction, 12, 12, 5)
      p[at] = Number.NaN
      expect(run(name, p, t, 12).loss[0]).toBeNaN()
    }
  })
})

test.each(['sparseCategoricalCrossentropy', 'sparseSoftmaxCrossentropy'] as const)(
  '%s: no such class',
  name => {
    const p = Float32Array.of(0.2, 0.8, 0.2, 0.8, 0.2, 0.8)
    const { loss, dp } = run(name, p, Float32Array.of(-1, 2, 1), 2)
    expect([...loss.slice(0, 2)]).toEqual([Number.NaN, Number.NaN])
    expect(loss[2]).toBeGreaterThan(0)
    expect(dp[5]).toBeLessThan(0)
  },
)

test('logcosh keeps its digits near 0', () => {
  const p = noise(1000, 5).map(u => 0.4 * u * u * u)
  const { loss } = run('logcosh', p, new Float32Array(1000), 1)
  expect(Math.max(...loss.map((y, i) => Math.abs(y / logcosh(p[i]!) - 1)))).toBeLessThan(2e-6)
})

test.each([
  'meanSquaredError',
  'meanAbsoluteError',
  'binaryCrossentropy',
  'categoricalCrossentropy',
] as const)('%s: TensorFlow.js, at the clips too', async name => {
  await tf.setBackend('cpu')
  const n = 4
  const p = Float32Array.of(0, 1, 0.25, 0.5, 1e-8, 0.999, 3e-7, 1e-3, 0.1, 0.2, 0.3, 0.4, 0, 0, 0, 1)
  const t = Float32Array.of(0, 0, 1, 0, 0, 1, 0, 0, 0.4, 0.3, 0.2, 0.1, 0, 0, 0, 1)
  const { loss, dp } = run(name, p, t, n)
  const target = tf.tensor2d(t, [4, n])
  const theirs = (x: tf.Tensor) => tf.metrics[name](target, x)
  expect(relativeError(loss, await theirs(tf.tensor2d(p, [4, n])).data())).toBeLessThan(2e-6)
  const gradient = await tf
    .grad(x => theirs(x).sum())(tf.tensor2d(p, [4, n]))
    .data()
  const expected = Array.from(gradient, (g, i) =>
    p[i] === t[i] && name === 'meanAbsoluteError' ? 0 : (g * scale[0]!) / inner,
  )
  // TensorFlow.js differentiates through log(q / (1 - q)) in float32.
  expect(relativeError(dp, expected)).toBeLessThan(name === 'binaryCrossentropy' ? 3e-5 : 1e-5)
})

test('gradients at kinks are 0 or the clipped one', () => {
  const at = (name: Name, p: number, t: number) => run(name, Float32Array.of(p), Float32Array.of(t), 1).dp[0]
  expect(at('meanAbsoluteError', 2, 2)).toBe(0)
  expect(at('hinge', 1, 1)).toBe(0)
  expect(at('huber', 1e30, 0)).toBe((Math.fround(delta) * scale[0]!) / inner)
})
