import type { Input } from '../data/inputs.ts'
import { Tensor } from '../data/tensor.ts'
import { assign, type Parameter, unpack } from '../graph/parameter.ts'
import { sizeOf } from '../graph/value.ts'
import type { Weight } from './define.ts'

/** What a model does for the layers in it. */
export interface Owner {
  /** Gives the weights that have no values yet their first ones. @throws Error where the model is disposed of */
  initialize(): void
  /** @throws Error while weights must not be changed */
  refuseWhileBusy(where: string): void
}

/** The values, once they are known to fit. @throws RangeError for another number of weights or other shapes */
export function checkWeights(
  where: string,
  weights: readonly Parameter[],
  given: readonly Input[],
): ArrayLike<number>[] {
  if (given.length !== weights.length)
    throw new RangeError(
      `${where}: there must be ${weights.length} weights, got ${given.length}; give those of getWeights()`,
    )
  return weights.map((weight, i) => checkWeight(where, weight, given[i]!))
}

function checkWeight(where: string, { name, shape }: Parameter, given: Input): ArrayLike<number> {
  const givenShape = (given as { shape?: readonly number[] }).shape
  if (givenShape && String(givenShape) !== String(shape))
    throw new RangeError(
      `${where}: ${name} must have shape [${shape}], got [${givenShape}]; give those of getWeights()`,
    )
  const values = ('dataSync' in (given as object) ? (given as Tensor).dataSync() : given) as ArrayLike<number>
  if (values.length === sizeOf(shape)) return values
  throw new RangeError(
    `${where}: ${name} must have ${sizeOf(shape)} elements, got ${values.length}; correct it`,
  )
}

/** What layers can do with their weights. */
export abstract class Weighted {
  abstract readonly name: string
  abstract get weights(): readonly Weight[]
  /** @internal The last model that it was made part of. */
  owner: Owner | undefined

  get trainableWeights(): Weight[] {
    return this.weights.filter(weight => weight.trainable)
  }

  get nonTrainableWeights(): Weight[] {
    return this.weights.filter(weight => !weight.trainable)
  }

  countParams(): number {
    return this.weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  }

  /** Copies of the latest values. @throws Error where the layer is in no model yet, which would have given it some */
  getWeights(): Tensor[] {
    const { weights, name } = this
    if (weights.some(({ latest }) => !latest)) this.owner?.initialize()
    return weights.map(weight => {
      const { latest, shape, columnAxes } = weight
      if (!latest)
        throw new Error(
          `${name}: getWeights must be asked of a layer in a model, got one in none; make a model of it`,
        )
      return new Tensor(unpack(latest.home.panels(weight), shape, columnAxes), shape, 'float32')
    })
  }

  /**
   * Replaces the weights.
   * @throws RangeError for another number of weights or other shapes, Error while the model is training; nothing is
   * changed then
   */
  setWeights(given: readonly Input[]): void {
    const { weights, name } = this
    this.owner?.refuseWhileBusy(`${name}: setWeights`)
    const values = checkWeights(`${name}: setWeights`, weights, given)
    for (const [i, weight] of weights.entries()) assign(weight, values[i]!)
  }
}
