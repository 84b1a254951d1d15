import type { Graph } from '../graph/graph.ts'
import { samples, sizeOf, type Value, write } from '../graph/value.ts'

type Binary = 'add' | 'subtract' | 'multiply' | 'maximum' | 'minimum'

/** y = a ∘ b, elementwise, for a and b of one shape. Where a = b, a maximum or minimum passes dy to a. */
export function combine(g: Graph, kernel: Binary, a: Value, b: Value): Value {
  const elements = samples(sizeOf(a.shape))
  const y = g.batch(kernel, a.shape, a, b)
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

/** y = factor·x. */
export function scaled(g: Graph, x: Value, factor: number): Value {
  const elements = samples(sizeOf(x.shape))
  const y = g.batch('scaled', x.shape, x)
  g.call('scaleShift', elements, x, write(y), factor, 0)
  g.onBackward(y, dy => g.contribute(x, dx => g.call('scaleShift', elements, dy, dx, factor, 0)))
  return y
}
