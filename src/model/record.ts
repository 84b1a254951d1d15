import { Graph } from '../graph/graph.ts'
import type { Parameter } from '../graph/parameter.ts'
import { once, samples, sizeOf, slices, update, type Value, write } from '../graph/value.ts'
import type { Layer, Weight } from '../layers/define.ts'
import { closed, type OpenShape } from '../layers/shapes.ts'
import type { Plan } from '../plan/plan.ts'
import { makePlan } from '../plan/planner.ts'
import { normChunkUnits, type Optimizer } from '../training/optimizer.ts'
import type { Loss } from '../training/rowLosses.ts'
import type { Metric, OwnSums, RowValues } from '../training/rowMetrics.ts'

/** How a source of samples lies in memory. */
export interface SourceKind {
  /** Bytes of value byte · scale, or float32. */
  readonly bytes: boolean
  readonly scale: number
  /** Of a sample, where the model leaves sizes open. */
  readonly shape?: readonly number[]
}

/** What a plan reads, batch by batch: x0, x1 … of the inputs, y0 … and weight0 … of the outputs. */
export interface Sources {
  readonly kinds: Readonly<Record<string, SourceKind>>
  /** Whether rows are taken in the order of an index array. */
  readonly ordered: boolean
}

/** How one output is trained. */
export interface TrainedOutput {
  readonly name: string
  /** Its number among the model's outputs. */
  readonly index: number
  readonly loss: Loss
  /** Share of the loss in the sum that is minimized. */
  readonly lossWeight: number
  readonly metrics: readonly { readonly key: string; readonly metric: Metric }[]
}

/** What `compile` settled. */
export interface Compiled {
  readonly optimizer: Optimizer
  readonly outputs: readonly TrainedOutput[]
  readonly leaves: number
  /** State arrays of each trainable weight. */
  readonly slots: ReadonlyMap<Weight, readonly Parameter[]>
}

/** The part of a model that its graphs are recorded from. */
export interface Architecture {
  readonly layers: readonly Layer[]
  readonly inputShapes: readonly OpenShape[]
  /** Tells the weights where they lie. */
  readonly state: { place(): void }
  record(g: Graph, inputs: readonly Value[]): readonly Value[]
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

/** The outputs for a batch of each input. */
function recordForward(architecture: Architecture, g: Graph, { kinds, ordered }: Sources): readonly Value[] {
  const inputs = architecture.inputShapes.map((shape, i) =>
    gathered(g, `x${i}`, kinds[`x${i}`]!.shape ?? closed(shape), kinds[`x${i}`]!, ordered),
  )
  return architecture.record(g, inputs)
}

/** One step of prediction: a batch through the layers, the results into their places in `output0` …. */
export function recordPrediction(architecture: Architecture, rows: number, sources: Sources): Recorded {
  architecture.state.place()
  const g = new Graph({ training: false, leaves: 1, rows })
  for (const [i, y] of recordForward(architecture, g, sources).entries()) {
    const whole = g.allocate('data', `output${i}`, y.shape, 0)
    g.call('scatter', samples(), y, g.cells.position, write(whole), sizeOf(y.shape))
  }
  return { plan: makePlan(g), totals: [] }
}

export interface StepOptions {
  readonly mode: 'train' | 'evaluate'
  /** Largest mini-batch. */
  readonly rows: number
  readonly sources: Sources
  /** Leaves one after the other: the memory of one leaf, the bits of all at once. */
  readonly accumulate?: boolean
}

/** One step of training or evaluation. */
export function recordStep(architecture: Architecture, compiled: Compiled, options: StepOptions): Recorded {
  const { mode, rows, accumulate = false } = options
  const training = mode === 'train'
  architecture.state.place()
  const g = new Graph({ training, leaves: training ? compiled.leaves : 1, rows })
  const totals = new Totals(g)
  const record = () => recordPass(g, architecture, compiled, options, totals)
  if (accumulate) g.eachLeaf(record)
  else record()
  recordPenalties(g, architecture, totals)
  if (training) recordUpdates(g, compiled)
  return { plan: makePlan(g, totals.outputs), totals: totals.list }
}

/** Forward and, in training, backward: of the whole mini-batch, or of one leaf. */
function recordPass(
  g: Graph,
  architecture: Architecture,
  compiled: Compiled,
  { sources }: StepOptions,
  totals: Totals,
): void {
  const predictions = recordForward(architecture, g, sources)
  for (const [i, output] of compiled.outputs.entries())
    recordLoss(g, predictions[output.index]!, i, output, sources, totals)
  for (const penalized of g.penalized.splice(0)) recordActivity(g, penalized, totals)
  g.differentiate()
}

/** Penalties of a layer's output, added up under `penalty`, and the gradient of their mean. Source: Keras 3. */
function recordActivity(g: Graph, { y, l1, l2 }: Graph['penalized'][number], totals: Totals): void {
  const size = sizeOf(y.shape)
  const values = g.batch('activity penalty', [1])
  const dy = g.training && y.differentiable ? g.batch(`d ${y.storage.label}`, y.shape) : undefined
  const output = dy ? write(dy) : 0
  g.call('activityPenalty', samples(), y, write(values), output, g.cells.scale, size, l1, l2)
  if (dy) g.contributeValue(y, dy)
  if (g.training) g.checkFinite(values, 'the loss')
  totals.add('penalty', { values, width: 1, inner: 1 })
}

/** Loss and metrics of output number i of those that are trained. */
function recordLoss(
  g: Graph,
  prediction: Value,
  i: number,
  { loss, lossWeight, metrics }: TrainedOutput,
  { kinds, ordered }: Sources,
  totals: Totals,
): void {
  const shape = loss.targetShape(prediction.shape)
  const target = gathered(g, `y${i}`, shape, kinds[`y${i}`]!, ordered)
  const kind = kinds[`weight${i}`]
  const weight = kind && gathered(g, `weight${i}`, [1], kind, ordered)
  const losses = g.weighting(lossWeight, () => loss.record(g, { prediction, target, weight }))
  if (g.training) g.checkFinite(losses.values, 'the loss')
  totals.add(`loss ${i}`, { ...losses, width: 1 }, weight)
  for (const { key, metric } of metrics) totals.add(key, metric.record(g, prediction, target))
}

/** Sums over an epoch that a step adds to. */
class Totals {
  readonly list: Total[] = []
  readonly outputs: Record<string, Value> = {}
  private readonly g: Graph

  constructor(g: Graph) {
    this.g = g
  }

  /** Adds what a step measured, rows of values weighted by sample if there are weights, to the sums of this name. */
  add(key: string, measured: RowValues | OwnSums, weight?: Value): void {
    const { width, inner } = measured
    const total = this.sum(key, width, inner)
    if ('accumulate' in measured) measured.accumulate(total)
    else
      this.g.call(
        'accumulate',
        once,
        measured.values,
        weight ?? 0,
        update(total),
        this.g.rowCount,
        width,
        inner,
      )
  }

  /** The sums of this name, made when first asked for. */
  sum(key: string, width: number, inner: number): Value {
    const known = this.outputs[key]
    if (known) return known
    this.list.push({ key, width, inner })
    const total = this.g.allocate('run', `total ${key}`, [width], 8 * width)
    this.outputs[key] = total
    return total
  }
}

const regularized = ({ layers }: Architecture): Weight[] => {
  return layers.flatMap(layer => layer.weights.filter(weight => weight.regularizer))
}

/** Penalties of the weights, added up under `penalty` (times the samples of each step). */
function recordPenalties(g: Graph, architecture: Architecture, totals: Totals): void {
  for (const weight of regularized(architecture)) {
    const w = g.parameter(weight)
    const { l1, l2 } = weight.regularizer!.config
    const units = w.storage.bytes / 64
    const chunks = Math.ceil(units / normChunkUnits)
    const partial = g.allocate('shared', 'penalty', [chunks], 8 * chunks)
    g.call('penalty', slices(chunks), w, write(partial), units, l1, l2)
    g.call('accumulatePenalty', once, partial, chunks, update(totals.sum('penalty', 1, 1)), g.cells.rows)
  }
}

function recordUpdates(g: Graph, { optimizer, slots }: Compiled): void {
  const updates = [...slots].flatMap(([weight, arrays]) => {
    const w = g.parameter(weight)
    const dw = g.gradientOf(w)
    if (!dw) return []
    const penalty = weight.regularizer?.config
    if (penalty) g.call('regularize', slices(w.storage.bytes / 64), w, update(dw), penalty.l1, penalty.l2)
    return [{ w, dw, slots: arrays.map(slot => g.parameter(slot)) }]
  })
  optimizer.record(g, updates)
  const updated = new Set(updates.map(({ w }) => w))
  for (const { constraint, w } of [...slots.keys()].map(weight => ({ ...weight, w: g.parameter(weight) })))
    if (updated.has(w)) constraint?.record(g, w)
}
