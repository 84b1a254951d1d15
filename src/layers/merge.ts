import { show } from '../errors.ts'
import { sizeOf, type Value } from '../graph/value.ts'
import { joinedMask } from '../ops/masks.ts'
import { combine, scaled } from '../ops/merge.ts'
import { broadcast, commonShape, concat } from '../ops/moves.ts'
import { type Builder, defineJoin } from './define.ts'
import { checkAxes } from './reshaping.ts'

/** Refuses fewer than `least` inputs, or more than `most`. */
export function checkCount(
  { refuse }: Builder,
  inputs: readonly Value[],
  least: number,
  most = Infinity,
): void {
  const wanted = most === least ? `${least}` : `${least} or more`
  if (inputs.length < least || inputs.length > most)
    refuse(`it must have ${wanted} inputs, got ${inputs.length}; apply it to a list`)
}

/**
 * The inputs in one shape: as in NumPy, axes are counted from the last one, and what lacks an axis or has size 1
 * there is repeated. Refuses other sizes.
 */
function alike(builder: Builder, inputs: readonly Value[], least: number, most?: number): Value[] {
  checkCount(builder, inputs, least, most)
  const { g, refuse } = builder
  const shape = commonShape(inputs.map(input => input.shape))
  if (!shape) {
    const shapes = inputs.map(({ shape }) => `[${shape}]`).join(' and ')
    refuse(`its inputs must have the same sizes, or 1, from the last axis on, got ${shapes}; reshape one`)
  }
  return inputs.map(x => {
    if (sizeOf(x.shape) < sizeOf(shape!)) checkAxes(refuse, { ...x, shape: shape! })
    return broadcast(g, x, shape!)
  })
}

/** A layer that combines two or more inputs, broadcast to one shape, element by element, from the first on. */
function elementwise(className: string, kernel: 'add' | 'multiply' | 'maximum' | 'minimum') {
  return defineJoin(
    className,
    {},
    () => {},
    (builder, inputs) => {
      return alike(builder, inputs, 2).reduce((sum, x) => combine(builder.g, kernel, sum, x))
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
    const { g } = builder
    const sum = alike(builder, inputs, 2).reduce((total, x) => combine(g, 'add', total, x))
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
    const [a, b] = alike(builder, inputs, 2, 2)
    return combine(builder.g, 'subtract', a!, b!)
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
