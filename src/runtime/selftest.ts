import type { EngineOptions } from './engine.ts'
import {
  canRevectorize,
  compileKernels,
  instantiateKernels,
  type KernelModule,
  type KernelName,
  type Kernels,
} from './tiers.ts'
import { trials } from './trials.ts'

const arrayBytes = 4096
const scratchBytes = 384 * 1024

/**
 * A private memory in which trials run; each array gets a place of its own, so that one comparison at the end
 * tells all.
 */
class Ground {
  readonly memory = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true })
  readonly kernels: Kernels
  private top = scratchBytes + 1024
  private state = 1

  constructor(module: KernelModule) {
    this.kernels = instantiateKernels(module, this.memory)
  }

  /** Runs one trial; returns the part of the memory that it used. */
  run(kernel: KernelName, trial: string): Uint32Array {
    const begin = this.top
    const [end, ...args] = trial.split(' ').map(token => this.argument(token))
    ;(this.kernels[kernel] as (...args: number[]) => void)(0, end!, ...args)
    return new Uint32Array(this.memory.buffer, begin, (this.top - begin) / 4)
  }

  private argument(token: string): number {
    if (token === 's') return 1024
    if (token === 'g') return this.array(() => this.next() * 2 - 1)
    if (token === 'f') return this.array(() => this.next() * 0.9 + 0.05)
    if (!/^[if]:/.test(token)) return Number(token)
    const address = this.array(() => 0)
    const Numbers = token.startsWith('i') ? Int32Array : Float32Array
    new Numbers(this.memory.buffer, address).set(token.slice(2).split(',').map(Number))
    return address
  }

  private array(next: () => number): number {
    const address = this.top
    this.top += arrayBytes
    if (this.top > this.memory.buffer.byteLength) this.memory.grow(64)
    const values = new Float32Array(this.memory.buffer, address, arrayBytes / 4)
    for (let i = 0; i < values.length; i++) values[i] = next()
    return address
  }

  private next(): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0
    return this.state / 2 ** 32
  }
}

/** Equal bits; any NaN equals any other, since WebAssembly does not fix their payloads. */
function sameBits(a: Uint32Array, b: Uint32Array): boolean {
  const notANumber = (bits: number) => (bits & 0x7fffffff) > 0x7f800000
  return a.every((bits, i) => bits === b[i] || (notANumber(bits) && notANumber(b[i]!)))
}

/** The kernels whose results in the two modules differ in a bit. */
export function differingKernels(one: KernelModule, other: KernelModule): KernelName[] {
  const [a, b] = [new Ground(one), new Ground(other)]
  return (Object.keys(trials) as KernelName[]).filter(kernel => {
    return ![trials[kernel]].flat().every(trial => sameBits(a.run(kernel, trial), b.run(kernel, trial)))
  })
}

/**
 * Whether multiply-add rounds once here: (1 + 2⁻¹²)² − (1 + 2⁻¹¹) is 2⁻²⁴ then, and 0 where the product is
 * rounded first.
 */
function isFused(module: KernelModule): boolean {
  const { memory, kernels } = new Ground(module)
  const [a, panels, bias, c] = [1024, 2048, 3072, 4096]
  const floats = new Float32Array(memory.buffer)
  floats[a / 4] = 1 + 2 ** -12
  floats[panels / 4] = 1 + 2 ** -12
  floats[bias / 4] = -(1 + 2 ** -11)
  kernels.product(0, 1, a, panels, bias, c, 1, 1, Number.NEGATIVE_INFINITY)
  return floats[c / 4] === 2 ** -24
}

/**
 * Compiles the kernels of the fastest tier that works here. Revectorization is experimental in V8, so its
 * code is only used if every kernel gives the bits of the 128-bit tier; both compile in 0.1 s. A tier that
 * was asked for is tested too.
 * @throws Error on a CPU without fused multiply-add, or where the tier that was asked for does not work
 */
export function loadKernels({ numerics = 'fused', tier }: EngineOptions): KernelModule {
  const narrow = compileKernels('simd128', numerics)
  if (numerics === 'fused' && !isFused(narrow)) {
    throw new Error(
      'engine: fused numerics need a CPU with fused multiply-add, got one without; ' +
        "set LOCKSTEP_NUMERICS=portable or call configure({ numerics: 'portable' })",
    )
  }
  if (tier === 'simd128' || (!tier && !canRevectorize)) return narrow
  const wide = compileKernels('simd256', numerics)
  const differing = differingKernels(wide, narrow)
  if (differing.length === 0) return wide
  if (!tier) return narrow
  throw new Error(
    `engine: tier simd256 must give the bits of simd128, got others from ${differing.join(', ')}; unset LOCKSTEP_TIER`,
  )
}
