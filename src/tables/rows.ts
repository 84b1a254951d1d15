import type { Tensor } from '../data/tensor.ts'
import type { Batches } from '../model/pass.ts'
import type { Encoder } from './encoder.ts'
import type { Samples } from './learning.ts'
import { type Prepared, samplesOfParts } from './preparing.ts'
import type { Held } from './room.ts'
import { pick } from './scaling.ts'
import type { Parts } from './splitting.ts'

/** Samples of a part, some at a time. */
export type Pieces = AsyncIterable<Scored> | Iterable<Scored>

/** Samples with what is to be predicted of each. */
interface Scored {
  readonly x: Tensor | Tensor[]
  readonly truth: ArrayLike<number>
}

/** The rows of a table as networks take them, in memory or in a file. */
export interface TableRows {
  readonly encoder: Encoder
  readonly held: Held
  /** Rows from which it follows what a training takes. */
  some(batchSize?: number): Promise<{ readonly training: Samples; readonly validation: Samples }>
  readonly truth: Readonly<Record<keyof Parts, Float64Array>>
  /** What is trained on. */
  training(batchSize: number): Samples | Batches
  validation(batchSize: number): Samples | Batches
  pieces(part: 'validation' | 'test'): Pieces
  /** Some rows of a part, all of their inputs side by side. */
  joined(part: 'validation' | 'test', rows: Uint32Array): Tensor | Promise<Tensor>
  close(): Promise<void>
}

/** All rows encoded in memory. */
export function rowsInMemory(prepared: Prepared): TableRows {
  const { encoder, held, ...samples } = samplesOfParts(prepared)
  const { training, validation, test } = samples
  return {
    encoder,
    held,
    some: async () => ({ training, validation }),
    truth: { training: training.truth, validation: validation.truth, test: test.truth },
    training: () => training,
    validation: () => validation,
    pieces: part => [samples[part]],
    joined: (part, rows) => pick(encoder.joined(samples[part].x), rows),
    close: async () => {},
  }
}
