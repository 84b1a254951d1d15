import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import v8 from 'node:v8'
import { brotliDecompressSync } from 'node:zlib'
import type { instantiate as instantiateFused } from '../../build/fused.js'

/** Exports of the kernel module; the types come from the AssemblyScript compiler. */
export type Kernels = Omit<Awaited<ReturnType<typeof instantiateFused>>, 'memory'>
export type KernelName = keyof Kernels

/**
 * `simd256`: V8 packs pairs of 128-bit operations into AVX2. `simd128`: everywhere else. Same bits, other
 * speed.
 */
export type Tier = 'simd256' | 'simd128'
/** `fused`: multiply-add rounds once (any CPU with FMA). `portable`: it rounds twice (any CPU with SIMD). */
export type Numerics = 'fused' | 'portable'

/** A compiled kernel module: structured-cloneable, so that workers receive the optimized code. */
export interface KernelModule {
  module: WebAssembly.Module
  tier: Tier
  numerics: Numerics
}

const v8Major = Number.parseInt(process.versions.v8, 10)
const v8Minor = Number.parseInt(process.versions.v8.split('.')[1] ?? '0', 10)

// V8 14 plans deoptimizations from feedback that only its baseline compiler gathers, and aborts the process without it. So
// they stay off from here on: switched only while the kernels compile, they aborted other modules that V8 happened to
// compile in the background (4 of 22 runs of a stress test beside a TypeScript loader, against none of 40).
if (v8Major >= 14) v8.setFlagsFromString('--no-wasm-deopt')

/** Whether this V8 has the revectorizer (V8 ≥ 12 on x64); an unknown flag would print to stderr. */
export const canRevectorize = v8Major >= 12 && process.arch === 'x64'
const relaxedNeedsFlag = v8Major < 11 || (v8Major === 11 && v8Minor < 4)

/** Flags that make V8 compile the whole module at once with the optimizing compiler. */
function compileFlags(tier: Tier, numerics: Numerics): string[] {
  return [
    'no-liftoff',
    'no-wasm-lazy-compilation',
    ...(tier === 'simd256' ? ['experimental-wasm-revectorize'] : []),
    ...(numerics === 'fused' && relaxedNeedsFlag ? ['experimental-wasm-relaxed-simd'] : []),
  ]
}

/** What `execArgv` and `NODE_OPTIONS` say of a flag, else V8's default; the last mention wins. */
function configuredFlag(flag: string): string {
  const name = flag.replace(/^no-/, '')
  const fallback = name.startsWith('experimental') ? `no-${name}` : name
  const options = [...(process.env.NODE_OPTIONS ?? '').split(/\s+/), ...process.execArgv]
  const mentions = options
    .map(option =>
      option
        .replace(/^--/, '')
        .replaceAll('_', '-')
        .replace(/^no(?!-)/, 'no-'),
    )
    .filter(option => option === name || option === `no-${name}`)
  return mentions.at(-1) ?? fallback
}

/**
 * V8 caches compiled code by the module's bytes: a custom section (id 0) that names the tier makes them
 * differ.
 */
function tagged(bytes: Uint8Array, tier: Tier): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(tier)
  const result = new Uint8Array(bytes.length + 3 + name.length)
  result.set(bytes)
  result.set([0, name.length + 1, name.length, ...name], bytes.length)
  return result
}

const bytesOf = (numerics: Numerics) =>
  brotliDecompressSync(readFileSync(new URL(`../../build/${numerics}.wasm.br`, import.meta.url)))

/** Tells kernels that might compute other bits apart: a SHA-256. */
export const kernelDigest = (numerics: Numerics): string =>
  createHash('sha256').update(bytesOf(numerics)).digest('hex')

/**
 * Compiles the kernels of one build under the tier's V8 flags, which are process-wide only while it runs (≈
 * 50 ms).
 */
export function compileKernels(tier: Tier, numerics: Numerics): KernelModule {
  const bytes = bytesOf(numerics)
  const flags = compileFlags(tier, numerics)
  for (const flag of flags) v8.setFlagsFromString(`--${flag}`)
  try {
    return { module: new WebAssembly.Module(tagged(bytes, tier)), tier, numerics }
  } finally {
    for (const flag of flags) v8.setFlagsFromString(`--${configuredFlag(flag)}`)
  }
}

/** A thread's own instance of the kernels over the engine's shared memory. */
export function instantiateKernels({ module, tier }: KernelModule, memory: WebAssembly.Memory): Kernels {
  const wide = tier === 'simd256' ? 1 : 0
  return new WebAssembly.Instance(module, { env: { memory, wide } }).exports as unknown as Kernels
}
