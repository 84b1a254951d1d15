import { Graph } from '../../src/graph/graph.ts'
import { bytesOf, matrixOf, type Parameter } from '../../src/graph/parameter.ts'
import { samples, sizeOf, slices, update, type Value, write } from '../../src/graph/value.ts'
import type { Layer, Weight } from '../../src/layers/define.ts'
import { Claims } from '../../src/model/claims.ts'
import type { Internals } from '../../src/model/internals.ts'
import { inOrder, runLocally } from '../../src/model/local.ts'
import { countedRows, RowCounts, recordLoss } from '../../src/model/maskedLoss.ts'
import { Stage } from '../../src/model/stage.ts'
import { ModelState } from '../../src/model/state.ts'
import { makePlan } from '../../src/plan/planner.ts'
import { sharedEngine } from '../../src/runtime/engine.ts'
import type { Loss } from '../../src/training/rowLosses.ts'

/** What goes into one step; `weight` is one factor a sample. */
export interface Inputs {
  readonly x: Float32Array
  readonly target: Float32Array
  readonly weight?: Float32Array | undefined
  /** By the weights' names, row-major. */
  readonly weights: Readonly<Record<string, Float32Array>>
}

export interface Setup {
  /** Each fed by the one before; a layer may occur twice. */
  readonly layers: readonly Layer[]
  /** Shape of one sample. */
  readonly input: readonly number[]
  readonly samples: number
  readonly loss: Loss
  /** The input holds integers: it has no gradient. */
  readonly discrete?: boolean
  readonly training?: boolean
  readonly leaves?: number
  /** Samples that the plan has room for. */
  readonly rows?: number
  /** Whether the layers are one block that is computed again for its gradients. */
  readonly recompute?: boolean
}

/** What came out of one step. Gradients are those of the weighted mean of the losses. */
export interface Outputs {
  readonly y: Float32Array
  /** One loss a row. */
  readonly losses: Float32Array
  /** Empty where the input is discrete. */
  readonly dx: Float32Array
  readonly gradients: Readonly<Record<string, Float32Array>>
  /** All weights after the step. */
  readonly after: Readonly<Record<string, Float32Array>>
}

/** The weights and the output shape of the layers, which are built by this. */
export function build({ layers, input }: Pick<Setup, 'layers' | 'input'>): {
  weights: Weight[]
  shape: readonly number[]
} {
  const g = new Graph({ training: false, leaves: 1, rows: 1 })
  const { shape } = layers.reduce((value, layer) => layer.build(g, value), g.batch('x', input))
  return { weights: [...new Set(layers.flatMap(layer => layer.weights))], shape }
}

/** A value of every sample's, copied from or to a data source of the same name. */
export function gathered(g: Graph, name: string, shape: readonly number[], differentiable = false): Value {
  const value = g.allocate('batch', name, shape, 4 * sizeOf(shape), differentiable)
  const source = g.allocate('data', name, shape, 0)
  g.call('gather', samples(), source, 0, g.cells.position, write(value), sizeOf(shape))
  return value
}

export function scattered(g: Graph, name: string, value: Value): void {
  const whole = g.allocate('data', name, value.shape, 0)
  const size = sizeOf(value.shape)
  g.call('scatter', samples(), value, g.cells.position, write(whole), size)
}

/**
 * Records a step that ends in holder = −dw for every trainable weight, so that no rounding comes between.
 * `inner` is the number of losses a sample.
 */
function record(
  setup: Setup,
  weighted: boolean,
  holders: ReadonlyMap<Weight, Parameter>,
): { g: Graph; inner: number } {
  const { layers, input, loss, discrete = false, training = true, leaves = 1, rows = setup.samples } = setup
  const g = new Graph({ training, leaves, rows })
  const x = gathered(g, 'x', input, !discrete)
  const through = () => layers.reduce((value, layer) => layer.build(g, value), x)
  const y = setup.recompute ? g.recomputed(through) : through()
  const target = gathered(g, 'target', loss.targetShape(y.shape))
  const weight = weighted ? gathered(g, 'weight', [1]) : undefined
  const counts = new RowCounts(g)
  const counted = countedRows(g, loss, y, target)
  if (training) counts.add(0, counted)
  const comparison = { prediction: y, target, weight }
  const { values, inner } = recordLoss(g, loss, comparison, counted, counts.of(0))
  scattered(g, 'y', y)
  scattered(g, 'losses', values)
  if (!training) return { g, inner }
  g.differentiate()
  if (!discrete) scattered(g, 'dx', g.gradientOf(x)!)
  for (const [w, holder] of holders) {
    const value = g.parameter(holder)
    const dw = g.gradientOf(g.parameter(w))!
    g.update('sgd', slices(value.storage.bytes / 64), update(value), dw, g.cells.rate)
  }
  return { g, inner }
}

/** Arrays in the arena, each followed by NaN; `read` copies one out. */
export function place(sources: Readonly<Record<string, Float32Array>>) {
  const { arena } = sharedEngine()
  const blocks = new Map(
    Object.entries(sources).map(([name, values]) => {
      const block = arena.allocate(values.byteLength, name)
      floats(block.address, block.bytes / 4).fill(Number.NaN)
      floats(block.address, values.length).set(values)
      return [name, block]
    }),
  )
  return {
    addresses: Object.fromEntries([...blocks].map(([name, { address }]) => [name, address])),
    read: (name: string) => floats(blocks.get(name)!.address, sources[name]!.length).slice(),
    free: () => blocks.forEach(block => arena.free(block)),
  }
}

/** Runs a recorded step with all temporary memory filled with NaN before. */
export function runOnce(
  g: Graph,
  samples: number,
  state: ModelState,
  data: Readonly<Record<string, number>>,
): void {
  const engine = sharedEngine()
  const claims = new Claims(engine.arena)
  const stage = new Stage(claims, { plan: makePlan(g), totals: [] }, 1)
  const bases = stage.bases(state.address, data)
  floats(bases.arena, stage.plan.arenaBytes / 4).fill(Number.NaN)
  floats(bases.worker, stage.plan.workerBytes / 4).fill(Number.NaN)
  const steps = { ...inOrder(samples, samples), seed: [7, 8] as const, rates: data.rate! }
  runLocally({ engine } as Internals, stage, data, state.address, steps)
  claims.free()
}

/** Runs one step from the given inputs and weights. */
export function measure(setup: Setup, { x, target, weight, weights: given }: Inputs): Outputs {
  const { samples } = setup
  const { weights, shape } = build(setup)
  const holders = new Map<Weight, Parameter>()
  for (const w of weights.filter(w => w.trainable)) {
    const { name, shape, columnAxes } = w
    holders.set(w, { name: `${name} gradient`, shape, columnAxes, trainable: false, offset: 0 })
  }
  const state = new ModelState(sharedEngine().arena, [...weights, ...holders.values()])
  state.place()
  for (const w of weights) state.write(w, given[w.name]!)
  const { g, inner } = record(setup, weight !== undefined, holders)
  const outputs = {
    y: nan(samples * sizeOf(shape)),
    losses: nan(samples * inner),
    dx: nan(setup.discrete ? 0 : x.length),
  }
  const rate = Float32Array.of(1)
  const arrays = place({ x, target, rate, ...outputs, ...(weight && { weight }) })
  runOnce(g, samples, state, arrays.addresses)
  for (const [w, holder] of holders)
    checkPadding(floats(state.address + holder.offset, bytesOf(w.shape, w.columnAxes) / 4), w)
  const gradients = [...holders].map(([w, holder]) => [w.name, state.read(holder).map(value => -value)])
  const result = {
    y: arrays.read('y'),
    losses: arrays.read('losses'),
    dx: arrays.read('dx'),
    gradients: Object.fromEntries(gradients),
    after: Object.fromEntries(weights.map(w => [w.name, state.read(w)])),
  }
  arrays.free()
  state.free()
  return result
}

export const nan = (count: number) => new Float32Array(count).fill(Number.NaN)
const floats = (address: number, count: number) =>
  new Float32Array(sharedEngine().arena.memory.buffer, address, count)

/** What lies past a gradient's columns goes into its norm, so it must be zero. */
function checkPadding(panels: Float32Array, { name, shape, columnAxes }: Parameter): void {
  const { k, n } = matrixOf(shape, columnAxes)
  const wrong = panels.findIndex((value, i) => Math.floor(i / (16 * k)) * 16 + (i % 16) >= n && value !== 0)
  if (wrong !== -1) throw new Error(`the padding of d ${name} must be 0, got ${panels[wrong]} at ${wrong}`)
}
