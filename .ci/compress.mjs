// Compresses the kernels, which are most of the package: see src/runtime/tiers.ts.
import { readFileSync, writeFileSync } from 'node:fs'
import { brotliCompressSync } from 'node:zlib'

for (const name of ['fused', 'portable']) {
  const file = new URL(`../build/${name}.wasm`, import.meta.url)
  writeFileSync(new URL(`${file}.br`), brotliCompressSync(readFileSync(file)))
}
