// Matrix products and convolutions of both tiers beside C with intrinsics (bench/c/product.c), in turns in one run.
import { canRevectorize, compileKernels, instantiateKernels, type Tier } from '../src/runtime/tiers.ts'
import { type Opponent, startOpponent } from './c/opponent.ts'
import { Bench, convolutions, convolutionTasks, layers, layerTasks, type Task } from './productTasks.ts'
import { type Print, short, startTable, verdict } from './table.ts'

export interface Row {
  task: Task['name']
  size: string
  tier: Tier
  gflops: number
  /** GFLOP/s of C with vectors of the same width, where there is a C compiler and C has the task. */
  c?: number
  ratio?: number
  asked: number
  /** Largest |got − float64| / largest |float64|, over some rows of the result. */
  residual: number
  pass: boolean
}

const tiers: readonly Tier[] = ['simd256', 'simd128']

/** Least ratio to C that is asked of a product: of layers, of 1024³, and of gradients. */
function askedOf({ name, size }: Task, tier: Tier): number {
  if (tier === 'simd128') return 0.9
  return name === 'forward' && size[2]! < 1024 ? 0.9 : 0.8
}

interface Turns {
  /** How many each side gets; the best counts. */
  readonly rounds: number
  readonly turnMs: number
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
  { rounds, turnMs }: Turns,
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
      asked: askedOf(task, tier),
      residual,
      // Rounding errors of a chain of `depth` additions grow like its square root.
      pass: residual < 2 ** -24 * (4 + 2 * Math.sqrt(task.depth)),
    }
  })
}

async function startSide(tier: Tier) {
  const bench = new Bench()
  const kernels = instantiateKernels(compileKernels(tier, 'fused'), bench.memory)
  return { tier, bench, kernels, opponent: await startOpponent(tier === 'simd256' ? 256 : 128) }
}
type Side = Awaited<ReturnType<typeof startSide>>

export async function run(
  { quick, only = '' }: { quick: boolean; only?: string },
  out: Print,
): Promise<Row[]> {
  const sides = await Promise.all((canRevectorize ? tiers : tiers.slice(1)).map(startSide))
  out('Best of the rounds, GFLOP/s. C: intrinsics of the same width. Residual: against float64.')
  out('')
  const line = startTable(out, ['product m×n×k', 'tier', 'Lockstep', 'C', '÷ C', 'residual', 'bound'])
  const rows: Row[] = []
  const makers = [
    ...layers.map(layer => (side: Side) => layerTasks(side.bench, side.kernels, layer)),
    ...convolutions.map(sizes => (side: Side) => convolutionTasks(side.bench, side.kernels, sizes)),
  ]
  try {
    for (const make of makers) {
      const tasks = sides.map(make)
      for (let i = 0; i < tasks[0]!.length; i++) {
        const { name, size } = tasks[0]![i]!
        if (!`${name} ${size.join('×')}`.includes(only)) continue
        const entries = sides.map(({ tier, opponent }, s) => ({ tier, opponent, task: tasks[s]![i]! }))
        const more = await compare(entries, quick ? { rounds: 1, turnMs: 5 } : { rounds: 7, turnMs: 20 })
        rows.push(...more)
        for (const row of more) print(line, row)
      }
    }
  } finally {
    for (const { opponent } of sides) opponent?.stop()
  }
  return rows
}

function print(line: (...cells: string[]) => void, row: Row): void {
  const { task, size, tier, gflops, c = Number.NaN, ratio = Number.NaN, asked, residual, pass } = row
  const cells = [tier, short(gflops), short(c), verdict(ratio, asked), residual.toExponential(1)]
  line(`${task} ${size}`, ...cells, pass ? 'PASS' : 'FAIL')
}
