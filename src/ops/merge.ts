import type { Graph } from '../graph/graph.ts'
import { type Value, write } from '../graph/value.ts'
import { alike, elementsOf } from './elements.ts'

type Binary = 'add' | 'subtract' | 'multiply' | 'maximum' | 'minimum'

/** y = a ∘ b, elementwise, for a and b of one shape. Where a = b, a maximum or minimum passes dy to a. */
export function combine(g: Graph, kernel: Binary, a: Value, b: Value): Value {
  const elements = elementsOf(a)
  const y = alike(g, kernel, a, b)
  g.call(kernel, elements, a, b, write(y))
  g.onBackward(y, dy => {
    const choose = (x: Value, kernel: 'whereNotLess' | 'whereLess', p: Value, q: Value) =>
      g.contribute(x, dx => g.call(kernel, elements, p, q, dy, dx))
    if (kernel === 'multiply') {
      g.contribute(a, da => g.call('multiply', elements, dy, b, da))
      g.contribute(b, db => g.call('multiply', elements, dy, a, db))
    } else if (kernel === 'maximum') {
      choose(a, 'whereNotLess', a, b)
      choose(b, 'whereLess', a, b)
    } else if (kernel === 'minimum') {
      choose(a, 'whereNotLess', b, a)
      choose(b, 'whereLess', b, a)
    } else {
      g.contribute(a, da => g.call('copy', elements, dy, da))
      g.contribute(b, db => g.call('scaleShift', elements, dy, db, kernel === 'subtract' ? -1 : 1, 0))
    }
  })
  return y
}

/** y = factor·x + shift. */
export function scaled(g: Graph, x: Value, factor: number, shift = 0): Value {
  const elements = elementsOf(x)
  const y = alike(g, 'scaled', x)
  g.call('scaleShift', elements, x, write(y), factor, shift)
  g.onBackward(y, dy => g.contribute(x, dx => g.call('scaleShift', elements, dy, dx, factor, 0)))
  return y
}
