import type { Internals } from './internals.ts'

// A stateful model keeps a state for each place in a mini-batch, so all have the size that its input fixes.

type Sized = Pick<Internals, 'stateful' | 'batchSize' | 'name'>

/** Options with the batch size of a stateful model. @throws RangeError if another one is given */
export function withBatchSize<T extends { batchSize?: number }>(
  where: string,
  { stateful, batchSize, name }: Sized,
  options: T | undefined,
): T | undefined {
  if (!stateful || batchSize === undefined) return options
  const given = options?.batchSize
  if (given !== undefined && given !== batchSize)
    throw new RangeError(
      `${where}: batchSize must be ${batchSize}, as the input of the stateful ${name} says, got ${given}; leave it out`,
    )
  return { ...options, batchSize } as T
}

/** @throws RangeError where samples do not make whole mini-batches of a stateful model; `one` where they must make one */
export function checkCount(
  where: string,
  what: string,
  { stateful, batchSize, name }: Sized,
  count: number,
  one = false,
): void {
  if (!stateful || batchSize === undefined) return
  if (one ? count === batchSize : count % batchSize === 0) return
  const wanted = one ? batchSize : `a multiple of ${batchSize}`
  throw new RangeError(
    `${where}: ${what} must have ${wanted} samples, the batch size of the stateful ${name}, got ${count}; ` +
      `leave some out or add some`,
  )
}
