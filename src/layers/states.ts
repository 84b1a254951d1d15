import { assign, type Parameter } from '../graph/parameter.ts'
import { sizeOf } from '../graph/value.ts'

/** Values of a state, (samples, units). */
export type StateValues = ArrayLike<number> | { dataSync(): ArrayLike<number> }

/** Gives a layer's states these values, or zeros. @throws RangeError for another number of states or samples */
export function giveStates(
  where: string,
  states: readonly Parameter[],
  given: StateValues | readonly StateValues[] | undefined,
): void {
  const sizes = states.map(({ shape }) => sizeOf(shape))
  const several = Array.isArray(given) && typeof given[0] !== 'number'
  const list = (several ? given : [given]) as StateValues[]
  const values = given
    ? list.map(each => ('dataSync' in each ? each.dataSync() : each))
    : sizes.map(size => new Float32Array(size))
  const found = values.map(({ length }) => length)
  if (String(found) !== String(sizes))
    throw new RangeError(
      `${where}: resetStates must be given states of [${sizes}] numbers, got [${found}]; leave them out for zeros`,
    )
  for (const [i, state] of states.entries()) assign(state, values[i]!)
}
