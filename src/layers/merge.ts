import { show } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import { joinedMask } from '../ops/masks.ts'
import { combine, scaled } from '../ops/merge.ts'
import { concat } from '../ops/moves.ts'
import { type Builder, defineJoin } from './define.ts'

/** Refuses fewer than `least` inputs, or more than `most`. */
function checkCount({ refuse }: Builder, inputs: readonly Value[], least: number, most = Infinity): void {
  const wanted = most === least ? `${least}` : `${least} or more`
  if (inputs.length < least || inputs.length > most)
    refuse(`it must have ${wanted} inputs, got ${inputs.length}; apply it to a list`)
}

/** As checkCount, and refuses shapes that differ. */
function checkInputs(builder: Builder, inputs: readonly Value[], least: number, most?: number): void {
  checkCount(builder, inputs, least, most)
  const { refuse } = builder
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
    'combines',
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
  'combines',
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
  'combines',
)

/**
 * The inputs side by side along one axis; the other axes must be alike. Masks are joined with the steps, or, along
 * another axis, the steps count that do in all of them.
 */
export const concatenate = defineJoin(
  'Concatenate',
  {
    /** −1 is the last axis, 1 the first of a sample (0 is the batch, which cannot be joined). */
    axis: -1,
  },
  (where, { axis }) => {
    if (!Number.isInteger(axis))
      throw new TypeError(`${where}: axis must be an integer, got ${show(axis)}; try -1`)
    if (axis === 0) throw new RangeError(`${where}: axis must not be that of the batch, got 0; count from 1`)
  },
  (builder, inputs, { axis }) => {
    checkCount(builder, inputs, 2)
    const { g, refuse } = builder
    const rank = inputs[0]!.shape.length
    const own = axis < 0 ? rank + axis : axis - 1
    if (own < 0 || own >= rank)
      refuse(`axis must lie in [${-rank}, ${rank}], got ${axis}; the batch is axis 0`)
    const others = inputs.map(({ shape }) => String(shape.with(own, 0)))
    const other = inputs.find(({ shape }, i) => shape.length !== rank || others[i] !== others[0])
    if (other) {
      const [first] = inputs
      refuse(
        `its inputs must be alike but for axis ${axis}, got [${first!.shape}] and [${other.shape}]; reshape one`,
      )
    }
    const y = concat(g, inputs, own)
    const mask = own === 0 && rank > 1 ? joinedMask(g, inputs) : undefined
    if (mask) g.masks.set(y, mask)
    return y
  },
  'combines',
)
