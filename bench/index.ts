// npm run bench -- [product|train|layers|tfjs|programs|workers|overhead|lag] [--json] [--quick] [--only TEXT] [--avx2]
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { disturbance } from './quiet.ts'
import type { Print } from './table.ts'

const benchmarks: Record<string, () => Promise<{ run(options: Options, out: Print): Promise<unknown> }>> = {
  product: () => import('./product.ts'),
  train: () => import('./train.ts'),
  layers: () => import('./layers.ts'),
  tfjs: () => import('./tfjs.ts'),
  programs: () => import('./programs.ts'),
  workers: () => import('./workers.ts'),
  overhead: () => import('./overhead.ts'),
  lag: () => import('./lag.ts'),
}

export interface Options {
  /** Few and short rounds: to see that it works. */
  readonly quick: boolean
  /** Rows whose name contains this. */
  readonly only?: string
  /** Keep PyTorch from AVX-512, as on a machine that has none. */
  readonly avx2: boolean
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    avx2: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
})
const names = positionals.length > 0 ? positionals : Object.keys(benchmarks)
const unknown = names.find(name => !benchmarks[name])
if (unknown !== undefined) {
  console.error(`bench: must be of ${Object.keys(benchmarks).join(', ')}, got "${unknown}"`)
  process.exit(1)
}
const machine = { node: process.version, cpu: cpus()[0]?.model.trim() ?? '', cores: availableParallelism() }
const out: Print = values.json ? () => {} : console.log
out(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`)
const results: Record<string, unknown> = {}
for (const name of names) {
  out(`\n## ${name}\n`)
  const { run } = await benchmarks[name]!()
  const { quick, avx2, only } = values
  results[name] = await run({ quick, avx2, ...(only !== undefined && { only }) }, out)
}
const { measured, disturbed } = disturbance
if (measured > 0) out(`\n${disturbed} of ${measured} results were disturbed by other programs.`)
if (values.json) console.log(JSON.stringify({ ...machine, measured, disturbed, results }, undefined, 2))
