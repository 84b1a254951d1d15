import type { Rows } from '../data/inputs.ts'
import { show } from '../errors.ts'
import { sizeOf } from '../graph/value.ts'
import type { Arena, Block } from '../runtime/arena.ts'
import type { Loss } from '../training/losses.ts'
import type { SourceKind } from './record.ts'

/** Samples copied into the shared memory, where a kernel gathers batches from. */
export interface Resident {
  readonly block: Block
  readonly kind: SourceKind
  readonly count: number
}

/** Copies samples in: bytes stay bytes, everything else becomes float32. */
export function makeResident(arena: Arena, rows: Rows, what: string): Resident {
  const { values, scale, count } = rows
  const bytes = values instanceof Uint8Array
  const block = arena.allocate(values.length * (bytes ? 1 : 4), what)
  const { buffer } = arena.memory
  if (bytes) new Uint8Array(buffer, block.address, values.length).set(values)
  else new Float32Array(buffer, block.address, values.length).set(values)
  return { block, kind: { bytes, scale }, count }
}

/** @throws RangeError where a class number does not name one of the classes that the model predicts. */
export function checkLabels(where: string, name: string, y: Rows, loss: Loss, classes: number): void {
  if (!loss.sparse) return
  const { values, scale } = y
  for (let i = 0; i < values.length; i++) {
    const label = values[i]! * scale
    if (label >= 0 && label < classes && Number.isInteger(label)) continue
    const position = show([i])
    throw new RangeError(
      `${where}: ${name} must hold class numbers from 0 to ${classes - 1}, got ${label} at ${position}; ` +
        `correct the labels or give the last layer more units`,
    )
  }
}

/** Class of each sample: its number, or where its target is largest. */
function classOf(y: Rows, index: number, sparse: boolean): number {
  if (sparse) return y.values[index]! * y.scale
  const size = sizeOf(y.shape)
  if (size === 1) return y.values[index]!
  const row = y.values.subarray(index * size, (index + 1) * size)
  return row.indexOf(Math.max(...row))
}

/** One weight a sample from the caller's own and those of the classes; undefined where all are 1. */
export function weightsOf(
  where: string,
  y: Rows,
  loss: Loss,
  sampleWeight: Float32Array | undefined,
  classWeight: Readonly<Record<number, number>> | undefined,
): Float32Array | undefined {
  if (!sampleWeight && !classWeight) return undefined
  const weights = sampleWeight ? sampleWeight.slice() : new Float32Array(y.count).fill(1)
  if (weights.length !== y.count) {
    throw new RangeError(
      `${where}: sampleWeight must have ${y.count} elements, one a sample, got ${weights.length}; correct it`,
    )
  }
  if (classWeight) {
    for (let i = 0; i < y.count; i++) {
      const label = classOf(y, i, loss.sparse)
      const weight = classWeight[label]
      if (weight === undefined) {
        const known = Object.keys(classWeight).join(', ')
        throw new RangeError(
          `${where}: classWeight must name every class, got ${known} but no ${label}; add it`,
        )
      }
      weights[i]! *= weight
    }
  }
  return weights
}
