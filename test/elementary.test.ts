import { expect, test } from 'vitest'
import { cos, exp, log, pow, sin } from '../src/training/elementary.ts'
import { noise } from './bed.ts'

/** Largest relative error of f against Math's g. */
function worst(f: (x: number) => number, g: (x: number) => number, inputs: Iterable<number>): number {
  let error = 0
  for (const x of inputs) {
    const [found, wanted] = [f(x), g(x)]
    error = Math.max(error, found === wanted ? 0 : Math.abs(found - wanted) / Math.abs(wanted))
  }
  return error
}

const inputs = Array.from(noise(20000, 3), Number)
const powersOfTen = Array.from({ length: 600 }, (_, i) => Number(`1.2345e${i - 300}`))
const multiples = Array.from({ length: 2000 }, (_, i) => ((i - 1000) * Math.PI) / 4)

test.each([
  ['exp', exp, Math.exp, inputs.map(x => x * 700)],
  ['exp near 0', exp, Math.exp, inputs],
  ['exp below 1e-308', exp, (x: number) => Math.exp(x), [-708, -709.7, 709.7]],
  ['log', log, Math.log, powersOfTen],
  ['log near 1', log, Math.log, inputs.map(x => 1 + x * 0.3)],
  ['log very near 1', log, Math.log, inputs.map(x => 1 + x * 1e-6)],
  ['log of the smallest', log, Math.log, [5e-324, 2e-310, Number.MAX_VALUE]],
  ['sin', sin, Math.sin, inputs.map(x => x * 10)],
  ['sin of large', sin, Math.sin, inputs.map(x => x * 1e6)],
  ['sin at quarters', sin, Math.sin, multiples],
  ['cos', cos, Math.cos, inputs.map(x => x * 10)],
  ['cos at quarters', cos, Math.cos, multiples],
  ['powers of 0.96', x => pow(0.96, x), x => 0.96 ** x, inputs.map(x => Math.abs(x) * 1000)],
  ['negative powers', x => pow(1.7, x), x => 1.7 ** x, inputs.map(x => x * 100)],
  ['square roots', x => pow(x, 0.5), Math.sqrt, powersOfTen.filter(x => x > 1e-30 && x < 1e30)],
] as [string, (x: number) => number, (x: number) => number, number[]][])('%s', (_, f, g, xs) => {
  expect(worst(f, g, xs)).toBeLessThan(1e-14)
})

test('integer powers are exact to the last bit', () => {
  // The 53 leading bits of 3^n and 0.75^n from exact integers.
  for (let n = 0; n < 600; n++) {
    expect(Math.abs(pow(3, n) / Number(3n ** BigInt(n)) - 1)).toBeLessThan(2.3e-16)
    expect(pow(2, n)).toBe(2 ** n)
  }
  expect(pow(-2, 3)).toBe(-8)
  expect(pow(0.1, 2)).toBe(0.010000000000000002)
  expect(pow(0.9, 100000)).toBe(0)
  expect(pow(1.5, 1e300)).toBe(Number.POSITIVE_INFINITY)
  expect(pow(10, -3)).toBe(0.001)
})

test('ends of the ranges', () => {
  expect([exp(-1000), exp(1000), exp(Number.NaN), exp(0)]).toEqual([
    0,
    Number.POSITIVE_INFINITY,
    Number.NaN,
    1,
  ])
  expect([log(0), log(-1), log(1), log(Number.POSITIVE_INFINITY)]).toEqual([
    -Infinity,
    Number.NaN,
    0,
    Infinity,
  ])
  expect([pow(0, 0.5), pow(5, 0), pow(0, 2), pow(-1, 0.5)]).toEqual([0, 1, 0, Number.NaN])
  expect([sin(0), cos(0), cos(Math.PI)]).toEqual([0, 1, -1])
})
