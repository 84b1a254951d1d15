import { checkOptions, show } from '../errors.ts'
import { assign } from '../graph/parameter.ts'
import { Layer } from './define.ts'
import type { SymbolicTensor } from './symbolic.ts'

/** What a recurrent layer may be applied with besides its input. */
export interface RecurrentInputs {
  /** The states to begin with, in the order in which the layer returns them; zeros by default. */
  initialState?: SymbolicTensor | readonly SymbolicTensor[] | null
}

/** Values of a state, (samples, units). */
type StateValues = ArrayLike<number> | { dataSync(): ArrayLike<number> }

/** A layer with states: it may be given those to begin with, and may return those that it ends with. */
export class RecurrentLayer extends Layer {
  /**
   * As `Layer.apply`; the initial states may also follow the input, in a list. With returnState the result is a list:
   * the output, then the states. @throws RangeError for states given twice, or of another number or shape
   */
  override apply<Y extends SymbolicTensor | SymbolicTensor[] = SymbolicTensor>(
    inputs: SymbolicTensor | readonly SymbolicTensor[],
    options?: RecurrentInputs,
  ): Y {
    checkOptions(`${this.name}: apply`, options, ['initialState'])
    const given = [inputs].flat()
    const states = [options?.initialState ?? []].flat()
    if (given.length > 1 && states.length > 0)
      throw new RangeError(
        `${this.name}: initialState must be given once, got ${show(given.length - 1)} states in the list of inputs ` +
          `besides; leave one out`,
      )
    return super.apply([...given, ...states]) as Y
  }

  /**
   * Lets the next mini-batch begin with these states, in the order in which the layer returns them, or with zeros.
   * @throws RangeError for another number of states or samples
   */
  override resetStates(given?: StateValues | readonly StateValues[]): void {
    const { states, name } = this
    if (given === undefined || given === null) {
      super.resetStates()
      return
    }
    const list = (Array.isArray(given) && typeof given[0] !== 'number' ? given : [given]) as StateValues[]
    const values = list.map(each => ('dataSync' in each ? each.dataSync() : each))
    const sizes = states.map(({ shape }) => shape[0])
    if (String(values.map(({ length }) => length)) !== String(sizes))
      throw new RangeError(
        `${name}: resetStates must be given states of [${sizes}] numbers, got [${values.map(v => v.length)}]; ` +
          `leave them out for zeros`,
      )
    for (const [i, state] of states.entries()) assign(state, values[i]!)
  }
}
