import { Graph } from '../graph/graph.ts'
import type { Parameter } from '../graph/parameter.ts'
import { once, samples, sizeOf, slices, update, type Value, write } from '../graph/value.ts'
import type { Layer, Weight } from '../layers/define.ts'
import type { Plan } from '../plan/plan.ts'
import { makePlan } from '../plan/planner.ts'
import type { Loss, RowLosses } from '../training/losses.ts'
import type { Metric } from '../training/metrics.ts'
import { normChunkUnits, type Optimizer } from '../training/optimizers.ts'

/** How a source of samples lies in memory. */
export interface SourceKind {
  /** Bytes of value byte · scale, or float32. */
  readonly bytes: boolean
  readonly scale: number
}

/** What a plan reads, batch by batch. */
export interface Sources {
  readonly x: SourceKind
  readonly y?: SourceKind
  /** Whether each sample has a weight. */
  readonly weighted?: boolean
  /** Whether rows are taken in the order of an index array. */
  readonly ordered?: boolean
}

/** What `compile` settled. */
export interface Compiled {
  readonly optimizer: Optimizer
  readonly loss: Loss
  readonly metrics: readonly { readonly key: string; readonly metric: Metric }[]
  readonly leaves: number
  /** State arrays of each trainable weight. */
  readonly slots: ReadonlyMap<Weight, readonly Parameter[]>
}

/** The part of a model that its graphs are recorded from. */
export interface Architecture {
  readonly layers: readonly Layer[]
  readonly inputShape: readonly number[]
}

/** Sums over an epoch: where they lie, how many, and over how many rows a sample. */
export interface Total {
  readonly key: string
  readonly width: number
  readonly inner: number
}

export interface Recorded {
  readonly plan: Plan
  readonly totals: readonly Total[]
}

/** The layers' output for an input value. */
export function recordLayers({ layers }: Architecture, g: Graph, x: Value): Value {
  return layers.reduce((value, layer) => layer.build(g, value), x)
}

/** A batch of a data source, gathered by kernel. */
function gathered(
  g: Graph,
  name: string,
  shape: readonly number[],
  kind: SourceKind,
  ordered: boolean,
): Value {
  const value = g.batch(name, shape)
  const source = g.allocate('data', name, shape, 0)
  const order = ordered ? g.allocate('data', 'order', [], 0) : 0
  const { position } = g.cells
  const size = sizeOf(shape)
  if (kind.bytes) g.call('gatherBytes', samples(), source, order, position, write(value), size, kind.scale)
  else g.call('gather', samples(), source, order, position, write(value), size)
  return value
}

/** One step of prediction: a batch of x through the layers, the result into its place in `output`. */
export function recordPrediction(architecture: Architecture, rows: number, sources: Sources): Recorded {
  const g = new Graph({ training: false, leaves: 1, rows })
  const x = gathered(g, 'x', architecture.inputShape, sources.x, false)
  const y = recordLayers(architecture, g, x)
  const whole = g.allocate('data', 'output', y.shape, 0)
  g.call('scatter', samples(), y, g.cells.position, write(whole), sizeOf(y.shape))
  return { plan: makePlan(g), totals: [] }
}

/** One step of training or evaluation. */
export function recordStep(
  architecture: Architecture,
  compiled: Compiled,
  mode: 'train' | 'evaluate',
  rows: number,
  sources: Sources,
): Recorded {
  const training = mode === 'train'
  const g = new Graph({ training, leaves: training ? compiled.leaves : 1, rows })
  const ordered = sources.ordered ?? false
  const x = gathered(g, 'x', architecture.inputShape, sources.x, ordered)
  const prediction = recordLayers(architecture, g, x)
  const target = gathered(g, 'y', compiled.loss.targetShape(prediction.shape), sources.y!, ordered)
  const plain: SourceKind = { bytes: false, scale: 1 }
  const weight = sources.weighted ? gathered(g, 'weight', [1], plain, ordered) : undefined
  const losses = compiled.loss.record(g, { prediction, target, weight })
  if (training) g.checkFinite(losses.values, 'the loss')
  const outputs: Record<string, Value> = {}
  const totals = recordTotals(g, compiled, losses, { prediction, target, weight }, outputs)
  recordPenalties(g, architecture, outputs, totals)
  if (training) recordUpdates(g, compiled)
  return { plan: makePlan(g, outputs), totals }
}

function recordTotals(
  g: Graph,
  { metrics }: Compiled,
  losses: RowLosses,
  { prediction, target, weight }: { prediction: Value; target: Value; weight: Value | undefined },
  outputs: Record<string, Value>,
): Total[] {
  const totals: Total[] = []
  const sum = (key: string, values: Value, width: number, inner: number, weights: Value | 0) => {
    const total = g.allocate('run', `total ${key}`, [width], 8 * width)
    g.call('accumulate', once, values, weights, update(total), g.cells.rows, width, inner)
    outputs[key] = total
    totals.push({ key, width, inner })
  }
  sum('loss', losses.values, 1, losses.inner, weight ?? 0)
  for (const { key, metric } of metrics) {
    const { values, width, inner } = metric.record(g, prediction, target)
    sum(key, values, width, inner, 0)
  }
  return totals
}

const regularized = ({ layers }: Architecture): Weight[] => {
  return layers.flatMap(layer => layer.weights.filter(weight => weight.regularizer))
}

/** Penalties of the weights, added up under `penalty` (times the samples of each step). */
function recordPenalties(
  g: Graph,
  architecture: Architecture,
  outputs: Record<string, Value>,
  totals: Total[],
): void {
  const weights = regularized(architecture)
  if (weights.length === 0) return
  const total = g.allocate('run', 'total penalty', [1], 8)
  for (const weight of weights) {
    const w = g.parameter(weight)
    const { l1, l2 } = weight.regularizer!.config
    const units = w.storage.bytes / 64
    const chunks = Math.ceil(units / normChunkUnits)
    const partial = g.allocate('shared', 'penalty', [chunks], 8 * chunks)
    g.call('penalty', slices(chunks), w, write(partial), units, l1, l2)
    g.call('accumulatePenalty', once, partial, chunks, update(total), g.cells.rows)
  }
  outputs.penalty = total
  totals.push({ key: 'penalty', width: 1, inner: 1 })
}

function recordUpdates(g: Graph, { optimizer, slots }: Compiled): void {
  g.differentiate()
  const updates = [...slots].flatMap(([weight, arrays]) => {
    const w = g.parameter(weight)
    const dw = g.gradientOf(w)
    if (!dw) return []
    const penalty = weight.regularizer?.config
    if (penalty) g.call('regularize', slices(w.storage.bytes / 64), w, update(dw), penalty.l1, penalty.l2)
    return [{ w, dw, slots: arrays.map(slot => g.parameter(slot)) }]
  })
  optimizer.record(g, updates)
}
