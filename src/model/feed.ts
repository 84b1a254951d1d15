import { breath } from '../data/breath.ts'
import type { Rows } from '../data/inputs.ts'
import { show } from '../errors.ts'
import { sizeOf } from '../graph/value.ts'
import { type Arena, blockBytes } from '../runtime/arena.ts'
import type { Loss } from '../training/rowLosses.ts'
import type { Claims } from './claims.ts'
import type { Sources } from './gathering.ts'
import { kindOf, Ring, type Slots } from './ring.ts'

/** Samples that the workers can reach, by the names that plans know them by. */
export interface Feed {
  readonly addresses: Readonly<Record<string, number>>
  /** What recording a step must know of them. */
  readonly sources: Sources
  /** The ring that they come through; undefined where all of them lie in the shared memory. */
  readonly ring: Ring | undefined
}

/** Elements that are copied at once: some milliseconds. */
const pieceSize = 2 ** 20

export type RowsByName = Readonly<Record<string, Rows>>

/** What recording a step must know of samples. */
export function sourcesOf(rows: RowsByName, ordered: boolean): Sources {
  const kinds = Object.entries(rows).map(([name, each]) => [name, kindOf(each)])
  return { kinds: Object.fromEntries(kinds), ordered }
}

/** Bytes that samples take in the shared memory: bytes stay bytes, everything else becomes float32. */
const residentBytes = ({ values }: Rows): number => values.length * (values instanceof Uint8Array ? 1 : 4)

/** Whether samples take so much of the memory that is left that they are better streamed. */
export function mustStream(arena: Arena, rows: RowsByName): boolean {
  const bytes = Object.values(rows).reduce((sum, each) => sum + residentBytes(each), 0)
  return bytes > (arena.mostBytes - arena.bytes) / 2
}

/** What samples take as blocks, each once; those that are there already, nothing. */
export function residentBlocks(rows: RowsByName, there: RowsByName = {}): number {
  const known = new Set(Object.values(there).map(({ values }) => values))
  let bytes = 0
  for (const each of Object.values(rows)) {
    if (!known.has(each.values)) bytes += blockBytes(residentBytes(each))
    known.add(each.values)
  }
  return bytes
}

/** Copies `count` elements of samples, from one on, to where they lie in the shared memory. */
function copyIn(
  { buffer }: WebAssembly.Memory,
  address: number,
  values: Rows['values'],
  from: number,
  count: number,
) {
  const part = values.subarray(from, from + count)
  if (part instanceof Uint8Array) new Uint8Array(buffer, address + from, part.length).set(part)
  else new Float32Array(buffer, address + 4 * from, part.length).set(part)
}

/** Samples in the shared memory that several feeds have in common, each of them once. */
export class Residents {
  private readonly claims: Claims
  private readonly addresses = new Map<Rows['values'], number>()

  constructor(claims: Claims) {
    this.claims = claims
  }

  /** Makes room for samples; they are there once `load` has resolved. */
  feed(rows: RowsByName, ordered: boolean): Feed {
    const addresses = Object.entries(rows).map(([name, each]) => {
      const address =
        this.addresses.get(each.values) ?? this.claims.allocate(residentBytes(each), name).address
      this.addresses.set(each.values, address)
      return [name, address]
    })
    return { addresses: Object.fromEntries(addresses), sources: sourcesOf(rows, ordered), ring: undefined }
  }

  loadAtOnce(): void {
    for (const [values, address] of this.addresses)
      copyIn(this.claims.arena.memory, address, values, 0, values.length)
  }

  /** Copies all samples in; other things may happen meanwhile. */
  async load(): Promise<void> {
    for (const [values, address] of this.addresses) {
      for (let from = 0; from < values.length; from += pieceSize) {
        copyIn(this.claims.arena.memory, address, values, from, pieceSize)
        await breath()
      }
    }
  }
}

/** Copies samples into the shared memory, where a kernel gathers batches from. */
export function residentFeed(claims: Claims, rows: RowsByName): Feed {
  const residents = new Residents(claims)
  const feed = residents.feed(rows, false)
  residents.loadAtOnce()
  return feed
}

/** Leaves samples where they are and lets their batches through a ring. */
export function streamedFeed(claims: Claims, rows: RowsByName, slots: Slots): Feed {
  const ring = new Ring(claims, rows, slots)
  return { addresses: ring.addresses, sources: sourcesOf(rows, false), ring }
}

/** @throws RangeError where a class number does not name one of the classes that the model predicts. */
export function checkLabels(where: string, name: string, y: Rows, loss: Loss, classes: number): void {
  if (!loss.sparse) return
  const { values, scale } = y
  for (let i = 0; i < values.length; i++) {
    const label = values[i]! * scale
    if ((label >= 0 && label < classes && Number.isInteger(label)) || label === loss.ignoreClass) continue
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
      if (label === loss.ignoreClass) continue
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
