import { describe, expect, test } from 'vitest'
import { awkwardSizes, noise, relativeError } from '../bed.ts'
import { slope } from '../float64.ts'
import { prove } from './trial.ts'

/** Float64 functions, and what their gradient kernels take beside dy. */
const functions = {
  exponential: [Math.exp, 'y'],
  logarithm: [Math.log, 'x'],
  squareRoot: [Math.sqrt, 'y'],
  square: [x => x * x, 'x'],
  absolute: [Math.abs, 'x'],
  reciprocal: [x => 1 / x, 'y'],
  sine: [Math.sin, 'x'],
  cosine: [Math.cos, 'x'],
} as const satisfies Record<string, readonly [(x: number) => number, 'x' | 'y']>

/** In [0.25, 2.25). */
const positive = (size: number, seed: number) => noise(size, seed).map(x => x + 1.25)

describe.each(Object.keys(functions) as (keyof typeof functions)[])('%s', name => {
  const [f, from] = functions[name]
  test.each(awkwardSizes)('of %i elements, and its gradient', size => {
    const [x, dy] = [positive(size, 1), noise(size, 2)]
    const [y, dx] = prove({
      inputs: [x, dy],
      outputs: [size, size],
      units: size,
      call(k, begin, end, [x, dy], [y, dx]) {
        k[name](begin, end, x!, y!)
        k[`${name}Gradient`](begin, end, from === 'x' ? x! : y!, dy!, dx!)
      },
    })
    expect(relativeError(y!, [...x].map(f))).toBeLessThan(3e-7)
    expect(
      relativeError(
        dx!,
        [...x].map((value, i) => slope(f, value) * dy[i]!),
      ),
    ).toBeLessThan(1e-6)
  })
})

test.each(awkwardSizes)('powers, limits and signs of %i elements', size => {
  const [x, dy] = [noise(size, 3).map(x => 2 * x), noise(size, 4)]
  const roots = x.map(Math.abs)
  const [cube, cubed, root, rooted, clipped, signs] = prove({
    inputs: [x, dy, roots],
    outputs: [size, size, size, size, size, size],
    units: size,
    call(k, begin, end, [x, dy, roots], [cube, cubed, root, rooted, clipped, signs]) {
      k.power(begin, end, x!, cube!, -3)
      k.powerGradient(begin, end, x!, dy!, cubed!, 3)
      k.power(begin, end, roots!, root!, 1.5)
      k.powerGradient(begin, end, roots!, dy!, rooted!, 1.5)
      k.clip(begin, end, x!, clipped!, -0.5, 1)
      k.signs(begin, end, x!, signs!)
    },
  })
  const near = (found: Float32Array, f: (x: number, i: number) => number, of = x) =>
    of.forEach((value, i) => expect(Math.abs(found[i]! / f(value, i) - 1)).toBeLessThan(1e-6))
  near(cube!, x => x ** -3)
  near(cubed!, (x, i) => 3 * x * x * dy[i]!)
  near(root!, x => x ** 1.5, roots)
  near(rooted!, (x, i) => 1.5 * x ** 0.5 * dy[i]!, roots)
  expect(clipped).toEqual(x.map(value => Math.min(Math.max(value, -0.5), 1)))
  expect(signs).toEqual(x.map(Math.sign))
})

test('signs of zeros are zeros, NaN stays in powers', () => {
  const [signs, powers] = prove({
    inputs: [Float32Array.of(0, -0, Number.NaN, -2)],
    outputs: [4, 4],
    units: 4,
    call(k, begin, end, [x], [signs, powers]) {
      k.signs(begin, end, x!, signs!)
      k.power(begin, end, x!, powers!, 0.5)
    },
  })
  expect([...signs!.slice(0, 2)].map(Math.abs)).toEqual([0, 0])
  expect([...powers!]).toEqual([0, 0, Number.NaN, Number.NaN])
})

test.each(awkwardSizes)('quotients, comparisons and choices of %i elements', size => {
  const [a, b, dy] = [noise(size, 5), positive(size, 6), noise(size, 7)]
  for (let i = 0; i < size; i += 3) a[i] = b[i]!
  const outputs = prove({
    inputs: [a, b, dy],
    outputs: Array<number>(8).fill(size),
    units: size,
    call(k, begin, end, [a, b, dy], [y, db, greater, least, equal, both, first, second]) {
      k.divide(begin, end, a!, b!, y!)
      k.divideGradient(begin, end, y!, b!, dy!, db!)
      k.greater(begin, end, a!, b!, greater!)
      k.greaterOrEqual(begin, end, a!, b!, least!)
      k.equal(begin, end, a!, b!, equal!)
      k.choose(begin, end, equal!, a!, dy!, both!)
      k.choose(begin, end, equal!, a!, 0, first!)
      k.choose(begin, end, equal!, 0, dy!, second!)
    },
  })
  const of = (f: (a: number, b: number, dy: number) => number) => a.map((value, i) => f(value, b[i]!, dy[i]!))
  const [y, db, ...exact] = outputs
  expect(y).toEqual(of((a, b) => a / b))
  expect(relativeError(db!, [...of((a, b, dy) => (-dy * a) / (b * b))])).toBeLessThan(3e-7)
  expect(exact).toEqual([
    of((a, b) => Number(a > b)),
    of((a, b) => Number(a >= b)),
    of((a, b) => Number(a === b)),
    of((a, b, dy) => (a === b ? a : dy)),
    of((a, b) => (a === b ? a : 0)),
    of((a, b, dy) => (a === b ? 0 : dy)),
  ])
})
