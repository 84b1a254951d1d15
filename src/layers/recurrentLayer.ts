import { checkOptions, show } from '../errors.ts'
import { Composite } from './composite.ts'
import type { SymbolicTensor } from './symbolic.ts'

/** What a recurrent layer may be applied with besides its input. */
export interface RecurrentInputs {
  /** The states to begin with, in the order in which the layer returns them; zeros by default. */
  initialState?: SymbolicTensor | readonly SymbolicTensor[] | null
}

/** The inputs of a layer that is applied with initial states. @throws RangeError for states given twice */
export function withStates(
  where: string,
  inputs: SymbolicTensor | readonly SymbolicTensor[],
  options: RecurrentInputs | undefined,
): readonly SymbolicTensor[] {
  checkOptions(`${where}: apply`, options, ['initialState'])
  const given = [inputs].flat()
  const states = [options?.initialState ?? []].flat()
  if (given.length > 1 && states.length > 0)
    throw new RangeError(
      `${where}: initialState must be given once, got ${show(given.length - 1)} states in the list of inputs ` +
        `besides; leave one out`,
    )
  return [...given, ...states]
}

/** A layer with states: it may be given those to begin with, and may return those that it ends with. */
export class RecurrentLayer extends Composite {
  /**
   * As `Layer.apply`; the initial states may also follow the input, in a list. With returnState the result is a list:
   * the output, then the states. @throws RangeError for states given twice, or of another number or shape
   */
  override apply<Y extends SymbolicTensor | SymbolicTensor[] = SymbolicTensor>(
    inputs: SymbolicTensor | readonly SymbolicTensor[],
    options?: RecurrentInputs,
  ): Y {
    return super.apply(withStates(this.name, inputs, options)) as Y
  }
}
