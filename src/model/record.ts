import { Graph } from '../graph/graph.ts'
import type { Recompute } from '../graph/options.ts'
import type { Parameter } from '../graph/parameter.ts'
import { each, once, samples, sizeOf, slices, update, type Value, write } from '../graph/value.ts'
import type { Layer, Weight } from '../layers/define.ts'
import type { OpenShape } from '../layers/shapes.ts'
import { keepSteps } from '../ops/masks.ts'
import { sumOver } from '../ops/reductions.ts'
import { opposite, zeros } from '../ops/steps.ts'
import type { Plan } from '../plan/plan.ts'
import { makePlan } from '../plan/planner.ts'
import { normChunkUnits, type Optimizer } from '../training/optimizer.ts'
import type { Comparison, Loss } from '../training/rowLosses.ts'
import type { Metric } from '../training/rowMetrics.ts'
import type { CompileOptions } from './compiling.ts'
import { Gathering, Mixing, recordMixedLoss, type Sources } from './gathering.ts'
import { countedRows, maskOf, RowCounts, recordLoss } from './maskedLoss.ts'
import { type Total, Totals } from './totals.ts'

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
  /** alpha of Beta(alpha, alpha), from which the shares of mixed samples are drawn; 0 where none are mixed. */
  readonly mixUp: number
  /** Whether the norm of all gradients is measured. */
  readonly gradientNorm: boolean
  /** State arrays of each trainable weight. */
  readonly slots: ReadonlyMap<Weight, readonly Parameter[]>
  /** As they were given. */
  readonly objectives: Pick<CompileOptions, 'loss' | 'lossWeights' | 'metrics'>
}

/** The part of a model that its graphs are recorded from. */
export interface Architecture {
  readonly layers: readonly Layer[]
  readonly inputShapes: readonly OpenShape[]
  /** Samples of every mini-batch, where that is fixed. */
  readonly batchSize: number | undefined
  /** Tells the weights where they lie. */
  readonly state: { place(): void }
  record(g: Graph, inputs: readonly Value[]): readonly Value[]
}

export interface Recorded {
  readonly plan: Plan
  readonly totals: readonly Total[]
}

/** The outputs for a batch of each input. */
function recordForward(architecture: Architecture, g: Graph, gathering: Gathering): readonly Value[] {
  const inputs = architecture.inputShapes.map((_, i) => gathering.input(`x${i}`))
  return architecture.record(g, inputs)
}

/** One step of prediction: a batch through the layers, the results into their places in `output0` …. */
export function recordPrediction(architecture: Architecture, rows: number, sources: Sources): Recorded {
  architecture.state.place()
  const g = new Graph({ training: false, leaves: 1, rows, batchSize: architecture.batchSize })
  for (const [i, y] of recordForward(architecture, g, new Gathering(g, sources)).entries()) {
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
  readonly recompute?: Recompute | undefined
}

/** One step of training or evaluation. */
export function recordStep(architecture: Architecture, compiled: Compiled, options: StepOptions): Recorded {
  const { mode, rows, accumulate = false, recompute } = options
  const training = mode === 'train'
  const { batchSize } = architecture
  architecture.state.place()
  const g = new Graph({ training, leaves: training ? compiled.leaves : 1, rows, batchSize, recompute })
  const totals = new Totals(g)
  const counts = new RowCounts(g)
  const record = () => recordPass(g, architecture, compiled, options, { totals, counts })
  if (accumulate) {
    countAhead(g, architecture, compiled, options, counts)
    g.eachLeaf(record)
  } else record()
  recordPenalties(g, architecture, totals)
  if (training) recordUpdates(g, compiled, totals)
  return { plan: makePlan(g, totals.outputs), totals: totals.list }
}

/**
 * Counts what masks and ignored classes leave of the whole mini-batch before its first leaf is run: the gradient of
 * each leaf is a share of the mean over all of them.
 */
function countAhead(
  g: Graph,
  architecture: Architecture,
  compiled: Compiled,
  options: StepOptions,
  counts: RowCounts,
): void {
  const { outputs } = compiled
  const { rows } = options
  const draft = new Graph({ training: g.training, leaves: 1, rows, batchSize: architecture.batchSize })
  const drafted = recordForward(architecture, draft, gatheringOf(draft, compiled, options))
  const ignores = ({ loss }: TrainedOutput) => typeof loss.ignoreClass === 'number'
  if (!outputs.some(output => ignores(output) || maskOf(draft, drafted[output.index]!))) return
  g.ahead(() =>
    g.eachLeaf(() => {
      const gathering = gatheringOf(g, compiled, options)
      const predictions = recordForward(architecture, g, gathering)
      for (const [i, output] of outputs.entries()) {
        const prediction = predictions[output.index]!
        const shape = output.loss.targetShape(prediction.shape)
        const target = ignores(output) ? gathering.input(`y${i}`, shape) : undefined
        counts.add(i, countedRows(g, output.loss, prediction, target))
      }
    }),
  )
}

/** Where a step's losses and metrics are added up. */
interface Sums {
  readonly totals: Totals
  readonly counts: RowCounts
}

/** The samples of a step: mixed ones in training, if `compile` says so. */
function gatheringOf(g: Graph, { mixUp }: Compiled, { mode, sources }: StepOptions): Gathering {
  return mode === 'train' && mixUp > 0 ? new Mixing(g, sources, mixUp) : new Gathering(g, sources)
}

/** Forward and, in training, backward: of the whole mini-batch, or of one leaf. */
function recordPass(
  g: Graph,
  architecture: Architecture,
  compiled: Compiled,
  options: StepOptions,
  sums: Sums,
): void {
  const gathering = gatheringOf(g, compiled, options)
  const predictions = recordForward(architecture, g, gathering)
  for (const [i, output] of compiled.outputs.entries())
    recordOutput(g, predictions[output.index]!, i, output, gathering, sums)
  for (const penalized of g.penalized.splice(0)) recordActivity(g, penalized, sums.totals)
  g.differentiate()
}

/** Values that cost what they are, added up under `penalty`, and the gradient of their mean. */
function recordAdded(g: Graph, y: Value, totals: Totals): void {
  const values = sumOver(g, g.view(y, [sizeOf(y.shape)]), [0])
  if (g.training && values.differentiable) {
    const dy = g.batch('d added loss', [1])
    const one = opposite(g, zeros(g, [1]))
    const cost = g.batch('one', [1])
    g.call('activityPenalty', samples(), one, write(cost), write(dy), g.cells.scale, 1, 1, 0)
    g.contributeValue(values, dy)
  }
  if (g.training) g.checkFinite(values, 'the loss')
  totals.add('penalty', { values, width: 1, inner: 1 })
}

/** Penalties of a layer's output, added up under `penalty`, and the gradient of their mean. Source: Keras 3. */
function recordActivity(g: Graph, { y, l1, l2 }: Graph['penalized'][number], totals: Totals): void {
  if (l1 === undefined || l2 === undefined) {
    recordAdded(g, y, totals)
    return
  }
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
function recordOutput(
  g: Graph,
  prediction: Value,
  i: number,
  { loss, lossWeight, metrics }: TrainedOutput,
  gathering: Gathering,
  { totals, counts }: Sums,
): void {
  const shape = loss.targetShape(prediction.shape)
  const weight = gathering.weight(`weight${i}`)
  const steps = maskOf(g, prediction)
  const mixed = loss.sparse && gathering instanceof Mixing
  const own = mixed ? undefined : gathering.input(`y${i}`, shape)
  const counted = countedRows(g, loss, prediction, own)
  if (g.training && !g.oneLeafAtATime) counts.add(i, counted)
  const record = (comparison: Comparison) => recordLoss(g, loss, comparison, counted, counts.of(i))
  const { target, losses } = weighting(g, lossWeight, () => {
    if (own) return { target: own, losses: record({ prediction, target: own, weight }) }
    const { shares } = gathering as Mixing
    return recordMixedLoss(g, record, prediction, (gathering as Mixing).pair(`y${i}`, shape), shares, weight)
  })
  if (g.training) g.checkFinite(losses.values, 'the loss')
  const mask = steps && { key: `steps ${i}`, steps }
  const ofLoss = counted === steps ? mask : counted && { key: `counted ${i}`, steps: counted }
  for (const one of new Set([mask, ofLoss])) if (one) totals.count(one)
  totals.add(`loss ${i}`, { ...losses, width: 1 }, { weight, mask: ofLoss })
  for (const { key, metric } of metrics) {
    const measured = metric.record(g, prediction, target, steps)
    const ofRows = steps && 'values' in measured
    const kept = ofRows ? { ...measured, values: keepSteps(g, measured.values, steps) } : measured
    totals.add(key, kept, { mask })
  }
}

/** Records a loss, the gradient of which counts `factor` times. */
function weighting<T>(g: Graph, factor: number, record: () => T): T {
  if (factor === 1) return record()
  const { scale } = g.cells
  g.cells.scale = g.allocate('worker', 'weighted scale', [1], 4)
  g.call('scaleShift', each, scale, write(g.cells.scale), factor, 0)
  const result = record()
  g.cells.scale = scale
  return result
}

const regularized = ({ layers }: Architecture): Weight[] => {
  return layers.flatMap(layer => layer.weights.filter(weight => weight.regularizer))
}

/** Adds l1·Σ|w| + l2·Σw², times the samples of the step, to the sum of a name. */
function recordNorm(g: Graph, w: Value, l1: number, l2: number, total: Value): void {
  const units = w.storage.bytes / 64
  const chunks = Math.ceil(units / normChunkUnits)
  const partial = g.allocate('shared', 'penalty', [chunks], 8 * chunks)
  g.call('penalty', slices(chunks), w, write(partial), units, l1, l2)
  g.call('accumulatePenalty', once, partial, chunks, update(total), g.cells.rows)
}

/** Penalties of the weights, added up under `penalty`. */
function recordPenalties(g: Graph, architecture: Architecture, totals: Totals): void {
  for (const weight of regularized(architecture)) {
    const { l1, l2 } = weight.regularizer!.config
    recordNorm(g, g.parameter(weight), l1, l2, totals.sum('penalty', 1, 1))
  }
}

function recordUpdates(g: Graph, { optimizer, slots, gradientNorm }: Compiled, totals: Totals): void {
  const updates = [...slots].flatMap(([weight, arrays]) => {
    const w = g.parameter(weight)
    const dw = g.gradientOf(w)
    if (!dw) return []
    const penalty = weight.regularizer?.config
    if (penalty) g.call('regularize', slices(w.storage.bytes / 64), w, update(dw), penalty.l1, penalty.l2)
    if (gradientNorm) recordNorm(g, dw, 0, 1, totals.sum('gradientNorm', 1, 1))
    return [{ w, dw, columnAxes: weight.columnAxes, slots: arrays.map(slot => g.parameter(slot)) }]
  })
  optimizer.record(g, updates)
  const updated = new Set(updates.map(({ w }) => w))
  for (const weight of slots.keys()) {
    const w = g.parameter(weight)
    if (updated.has(w)) weight.constraint?.record(g, w, weight.columnAxes)
  }
}
