import type { Checkpoint } from '../../src/checkpoints/checkpoint.ts'
import { encode } from '../../src/checkpoints/writing.ts'

/** The file that a checkpoint makes. */
export function bytesOf(checkpoint: Checkpoint): Buffer {
  const pieces: Buffer[] = []
  // Each piece is good until the next one only.
  for (const piece of encode('encode', checkpoint, () => {})) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

/** A small checkpoint that tells its number, of several kinds of arrays. */
export const numbered = (step: number): Checkpoint => ({
  header: { step, epoch: 1, history: { loss: [0.5, step] } },
  tensors: new Map([
    [
      'dense/kernel',
      { dtype: 'float32', shape: [2, 3], data: Float32Array.from({ length: 6 }, (_, i) => i / step) },
    ],
    ['totals', { dtype: 'float64', shape: [], data: Float64Array.of(step / 3) }],
    ['order', { dtype: 'int32', shape: [step], data: Int32Array.from({ length: step }, (_, i) => -i) }],
    ['mask', { dtype: 'uint8', shape: [3], data: Uint8Array.of(1, 0, 255) }],
  ]),
})
