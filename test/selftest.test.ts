import { expect, test } from 'vitest'
import { differingKernels, loadKernels } from '../src/runtime/selftest.ts'
import { canRevectorize, compileKernels, type KernelName } from '../src/runtime/tiers.ts'
import { trials } from '../src/runtime/trials.ts'

test('every exported kernel has a trial', () => {
  const { module } = compileKernels('simd128', 'fused')
  const exported = WebAssembly.Module.exports(module).filter(({ kind }) => kind === 'function')
  expect(Object.keys(trials).sort()).toEqual(exported.map(({ name }) => name).sort())
})

test.runIf(canRevectorize)(
  'the tiers agree in both numerics, and the self-test can tell modules apart',
  () => {
    for (const numerics of ['fused', 'portable'] as const) {
      const [wide, narrow] = [compileKernels('simd256', numerics), compileKernels('simd128', numerics)]
      expect(differingKernels(wide, narrow)).toEqual([])
    }
    const different = differingKernels(
      compileKernels('simd128', 'fused'),
      compileKernels('simd128', 'portable'),
    )
    const rounded: KernelName[] = [
      'product',
      'productGradient',
      'convolve',
      'adam',
      'softmax',
      'batchMoments',
    ]
    for (const kernel of rounded) expect(different).toContain(kernel)
    expect(different).not.toContain('relu')
  },
)

test('a forced tier is used', () => {
  expect(loadKernels({ tier: 'simd128' }).tier).toBe('simd128')
})
