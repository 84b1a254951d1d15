import { describe, expect, test } from 'vitest'
import { awkwardSizes, noise, relativeError } from '../bed.ts'
import { slope } from '../float64.ts'
import { logitLossReferences, lossReferences, type RowLoss } from '../reference/losses.ts'
import { prove } from './trial.ts'

type Kind = 'real' | 'positive' | 'probability' | 'sign' | 'class'

const { binaryFocalCrossentropy, categoricalFocalCrossentropy } = lossReferences
const rows = [
  ['meanAbsolutePercentageError', lossReferences.meanAbsolutePercentageError, 'real', 'positive', []],
  ['meanSquaredLogarithmicError', lossReferences.meanSquaredLogarithmicError, 'positive', 'positive', []],
  ['squaredHinge', lossReferences.squaredHinge, 'real', 'sign', []],
  ['poisson', lossReferences.poisson, 'positive', 'positive', []],
  ['kullbackLeiblerDivergence', lossReferences.kullbackLeiblerDivergence, 'probability', 'probability', []],
  ['categoricalHinge', lossReferences.categoricalHinge, 'real', 'class', []],
  ['cosineProximity', lossReferences.cosineProximity, 'real', 'real', []],
  ['binaryFocalCrossentropy', binaryFocalCrossentropy, 'probability', 'probability', [2, 1, 1, 0]],
  [
    'sigmoidFocalCrossentropy',
    logitLossReferences.binaryFocalCrossentropy,
    'real',
    'probability',
    [2, 1, 1, 0],
  ],
  ['categoricalFocalCrossentropy', categoricalFocalCrossentropy, 'probability', 'probability', [2, 0.25, 0]],
  [
    'softmaxFocalCrossentropy',
    logitLossReferences.categoricalFocalCrossentropy,
    'real',
    'probability',
    [2, 0.25, 0],
  ],
] as const satisfies [string, RowLoss, Kind, Kind, number[]][]
type Name = (typeof rows)[number][0]

const inner = 2
const rowCount = 6
const weight = Float32Array.of(0.5, 2, 0)
const scale = Float32Array.of(0.25)

/** Losses and gradient, p (rows,n), with sample weights and without. */
function run(
  name: Name,
  p: Float32Array,
  t: Float32Array,
  n: number,
  own: readonly number[],
  weighted = false,
) {
  const count = p.length / n
  const trial = (gradient: boolean) =>
    prove({
      inputs: [p, t, weighted ? weight : undefined, scale],
      outputs: gradient ? [count, p.length] : [count],
      units: count,
      call: (k, begin, end, [p, t, weight, scale], [loss, dp]) =>
        (k[name] as (...args: number[]) => void)(
          ...[begin, end, p!, t!, loss!, dp ?? 0, weight!, scale!, n, inner, ...own],
        ),
    })
  const [loss, dp] = trial(true)
  expect(trial(false)[0]).toEqual(loss)
  return { loss: loss!, dp: dp! }
}

function draw(kind: Kind, n: number, seed: number): Float32Array {
  const values = noise(rowCount * n, seed)
  if (kind === 'class') return values.map((_, i) => Number(i % n === Math.floor(i / n) % n))
  if (kind === 'sign') return values.map(Math.sign)
  if (kind === 'positive') return values.map(u => 1.1 + u)
  return kind === 'probability' ? values.map(u => 0.5 + 0.48 * u) : values.map(u => 4 * u)
}

const rowsOf = (values: Float32Array): Float64Array[] => {
  const width = values.length / rowCount
  return Array.from({ length: rowCount }, (_, r) =>
    Float64Array.from(values.subarray(r * width, r * width + width)),
  )
}

/** Predictions whose losses keep away from kinks. */
function drawClear(loss: RowLoss, kind: Kind, n: number, t: Float32Array): Float32Array {
  for (let seed = n; seed < 50_000; seed += 100) {
    const p = draw(kind, n, seed)
    let nearest = Number.POSITIVE_INFINITY
    const near = (distance: number) => {
      nearest = Math.min(nearest, distance)
    }
    rowsOf(p).forEach((row, r) => loss(row, rowsOf(t)[r]!, near))
    if (nearest > 5e-4) return p
  }
  throw new Error('no predictions found that keep away from kinks')
}

describe.each(rows)('%s', (name, loss: RowLoss, prediction, target, own) => {
  test.each(awkwardSizes.slice(/cosine|categoricalFocal/.test(name) ? 2 : 1, -1))('rows of %i', n => {
    const t = draw(target, n, 11)
    const p = drawClear(loss, prediction, n, t)
    const columns = [...rowsOf(p)[0]!.keys()]
    for (const weighted of [false, true]) {
      const found = run(name, p, t, n, own, weighted)
      const silent = () => {}
      const losses = rowsOf(p).map((row, r) => loss(row, rowsOf(t)[r]!, silent))
      expect(relativeError([...found.loss, 0.1], [...losses, 0.1])).toBeLessThan(2e-6)
      const gradients = rowsOf(p).map((row, r) => {
        const factor = (scale[0]! / inner) * (weighted ? weight[Math.floor(r / inner)]! : 1)
        return columns.map(
          i => factor * slope(z => loss(row.with(i, z), rowsOf(t)[r]!, silent), row[i]!, 2e-4),
        )
      })
      const dp = rowsOf(found.dp).map(row => columns.map(i => row[i]!))
      expect(relativeError([...dp.flat(), 0.1 / n], [...gradients.flat(), 0.1 / n])).toBeLessThan(4e-6)
    }
  })

  test('a NaN shows in the loss', () => {
    const t = draw(target, 12, 6)
    for (const at of [0, 11]) {
      const p = draw(prediction, 12, 5)
      p[at] = Number.NaN
      expect(run(name, p, t, 12, own).loss[0]).toBeNaN()
    }
  })

  test('finite far out', () => {
    const far = prediction === 'real' ? [-1000, 1000, 1000, -1000] : [0, 1, 1, 0]
    const t = target === 'sign' ? [1, 1, -1, -1] : [0, 1, 0, 1]
    const { loss: found, dp } = run(name, Float32Array.from(far), Float32Array.from(t), 2, own)
    expect([...found, ...dp].every(Number.isFinite)).toBe(true)
  })
})

describe('focal cross-entropies', () => {
  const t = draw('probability', 9, 2)
  const p = draw('probability', 9, 3)

  test('without gamma are the plain ones', () => {
    const binary = run('binaryFocalCrossentropy', p, t, 9, [0, 1, 1, 0])
    const categorical = run('categoricalFocalCrossentropy', p, t, 9, [0, 1, 0])
    for (const [found, loss] of [
      [binary, lossReferences.binaryCrossentropy],
      [categorical, lossReferences.categoricalCrossentropy],
    ] as const) {
      const expected = rowsOf(p).map((row, r) => loss(row, rowsOf(t)[r]!, () => {}))
      expect(relativeError(found.loss, expected)).toBeLessThan(2e-6)
    }
  })

  test('weigh classes', () => {
    const ones = new Float32Array(p.length).fill(1)
    const [plain, weighed] = [
      [2, 1, 1, 0],
      [2, 0.3, 0.7, 0],
    ].map(own => run('binaryFocalCrossentropy', p, ones, 9, own))
    expect(
      relativeError(
        weighed!.loss,
        plain!.loss.map(x => 0.3 * x),
      ),
    ).toBeLessThan(1e-6)
    expect(
      relativeError(
        weighed!.dp,
        plain!.dp.map(x => 0.3 * x),
      ),
    ).toBeLessThan(1e-6)
  })
})

test.each(awkwardSizes)('scaleShift of %i', n => {
  const x = noise(n, 4)
  const found = prove({
    inputs: [x],
    outputs: [n],
    units: n,
    grain: 4,
    call: (k, begin, end, [x], [y]) => k.scaleShift(begin, end, x!, y!, 0.9, 0.05),
  })[0]!
  expect(
    relativeError(
      found,
      x.map(x => 0.9 * x + 0.05),
    ),
  ).toBeLessThan(2e-7)
})
