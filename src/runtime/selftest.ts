import type { EngineOptions } from './engine.ts'
import { canRevectorize, compileKernels, instantiateKernels, type KernelModule } from './tiers.ts'

/** Whether multiply-add rounds once here: (1 + 2⁻¹²)² − (1 + 2⁻¹¹) is 2⁻²⁴ then, and 0 where the product is rounded first. */
function isFused(kernels: KernelModule): boolean {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared: true })
  const { product } = instantiateKernels(kernels, memory)
  const [a, panels, bias, c] = [1024, 2048, 3072, 4096]
  const floats = new Float32Array(memory.buffer)
  floats[a / 4] = 1 + 2 ** -12
  floats[panels / 4] = 1 + 2 ** -12
  floats[bias / 4] = -(1 + 2 ** -11)
  product(0, 1, a, panels, bias, c, 1, 1, Number.NEGATIVE_INFINITY)
  return floats[c / 4] === 2 ** -24
}

/** Compiles the kernels of the fastest tier that works here. @throws Error on a CPU without fused multiply-add. */
export function loadKernels({ numerics = 'fused', tier }: EngineOptions): KernelModule {
  const chosen = tier ?? (canRevectorize ? 'simd256' : 'simd128')
  const kernels = compileKernels(chosen, numerics)
  if (numerics === 'fused' && !isFused(kernels)) {
    throw new Error(
      'engine: fused numerics need a CPU with fused multiply-add, got one without; ' +
        "set LOCKSTEP_NUMERICS=portable or call configure({ numerics: 'portable' })",
    )
  }
  return kernels
}
