import { expect, test } from 'vitest'
import { awkwardSizes, noise } from '../bed.ts'
import { prove } from './trial.ts'

const combinations = {
  subtract: (a: number, b: number) => a - b,
  maximum: (a: number, b: number) => Math.max(a, b),
  minimum: (a: number, b: number) => Math.min(a, b),
}

test.each(awkwardSizes)('joins and their gradients: %i elements', size => {
  const [a, b, dy] = [noise(size, 1), noise(size, 2), noise(size, 3)]
  // Ties, which the gradient of a passes.
  for (let i = 0; i < size; i += 5) b[i] = a[i]!
  const names = Object.keys(combinations) as (keyof typeof combinations)[]
  const [notLess, less, ...combined] = prove({
    inputs: [a, b, dy],
    outputs: [size, size, ...names.map(() => size)],
    units: size,
    call(k, begin, end, [a, b, dy], [notLess, less, ...combined]) {
      k.whereNotLess(begin, end, a!, b!, dy!, notLess!)
      k.whereLess(begin, end, a!, b!, dy!, less!)
      for (const [i, name] of names.entries()) k[name](begin, end, a!, b!, combined[i]!)
    },
  })
  expect(notLess).toEqual(dy.map((d, i) => (a[i]! >= b[i]! ? d : 0)))
  expect(less).toEqual(dy.map((d, i) => (a[i]! < b[i]! ? d : 0)))
  for (const [i, name] of names.entries())
    expect(combined[i], name).toEqual(a.map((x, j) => combinations[name](x, b[j]!)))
})
