import {
  canRevectorize,
  compileKernels,
  instantiateKernels,
  type Kernels,
  type Numerics,
  type Tier,
} from '../src/runtime/tiers.ts'

const guard = 64

/** A small shared memory with the kernels over it: arrays go in by `put`, every one is followed by 64 guard bytes. */
export class Bed {
  readonly memory = new WebAssembly.Memory({ initial: 1024, maximum: 4096, shared: true })
  readonly kernels: Kernels
  private top = 1024
  private readonly ends: number[] = []

  constructor(tier: Tier = canRevectorize ? 'simd256' : 'simd128', numerics: Numerics = 'fused') {
    this.kernels = instantiateKernels(compileKernels(tier, numerics), this.memory)
  }

  /** Forgets every array. */
  reset(): void {
    this.top = 1024
    this.ends.length = 0
  }

  /** Copies float32 values in; returns their address. */
  put(values: ArrayLike<number>): number {
    const address = this.reserve(values.length * 4)
    new Float32Array(this.memory.buffer, address, values.length).set(values)
    return address
  }

  putInts(values: ArrayLike<number>): number {
    const address = this.reserve(values.length * 4)
    new Int32Array(this.memory.buffer, address, values.length).set(values)
    return address
  }

  putBytes(values: ArrayLike<number>): number {
    const address = this.reserve(values.length)
    new Uint8Array(this.memory.buffer, address, values.length).set(values)
    return address
  }

  /** `count` float32 elements filled with NaN, so that an element never written shows. */
  out(count: number): number {
    return this.put(new Float32Array(count).fill(Number.NaN))
  }

  floats(address: number, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, count).slice()
  }

  doubles(address: number, count: number): Float64Array {
    return new Float64Array(this.memory.buffer, address, count).slice()
  }

  ints(address: number, count: number): Int32Array {
    return new Int32Array(this.memory.buffer, address, count).slice()
  }

  /** Throws if a guard byte behind any array was written. */
  checkGuards(): void {
    const bytes = new Uint8Array(this.memory.buffer)
    for (const end of this.ends) {
      for (let i = end; i < end + guard; i++) {
        if (bytes[i] !== 0xa5)
          throw new Error(`guard byte at ${i} (${i - end} past an array's end) was overwritten`)
      }
    }
  }

  private reserve(bytes: number): number {
    const address = this.top
    const end = address + bytes
    this.top = (end + guard + 63) & ~63
    if (this.top > this.memory.buffer.byteLength) throw new Error('Bed: out of memory')
    new Uint8Array(this.memory.buffer, end, this.top - end).fill(0xa5)
    this.ends.push(end)
    return address
  }
}

/** Seeded numbers in [-1, 1), the same on every machine. */
export function noise(count: number, seed = 1): Float32Array {
  const values = new Float32Array(count)
  let state = seed >>> 0 || 1
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    values[i] = (state >>> 8) / 8388608 - 1
  }
  return values
}

/** Largest |actual − expected| / max(|expected|, largest |expected| of the array). */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let scale = 0
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i]!))
  let worst = actual.length === expected.length ? 0 : Number.POSITIVE_INFINITY
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!)
    const error = difference === 0 ? 0 : difference / Math.max(Math.abs(expected[i]!), scale)
    if (!(error <= worst)) worst = error
  }
  return worst
}

/** Sizes that reach every edge of a four-lane, two-vector loop. */
export const awkwardSizes = [0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100]
