// Makes the kernels, which are most of the package, small: see src/runtime/tiers.ts.
import { readFileSync, writeFileSync } from 'node:fs'
import { brotliCompressSync } from 'node:zlib'

for (const name of ['fused', 'portable']) {
  const file = new URL(`../build/${name}.wasm`, import.meta.url)
  writeFileSync(new URL(`${file}.br`), brotliCompressSync(readFileSync(file)))
}

// The types that the compiler writes say the same again in comments.
const types = new URL('../build/fused.d.ts', import.meta.url)
writeFileSync(types, readFileSync(types, 'utf8').replace(/^ *\/\*\*[^]*?\*\/\n/gm, ''))
