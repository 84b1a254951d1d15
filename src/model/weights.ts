import type { Input } from '../data/inputs.ts'
import { suggestion } from '../errors.ts'
import type { Parameter } from '../graph/parameter.ts'
import type { Weight } from '../layers/define.ts'
import type { Optimizer } from '../training/optimizer.ts'
import type { Internals } from './internals.ts'

/** The optimizer's state arrays of each trainable weight. @throws RangeError where it names other layers */
export function makeSlots(weights: readonly Weight[], optimizer: Optimizer): Map<Weight, Parameter[]> {
  optimizer.upkeep.checkLayers(weights.map(({ name }) => name))
  const slotsOf = ({ name, shape, columnAxes }: Weight): Parameter[] => {
    const layout = { shape, columnAxes, offset: 0 }
    return optimizer.slots.map(slot => ({ name: `${name}/${slot.name}`, trainable: false, ...layout }))
  }
  return new Map(weights.filter(weight => weight.trainable).map(weight => [weight, slotsOf(weight)]))
}

/**
 * Values by the weights' names. @throws RangeError with `strict` where a name is missing or there is no such weight
 */
export function namedWeights(
  own: readonly Weight[],
  given: Readonly<Record<string, Input>> | ReadonlyMap<string, Input>,
  strict: boolean,
): ReadonlyMap<string, Input> {
  const values: ReadonlyMap<string, Input> = given instanceof Map ? given : new Map(Object.entries(given))
  if (!strict) return values
  const names = own.map(({ name }) => name)
  const unknown = [...values.keys()].find(name => !names.includes(name))
  if (unknown !== undefined)
    throw new RangeError(`loadWeights: unknown weight "${unknown}"; ${suggestion(unknown, names)}`)
  const missing = names.find(name => !values.has(name))
  if (missing === undefined) return values
  throw new RangeError(`loadWeights: "${missing}" must be given, got none; give it, or strict = false`)
}

/** Lets the weights become their averages over the updates, where the optimizer keeps them. */
export function finalizeWeights({ state, compiled: { optimizer, slots } }: Internals): void {
  if (!optimizer.upkeep.averages || optimizer.iterations === 0) return
  for (const [weight, arrays] of slots) state.write(weight, state.read(arrays.at(-1)!))
}
