import type { Tensor } from '../data/tensor.ts'
import { mebibytes, mostLeaves } from '../model/memory.ts'
import type { Chosen } from './choosing.ts'
import type { Samples } from './learning.ts'
import type { TrainOptions } from './options.ts'
import type { Warnings } from './warnings.ts'

/** Bytes that data takes beside the memory of the training, by what it is. */
export type Held = Readonly<Record<string, number>>

/** Bytes of tensors, those that have their numbers in common counted once. */
export function bytesOf(...given: readonly (Tensor | readonly Tensor[])[]): number {
  const buffers = new Set(given.flat().map(({ values }) => values.buffer))
  return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0)
}

const listed = (held: Held): string =>
  Object.entries(held)
    .map(([name, bytes]) => `${mebibytes(bytes)} ${name}`)
    .join(' + ')

/** Bytes that `maxMemory` leaves for the training. @throws RangeError where data alone takes them all */
export function roomFor(maxMemory: number | undefined, held: Held): number | undefined {
  if (maxMemory === undefined) return undefined
  const sum = Object.values(held).reduce((all, bytes) => all + bytes, 0)
  if (sum < maxMemory) return maxMemory - sum
  throw new RangeError(
    `train: data must leave room in the ${mebibytes(maxMemory)} MiB of maxMemory, got ${mebibytes(sum)} MiB: ` +
      `${listed(held)}; give more memory, or less data`,
  )
}

/** What is trained on and validated with, and what is in memory beside. */
interface Ground {
  readonly training: Samples
  readonly validation: Samples
  readonly held: Held
}

/**
 * A network and its plan that fit beside the data: as it would be chosen or, where nothing says how many leaves there are,
 * with as many, one after the other, as it takes.
 * @throws RangeError with the sum of the parts where nothing fits
 */
export async function chooseFitting(
  choose: (more?: { readonly leaves: number }) => Promise<Chosen>,
  { maxMemory, leaves, workers = 'auto' }: TrainOptions,
  { training, validation, held }: Ground,
  warnings: Warnings,
): Promise<Chosen> {
  const room = roomFor(maxMemory, held)
  const chosen = await choose()
  if (room === undefined) return chosen
  const { batchSize } = chosen.plan
  const options = { batchSize, validationData: [validation.x, validation.y] as const, workers }
  const fits = ({ model }: Chosen): boolean => {
    const accumulate = model.compiled.leaves > 1
    const needs = (stream: boolean) =>
      model.planMemory(training.x, training.y, { ...options, stream, accumulate }).total
    try {
      return needs(true) <= room || needs(false) <= room
    } catch (error) {
      // Some layers need the whole mini-batch, and what never fits into memory fits here neither.
      if (error instanceof RangeError) return false
      throw error
    }
  }
  if (fits(chosen)) return chosen
  const most = leaves === undefined && chosen.plan.leaves === 1 ? Math.min(batchSize, mostLeaves) : 0
  for (let count = 2; count <= most; count *= 2) {
    const other = await choose({ leaves: count })
    if (fits(other)) {
      chosen.model.dispose()
      warnings.say(
        `mini-batches of ${batchSize} do not fit into maxMemory at once: each is taken in ${count} leaves, ` +
          'one after the other',
      )
      return other
    }
    other.model.dispose()
  }
  try {
    chosen.model.planMemory(training.x, training.y, { ...options, maxMemory: room })
  } catch (error) {
    throw new RangeError(
      `train: data and training must fit into the ${mebibytes(maxMemory!)} MiB of maxMemory, got ${listed(held)} ` +
        `of data, and ${(error as Error).message}`,
    )
  }
  return chosen
}
