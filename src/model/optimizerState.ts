import { Tensor } from '../data/tensor.ts'
import { show } from '../errors.ts'
import type { NamedWeight } from '../formats/weights.ts'
import type { Parameter } from '../graph/parameter.ts'
import { averageSlot } from '../training/upkeep.ts'
import { type Internals, readableState } from './internals.ts'

/**
 * Averages of the weights are in a group of their own: TensorFlow.js, which takes the arrays of its optimizers by their
 * number, refuses them as weights that the model has not, rather than take one for another.
 */
const averages = 'average'
/** What no model calls a weight. */
export const groupsOfOptimizer: readonly (string | undefined)[] = ['optimizer', averages]

/** The arrays that TensorFlow.js keeps for each weight: all of one kind, then all of the next. */
function arraysOf({ compiled: { optimizer, slots } }: Internals, group: string) {
  return [...optimizer.slots.entries()]
    .filter(([, { name }]) => (name === averageSlot) === (group === averages))
    .flatMap(([k, { name }]) =>
      [...slots].map(([weight, arrays]): [string, Parameter] => [`${weight.name}/${name}`, arrays[k]!]),
    )
}

/** The optimizer's state with TensorFlow.js' names and in its order: only `iter` before the first update. */
export function optimizerState(model: Internals): NamedWeight[] {
  const { state, compiled, use, stepsOfEpoch } = model
  const iterations = compiled.optimizer.iterations + (use === 'callback' ? stepsOfEpoch : 0)
  const count = new Tensor(Int32Array.of(iterations), [], 'int32')
  const iter: NamedWeight = { name: 'iter', tensor: count, group: 'optimizer' }
  if (iterations === 0) return [iter]
  const base = readableState(model)
  const saved = (group: string) =>
    arraysOf(model, group).map(([name, array]): NamedWeight => {
      return { name, tensor: new Tensor(state.read(array, base), array.shape, 'float32'), group }
    })
  return [iter, ...saved('optimizer'), ...saved(averages)]
}

/** Pairs arrays of a file with the optimizer's, by their order. @throws RangeError where they are not those of the model */
function paired(where: string, model: Internals, group: string, found: readonly NamedWeight[]) {
  const own = arraysOf(model, group)
  if (found.length > 0 && found.length !== own.length)
    throw new RangeError(`${where} must hold ${own.length} arrays of the optimizer, got ${found.length}`)
  return found.map(({ name, tensor }, i) => {
    const [wanted, array] = own[i]!
    const kind = wanted.slice(wanted.lastIndexOf('/'))
    if (!name.endsWith(kind) || String(tensor.shape) !== String(array.shape) || tensor.dtype !== 'float32')
      throw new RangeError(
        `${where} must hold ${show(wanted)} [${array.shape}] of the optimizer, ` +
          `got ${show(name)} [${tensor.shape}] ${tensor.dtype}`,
      )
    return [array, tensor] as const
  })
}

/**
 * Takes over what a file has of the optimizer, if anything. TensorFlow.js names arrays after its variables, which may
 * be numbered: what counts is their order.
 * @throws RangeError for the state of another optimizer or model; nothing is changed then
 */
export function putOptimizerState(where: string, model: Internals, weights: readonly NamedWeight[]): void {
  const [iter, ...arrays] = weights.filter(({ group }) => group === 'optimizer')
  if (!iter) return
  const { values, dtype } = iter.tensor
  const [iterations] = values
  if (iter.name !== 'iter' || dtype !== 'int32' || values.length !== 1 || iterations! < 0)
    throw new RangeError(
      `${where} must begin the optimizer's state with the count "iter", got ${show(iter.name)}`,
    )
  const ofAverages = weights.filter(({ group }) => group === averages)
  const pairs = [...paired(where, model, 'optimizer', arrays), ...paired(where, model, averages, ofAverages)]
  for (const [array, tensor] of pairs) model.state.write(array, tensor.values)
  model.compiled.optimizer.iterations = iterations!
}
