import type { Graph } from '../graph/graph.ts'
import { type Value, write } from '../graph/value.ts'
import { alike, elementsOf } from './elements.ts'

/** Kernels and what their gradient kernel takes beside dy: the output y or the input x. */
const elementary = {
  exponential: 'y',
  logarithm: 'x',
  squareRoot: 'y',
  square: 'x',
  absolute: 'x',
  reciprocal: 'y',
  sine: 'x',
  cosine: 'x',
} as const

/** y = f(x), element by element. */
export function apply(g: Graph, x: Value, kernel: keyof typeof elementary): Value {
  const y = alike(g, kernel, x)
  const elements = elementsOf(x)
  const saved = elementary[kernel] === 'y' ? y : x
  g.call(kernel, elements, x, write(y))
  g.onBackward(y, dy => g.contribute(x, dx => g.call(`${kernel}Gradient`, elements, saved, dy, dx)))
  return y
}

/** y = −1, 0 or 1, the sign of x; without gradient. */
export function sign(g: Graph, x: Value): Value {
  const y = { ...alike(g, 'sign', x), differentiable: false }
  g.call('signs', elementsOf(x), x, write(y))
  return y
}

/** y = x^exponent; NaN for x < 0 unless the exponent is an integer up to 64. */
export function power(g: Graph, x: Value, exponent: number): Value {
  const y = alike(g, 'power', x)
  const elements = elementsOf(x)
  g.call('power', elements, x, write(y), exponent)
  g.onBackward(y, dy => g.contribute(x, dx => g.call('powerGradient', elements, x, dy, dx, exponent)))
  return y
}

/** y = min(max(x, low), high); no gradient at the limits and beyond. */
export function clip(g: Graph, x: Value, low: number, high: number): Value {
  const y = alike(g, 'clip', x)
  const elements = elementsOf(x)
  g.call('clip', elements, x, write(y), low, high)
  g.onBackward(y, dy => g.contribute(x, dx => g.call('clipGradient', elements, y, dy, dx, low, high)))
  return y
}

/** y = a / b, of values of one shape. */
export function divide(g: Graph, a: Value, b: Value): Value {
  const y = alike(g, 'divide', a, b)
  const elements = elementsOf(a)
  g.call('divide', elements, a, b, write(y))
  g.onBackward(y, dy => {
    g.contribute(a, da => g.call('divide', elements, dy, b, da))
    g.contribute(b, db => g.call('divideGradient', elements, y, b, dy, db))
  })
  return y
}

/** y = 1 where the comparison holds, else 0, of values of one shape; without gradient. */
export function compare(g: Graph, kernel: 'greater' | 'greaterOrEqual' | 'equal', a: Value, b: Value): Value {
  const y = { ...alike(g, kernel, a), differentiable: false }
  g.call(kernel, elementsOf(a), a, b, write(y))
  return y
}

/** y = a where the condition is not 0, else b, of values of one shape. */
export function choose(g: Graph, condition: Value, a: Value, b: Value): Value {
  const y = alike(g, 'choose', a, b)
  const elements = elementsOf(a)
  g.call('choose', elements, condition, a, b, write(y))
  g.onBackward(y, dy => {
    g.contribute(a, da => g.call('choose', elements, condition, dy, 0, da))
    g.contribute(b, db => g.call('choose', elements, condition, 0, dy, db))
  })
  return y
}
