import type { Value } from '../graph/value.ts'
import { combine, scaled } from '../ops/merge.ts'
import { type Builder, defineJoin } from './define.ts'

/** Refuses fewer than `least` inputs, and shapes that differ. */
function checkInputs({ refuse }: Builder, inputs: readonly Value[], least: number, most = Infinity): void {
  const wanted = most === least ? `${least}` : `${least} or more`
  if (inputs.length < least || inputs.length > most)
    refuse(`it must have ${wanted} inputs, got ${inputs.length}; apply it to a list`)
  const [first, ...others] = inputs.map(({ shape }) => String(shape))
  const other = others.find(shape => shape !== first)
  if (other !== undefined)
    refuse(`its inputs must have the same shape, got [${first}] and [${other}]; bring them to one shape`)
}

/** A layer that combines two or more inputs of one shape, element by element, from the first on. */
function elementwise(className: string, kernel: 'add' | 'multiply' | 'maximum' | 'minimum') {
  return defineJoin(
    className,
    {},
    () => {},
    (builder, inputs) => {
      checkInputs(builder, inputs, 2)
      return inputs.reduce((sum, x) => combine(builder.g, kernel, sum, x))
    },
  )
}

/** y = x₁ + x₂ + …. */
export const add = elementwise('Add', 'add')

/** y = x₁ · x₂ · …, element by element. */
export const multiply = elementwise('Multiply', 'multiply')

/** The largest of the inputs, element by element. */
export const maximum = elementwise('Maximum', 'maximum')

/** The smallest of the inputs, element by element. */
export const minimum = elementwise('Minimum', 'minimum')

/** y = (x₁ + … + xₙ) / n. */
export const average = defineJoin(
  'Average',
  {},
  () => {},
  (builder, inputs) => {
    checkInputs(builder, inputs, 2)
    const { g } = builder
    const sum = inputs.reduce((total, x) => combine(g, 'add', total, x))
    return scaled(g, sum, 1 / inputs.length)
  },
)

/** y = x₁ − x₂. */
export const subtract = defineJoin(
  'Subtract',
  {},
  () => {},
  (builder, inputs) => {
    checkInputs(builder, inputs, 2, 2)
    return combine(builder.g, 'subtract', inputs[0]!, inputs[1]!)
  },
)
