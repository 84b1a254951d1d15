// Takes the comments out of the compiled library: its types keep them.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import ts from 'typescript'

const dist = new URL('../dist/', import.meta.url)
const compilerOptions = { target: 'es2023', module: 'esnext', removeComments: true }
for (const name of readdirSync(dist, { recursive: true })) {
  if (!name.endsWith('.js')) continue
  const file = new URL(name, dist)
  writeFileSync(file, ts.transpile(readFileSync(file, 'utf8'), compilerOptions))
}
