import * as tf from '@tensorflow/tfjs'
import type { Input } from '../data/inputs.ts'
import type { BatchElement, Batches } from '../model/pass.ts'
import type { Core } from './core.ts'

/** Tensors as TensorFlow.js takes them: alone, as a list, or by name. */
export type Tensors = tf.Tensor | tf.Tensor[] | { [name: string]: tf.Tensor }

/** In the order of the names: a model may call its inputs otherwise than its twin does. @throws RangeError if one lacks */
export function listed(given: Tensors, names: readonly string[]): tf.Tensor[] {
  if (given instanceof tf.Tensor) return [given]
  if (Array.isArray(given)) return given
  const missing = names.find(name => !given?.[name])
  if (missing === undefined) return names.map(name => given[name]!)
  const has = Object.keys(given ?? {}).join(', ') || 'nothing'
  throw new RangeError(`accelerate: data must have "${missing}", as the model calls it, got ${has}; add it`)
}

type ClassWeight = Readonly<Record<number, number>>

/** Weights of classes for each output, as TensorFlow.js understands them. */
export function classWeightsOf(given: unknown, names: readonly string[]): ClassWeight | undefined {
  if (given === undefined || given === null || (Array.isArray(given) && given.length === 0)) return undefined
  const named = given as Readonly<Record<string, unknown>>
  const found = Array.isArray(given) ? given : names.map(name => named[name])
  if (names.length > 1) return found as unknown as ClassWeight
  return (found[0] ?? given) as ClassWeight
}

/** An iterator of TensorFlow.js: the last value is null. */
interface LazyIterator {
  next(): Promise<{ value: unknown; done: boolean }>
}
export type Lazy = LazyIterator | { iterator(): Promise<LazyIterator> }

const isDataset = (given: unknown): given is Lazy =>
  typeof (given as { iterator?: unknown } | null)?.iterator === 'function'

/** Validation data as Lockstep takes it: inputs and targets in memory, or batches, at most `limit` of them. */
export function validationOf(
  core: Core,
  given: unknown,
  limit?: number | null,
): readonly [Input[], Input[]] | Batches {
  if (isDataset(given))
    return new Source(core, given, { where: 'fitDataset: validationData', limit, goesOn: false }).batches
  const [xs, ys, weights] = given as readonly [Tensors, Tensors, unknown?]
  if (weights !== undefined)
    throw new RangeError('fit: validationData must be [x, y], got weights too; leave them out')
  return [listed(xs, core.inputNames), listed(ys, core.outputNames)]
}

/** How a dataset is gone through. */
interface Passes {
  readonly where: string
  /** Batches of a pass, if not all. */
  readonly limit?: number | null | undefined
  /** Whether a pass goes on where the one before ended. */
  readonly goesOn: boolean
}

/** Batches of a dataset of TensorFlow.js, whose tensors are disposed of as soon as they are read. */
export class Source {
  /** Whether a pass had nothing left to begin with. */
  exhausted = false
  private readonly core: Core
  private readonly dataset: Lazy
  private readonly passes: Passes
  private iterator: LazyIterator | undefined

  constructor(core: Core, dataset: Lazy, passes: Passes) {
    this.core = core
    this.dataset = dataset
    this.passes = passes
  }

  /** Begins a pass: what Lockstep takes for a dataset. */
  readonly batches = async (): Promise<AsyncIterator<BatchElement>> => {
    const { dataset, passes } = this
    const again = !this.iterator || !passes.goesOn
    if (again) this.iterator = 'iterator' in dataset ? await dataset.iterator() : dataset
    let taken = 0
    return {
      next: async () => {
        if (taken === passes.limit) return { done: true, value: undefined }
        const { value } = await this.iterator!.next()
        if (value !== null && value !== undefined) return { done: false, value: this.read(value, taken++) }
        if (passes.limit !== null && passes.limit !== undefined) this.warn(taken)
        return { done: true, value: undefined }
      },
    }
  }

  private warn(taken: number): void {
    const { where, limit, goesOn } = this.passes
    const few = `${where}: the dataset must have ${limit} batches${goesOn ? ' an epoch' : ''}, got ${taken}`
    console.warn(`${few}; ask for fewer, or repeat() it`)
    this.exhausted = taken === 0
    if (this.exhausted) throw new RangeError(few)
  }

  private read(element: unknown, batch: number): BatchElement {
    const { inputNames, outputNames, name } = this.core
    const { xs, ys } = element as { xs?: Tensors; ys?: Tensors }
    if (!xs || !ys)
      throw new TypeError(
        `${this.passes.where}: batch ${batch} must be { xs, ys }, got ${Object.keys(element as object)}; ` +
          `map the dataset to what ${name} takes`,
      )
    const parts = [listed(xs, inputNames), listed(ys, outputNames)] as const
    const read = parts.map(tensors => tensors.map(valuesOf))
    tf.dispose(parts.flat())
    return { xs: read[0]!, ys: read[1]! }
  }
}

/** What a tensor holds: it may be disposed of then. */
function valuesOf(tensor: tf.Tensor): Input {
  const values = tensor.dataSync()
  return { shape: tensor.shape, dataSync: () => values }
}
