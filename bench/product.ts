// Matrix products and convolutions of both tiers beside C with intrinsics (bench/c/product.c), in turns in
// one run.
// node bench/product.ts [--json]

import { fileURLToPath } from 'node:url'
import { canRevectorize, compileKernels, instantiateKernels, type Tier } from '../src/runtime/tiers.ts'
import { type Opponent, startOpponent } from './c/opponent.ts'
import { Bench, convolutions, convolutionTasks, layers, layerTasks, type Task } from './productTasks.ts'

export interface Row {
  task: Task['name']
  size: string
  tier: Tier
  gflops: number
  /** GFLOP/s of C with vectors of the same width, where there is a C compiler and C has the task. */
  c?: number
  ratio?: number
  /** Largest |got − float64| / largest |float64|, over some rows of the result. */
  residual: number
  pass: boolean
}

export interface Options {
  /** Turns that each side gets; the best counts. */
  rounds?: number
  /** Time of one turn. */
  turnMs?: number
  onRow?: (row: Row) => void
}

/** Least seconds of one call within `turnMs`. */
function time(call: () => void, flops: number, turnMs: number): number {
  const calls = Math.ceil(2e7 / flops)
  let best = Number.POSITIVE_INFINITY
  const start = performance.now()
  do {
    const from = performance.now()
    for (let i = 0; i < calls; i++) call()
    best = Math.min(best, (performance.now() - from) / calls / 1e3)
  } while (performance.now() - start < turnMs)
  return best
}

/** One task on every tier, in turns with C. */
async function compare(
  tasks: { tier: Tier; task: Task; opponent: Opponent | undefined }[],
  { rounds = 7, turnMs = 20 }: Options,
): Promise<Row[]> {
  const best = tasks.map(() => ({ own: Number.POSITIVE_INFINITY, c: Number.POSITIVE_INFINITY }))
  for (let round = 0; round < rounds; round++) {
    for (const [i, { task, opponent }] of tasks.entries()) {
      const ms = Math.max(turnMs, task.flops / 2e7)
      best[i]!.own = Math.min(best[i]!.own, time(task.run, task.flops, ms))
      if (opponent && task.size.length === 3) {
        best[i]!.c = Math.min(best[i]!.c, await opponent.time(task.name, task.size, ms))
      }
    }
  }
  return tasks.map(({ tier, task }, i) => {
    const { own, c } = best[i]!
    const residual = task.residual()
    return {
      task: task.name,
      size: task.size.join('×'),
      tier,
      gflops: task.flops / own / 1e9,
      ...(c < Number.POSITIVE_INFINITY ? { c: task.flops / c / 1e9, ratio: c / own } : {}),
      residual,
      // Rounding errors of a chain of `depth` additions grow like its square root.
      pass: residual < 2 ** -24 * (4 + 2 * Math.sqrt(task.depth)),
    }
  })
}

export async function run(options: Options = {}): Promise<Row[]> {
  const tiers: Tier[] = canRevectorize ? ['simd256', 'simd128'] : ['simd128']
  const sides = await Promise.all(
    tiers.map(async tier => {
      const bench = new Bench()
      const kernels = instantiateKernels(compileKernels(tier, 'fused'), bench.memory)
      return { tier, bench, kernels, opponent: await startOpponent(tier === 'simd256' ? 256 : 128) }
    }),
  )
  const rows: Row[] = []
  try {
    for (const tasksOf of [
      ...layers.map(layer => (side: (typeof sides)[number]) => layerTasks(side.bench, side.kernels, layer)),
      ...convolutions.map(
        sizes => (side: (typeof sides)[number]) => convolutionTasks(side.bench, side.kernels, sizes),
      ),
    ]) {
      const tasks = sides.map(tasksOf)
      for (let i = 0; i < tasks[0]!.length; i++) {
        const entries = sides.map(({ tier, opponent }, s) => ({ tier, opponent, task: tasks[s]![i]! }))
        for (const row of await compare(entries, options)) {
          rows.push(row)
          options.onRow?.(row)
        }
      }
    }
  } finally {
    for (const { opponent } of sides) opponent?.stop()
  }
  return rows
}

function print({ task, size, tier, gflops, c, ratio, residual, pass }: Row): void {
  const number = (value: number | undefined, digits: number) => (value?.toFixed(digits) ?? '–').padStart(8)
  console.log(
    `${task.padEnd(17)}${size.padEnd(18)}${tier}${number(gflops, 1)}${number(c, 1)}${number(ratio, 2)}` +
      `${residual.toExponential(1).padStart(10)} ${pass ? 'PASS' : 'FAIL'}`,
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const json = process.argv.includes('--json')
  if (!json) console.log(`${'task'.padEnd(17)}${'size'.padEnd(18)}tier     GFLOP/s       C   ratio  residual`)
  const rows = await run(json ? {} : { onRow: print })
  if (json) console.log(JSON.stringify({ node: process.version, rows }, undefined, 2))
}
