import type { Checkpoint } from '../checkpoints/checkpoint.ts'
import { isTypedArray } from '../data/nested.ts'
import { Tensor } from '../data/tensor.ts'
import { isPlainObject } from '../errors.ts'
import type { Parameter } from '../graph/parameter.ts'
import { version } from '../version.ts'
import type { CourseState } from './course.ts'
import type { Fingerprint } from './fingerprint.ts'
import type { Internals } from './internals.ts'
import { type Packable, packed, unpacked } from './packing.ts'

/** Counters and the learning rate, where it is no schedule's. */
export interface Counters {
  /** Updates before the epoch. */
  readonly iterations: number
  readonly epochsTrained: number
  readonly learningRate: number
}

/** What a checkpoint holds besides the model and its optimizer. */
export interface Progress extends Counters {
  /** The next step: this batch of this epoch. */
  readonly epoch: number
  readonly batch: number
  readonly seed: number
  /** Why training had ended, unless it may go on. */
  readonly stopCause: string | null
  readonly history: {
    readonly epoch: readonly number[]
    readonly columns: Readonly<Record<string, readonly number[]>>
  }
  readonly course: CourseState
  /** Of those that have a state. */
  readonly callbacks: readonly { readonly kind: string; readonly state: Packable }[]
  /** What the best checkpoint so far had of the number that is watched. */
  readonly best: number | null
  readonly fingerprint: Fingerprint
}

/** A checkpoint as it was read. */
export interface Restored extends Progress {
  readonly weights: Readonly<Record<string, Tensor>>
  readonly states: Readonly<Record<string, Tensor>>
  readonly slots: Readonly<Record<string, Tensor>>
}

/** A state of training, copied at once; it takes its time to become a checkpoint. */
export interface Captured {
  readonly step: number
  toCheckpoint(): Promise<Checkpoint>
}

/** Arrays of a state, copied: their owner may go on to write into them. */
export function copied(value: unknown): Packable {
  if (value instanceof Tensor) return new Tensor(value.values.slice(), value.shape, value.dtype, value.scale)
  if (isTypedArray(value)) return value.slice() as Packable
  if (Array.isArray(value)) return value.map(copied)
  if (!isPlainObject(value)) return value as Packable
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, copied(each)]))
}

/** Parameters by names of their own, in order. */
function named(parameters: readonly Parameter[]): [string, Parameter][] {
  const found = new Map<string, Parameter>()
  for (const parameter of parameters) {
    let name = parameter.name
    for (let i = 2; found.has(name); i++) name = `${parameter.name} ${i}`
    found.set(name, parameter)
  }
  return [...found]
}

/** The groups of a model's parameters that a checkpoint holds. */
const groupsOf = ({ weights, states, compiled }: Internals) => ({
  weights: named(weights),
  states: named(states),
  slots: named([...compiled.slots.values()].flat()),
})

export const countersOf = ({ compiled: { optimizer }, epochsTrained }: Internals): Counters => ({
  iterations: optimizer.iterations,
  epochsTrained,
  learningRate: optimizer.learningRate,
})

/** While the workers stand still: copies what changes with the next step, from the model or its snapshot. */
export async function capture(
  model: Internals,
  { history, ...progress }: Progress,
  snapshot: boolean,
): Promise<Captured> {
  const groups = groupsOf(model)
  const step = progress.iterations + progress.batch
  const columns = Object.entries(history.columns).map(([name, values]) => [name, Float64Array.from(values)])
  const rest = packed('checkpoint', {
    ...{ kind: 'lockstep training', version, step },
    ...progress,
    history: { epoch: Int32Array.from(history.epoch), columns: Object.fromEntries(columns) },
  } as Record<string, Packable>)
  const copy = await model.state.copyOut(snapshot ? model.state.snapshotAddress : model.state.address)
  return {
    step,
    async toCheckpoint() {
      const read: Record<string, Record<string, Tensor>> = {}
      for (const [group, parameters] of Object.entries(groups)) {
        const values: Record<string, Tensor> = {}
        for (const [name, parameter] of parameters) {
          values[name] = new Tensor(await copy.read(parameter), parameter.shape, 'float32')
        }
        read[group] = values
      }
      const model = packed('checkpoint', read)
      return {
        header: { ...rest.header, ...model.header },
        tensors: new Map([...model.tensors, ...rest.tensors]),
      }
    },
  }
}

/** @throws RangeError for a checkpoint that no training saved */
export function restored(where: string, checkpoint: Checkpoint): Restored {
  if (checkpoint.header.kind !== 'lockstep training')
    throw new RangeError(
      `${where}: the checkpoint must be one of a training, got another kind; take another folder`,
    )
  const { history, ...rest } = unpacked(where, checkpoint) as unknown as Restored
  const columns = Object.entries(history.columns).map(([name, values]) => [name, Array.from(values)])
  return { ...rest, history: { epoch: Array.from(history.epoch), columns: Object.fromEntries(columns) } }
}

/** @throws RangeError where the weights are not those of the model */
export function checkFits(where: string, model: Internals, found: Restored): void {
  const own = groupsOf(model)
  for (const group of ['weights', 'states'] as const) {
    const shapes = own[group].map(([, { shape }]) => `[${shape}]`).join(' ')
    const given = Object.values(found[group])
      .map(({ shape }) => `[${shape}]`)
      .join(' ')
    if (given !== shapes)
      throw new RangeError(
        `${where}: the checkpoint must have ${group} of the shapes ${shapes}, got ${given}; resume with the same model`,
      )
  }
}

/** Puts weights, states and, where the optimizer has the same, its slots and counters back. */
export function putBack(model: Internals, found: Restored): void {
  const { optimizer } = model.compiled
  const own = groupsOf(model)
  const shapes = (tensors: readonly { shape: readonly number[] }[]) =>
    tensors.map(({ shape }) => `[${shape}]`).join()
  const slots = Object.values(found.slots)
  const sameSlots = shapes(slots) === shapes(own.slots.map(([, slot]) => slot))
  for (const group of ['weights', 'states', ...(sameSlots ? (['slots'] as const) : [])] as const) {
    const values = Object.values(found[group])
    for (const [i, [, parameter]] of own[group].entries()) model.state.write(parameter, values[i]!.values)
  }
  optimizer.iterations = found.iterations
  if (!optimizer.schedule) optimizer.learningRate = found.learningRate
  model.epochsTrained = found.epochsTrained
  model.own()
}
