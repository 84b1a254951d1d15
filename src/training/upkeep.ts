import { inRange, positiveInteger, show, suggestion } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { each, slices, update, type Value } from '../graph/value.ts'

/** A weight's name (`dense_Dense1/kernel`), or a part of it, or a function that says whether it is meant. */
type Exclusion = readonly string[] | ((name: string) => boolean)

/** What every optimizer does to parameters beside its update. */
export interface UpkeepOptions {
  /**
   * Before each update w ← w − rate·weightDecay·w. Default 0 (0.004 for adamw). Source: Loshchilov & Hutter
   * (2019).
   */
  weightDecay?: number
  /** Weights without decay: ['bias', 'gamma'], say. */
  excludeFromWeightDecay?: Exclusion
  /** Factors of the learning rate, by the layer's name. */
  learningRateFactors?: Readonly<Record<string, number>>
  /**
   * Whether an average of the weights over the updates is kept: average ← emaMomentum·average + (1 −
   * emaMomentum)·w, w after the first update. As in Keras 3 the weights become their averages when `fit`
   * ends (before onTrainEnd); until then evaluation and prediction use the weights. Default false.
   */
  useEma?: boolean
  /** Default 0.99. */
  emaMomentum?: number
  /** Every so many updates the weights become their averages. Default never. */
  emaOverwriteFrequency?: number
}

export const upkeepKeys = [
  'weightDecay',
  'excludeFromWeightDecay',
  'learningRateFactors',
  'useEma',
  'emaMomentum',
  'emaOverwriteFrequency',
] as const

/** The name of the slot that holds a weight's average. */
export const averageSlot = 'average'

function checkExclusion(where: string, exclusion: Exclusion): void {
  if (typeof exclusion === 'function') return
  if (Array.isArray(exclusion) && exclusion.every(name => typeof name === 'string')) return
  throw new TypeError(
    `${where}: excludeFromWeightDecay must be a list of names or a function, got ${show(exclusion)}; try ['bias']`,
  )
}

function checkFactors(where: string, factors: Readonly<Record<string, number>>): void {
  if (typeof factors !== 'object' || Array.isArray(factors)) {
    throw new TypeError(
      `${where}: learningRateFactors must be an object of factors by layer name, got ${show(factors)}; correct it`,
    )
  }
  for (const [name, factor] of Object.entries(factors))
    inRange(where, `learningRateFactors[${show(name)}]`, factor, '[0, Infinity)')
}

/** Weight decay, averages and factors of the learning rate, weight by weight. */
export class Upkeep {
  private readonly where: string
  private readonly options: UpkeepOptions

  /** @throws TypeError or RangeError for wrong options */
  constructor(where: string, options: UpkeepOptions) {
    const { excludeFromWeightDecay, learningRateFactors, useEma, emaOverwriteFrequency } = options
    inRange(where, 'weightDecay', options.weightDecay ?? 0, '[0, Infinity)')
    checkExclusion(where, excludeFromWeightDecay ?? [])
    checkFactors(where, learningRateFactors ?? {})
    if (useEma !== undefined && typeof useEma !== 'boolean')
      throw new TypeError(`${where}: useEma must be true or false, got ${show(useEma)}; correct it`)
    inRange(where, 'emaMomentum', options.emaMomentum ?? 0.99, '[0, 1]')
    if (emaOverwriteFrequency !== undefined)
      positiveInteger(where, 'emaOverwriteFrequency', emaOverwriteFrequency)
    this.where = where
    this.options = options
  }

  get averages(): boolean {
    return this.options.useEma ?? false
  }

  /** @throws RangeError for a factor whose layer has no weight among these */
  checkLayers(weightNames: readonly string[]): void {
    const layers = [...new Set(weightNames.map(layerOf))]
    for (const name of Object.keys(this.options.learningRateFactors ?? {})) {
      if (layers.includes(name)) continue
      throw new RangeError(
        `${this.where}: learningRateFactors must name layers with weights, got "${name}"; ${suggestion(name, layers)}`,
      )
    }
  }

  decayOf(name: string): number {
    const { weightDecay = 0, excludeFromWeightDecay = [] } = this.options
    const excluded =
      typeof excludeFromWeightDecay === 'function'
        ? excludeFromWeightDecay(name)
        : excludeFromWeightDecay.some(part => name.includes(part))
    return excluded ? 0 : weightDecay
  }

  /** Address of the weight's own learning rate. */
  rateOf(g: Graph, name: string): Value {
    const factor = this.options.learningRateFactors?.[layerOf(name)] ?? 1
    if (factor === 1) return g.cells.rate
    const rate = g.allocate('worker', `rate of ${name}`, [1], 4)
    g.call('scaleShift', each, g.cells.rate, update(rate), factor, 0)
    return rate
  }

  recordAverage(g: Graph, w: Value, average: Value): void {
    const { emaMomentum = 0.99, emaOverwriteFrequency = 0 } = this.options
    const cut = slices(w.storage.bytes / 64)
    g.update(
      'averageWeights',
      cut,
      update(w),
      update(average),
      g.cells.step,
      emaMomentum,
      emaOverwriteFrequency,
    )
  }
}

const layerOf = (weightName: string): string => weightName.slice(0, weightName.lastIndexOf('/'))
