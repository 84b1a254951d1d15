import { show } from '../errors.ts'
import { Graph } from '../graph/graph.ts'
import { assign } from '../graph/parameter.ts'
import { standardize } from '../ops/standardize.ts'
import { initializers } from '../training/initializers.ts'
import { momentsOf, type StatisticsInput, spread } from '../training/statistics.ts'
import { type Builder, defineLayer, Layer } from './define.ts'
import { checkAxes } from './reshaping.ts'

type Numbers = number | readonly Numbers[]

/** Axes of a batch of `rank` axes that keep statistics of their own, rising. @throws RangeError for the batch's */
function keptAxes(refuse: Builder['refuse'], axis: unknown, rank: number): number[] {
  const kept = ([axis].flat() as number[]).map(own => (own < 0 ? own + rank : own))
  if (kept.some(own => own < 1 || own >= rank) || new Set(kept).size < kept.length)
    refuse(`axis must lie in [1, ${rank - 1}] or be negative, got ${show(axis)}; the batch is axis 0`)
  return kept.toSorted((a, b) => a - b)
}

/** A layer that learns its statistics from data, before training. */
export class Normalization extends Layer {
  /**
   * Makes the statistics those of all the data (samples first, or a dataset of batches), computed in float64: those
   * of arrays and tensors at once, those of a dataset when the promise is kept.
   * @throws TypeError or RangeError for what is no data, or other data than the layer has been built for; Error
   * where the options already gave the statistics
   */
  async adapt(data: StatisticsInput): Promise<void> {
    const { name, config } = this
    const where = `${name}: adapt`
    const refuse: Builder['refuse'] = message => {
      throw new RangeError(`${where}: ${message}`)
    }
    if (config.mean !== null)
      throw new Error(`${where}: mean and variance must not be given, got both as options; leave them out`)
    const moments = await momentsOf(where, data, shape => {
      const g = new Graph({ training: false, leaves: 1, rows: 1 })
      this.build(g, g.batch('data', shape.slice(1)))
      return keptAxes(refuse, config.axis, shape.length)
    })
    const [mean, variance] = this.weights
    assign(mean!, moments.mean)
    assign(variance!, moments.variance)
  }
}

const make = defineLayer(
  'Normalization',
  {
    /**
     * The axis, or axes, of which each place has statistics of its own (the batch is axis 0, −1 the last one); none,
     * [] or null, for one mean and variance of everything.
     */
    axis: -1 as number | readonly number[],
    /** One number, or one for each place. */
    mean: null as Numbers | null,
    variance: null as Numbers | null,
    /** Whether to go the way back: y = x·√variance + mean. */
    invert: false,
  },
  (where, { axis, mean, variance }) => {
    if (![axis].flat().every(Number.isInteger))
      throw new TypeError(`${where}: axis must be an integer or several, got ${show(axis)}; try -1`)
    if ((mean === null) !== (variance === null))
      throw new TypeError(
        `${where}: mean and variance must be given together, got ${show(mean)} and ${show(variance)}; add the other`,
      )
  },
  ({ g, weight, refuse }, x, { axis, mean, variance, invert }) => {
    checkAxes(refuse, x)
    const axes = keptAxes(refuse, axis, x.shape.length + 1).map(own => own - 1)
    const shape = axes.map(own => x.shape[own]!)
    const statistic = (name: string, given: Numbers | null, initializer: 'zeros' | 'ones') => {
      if (given === null) return weight(name, shape, { initializer, trainable: false })
      const values = spread('Normalization', name, given, shape)
      const own = { ...initializers.zeros(), apply: () => values }
      return weight(name, shape, { initializer: own, trainable: false })
    }
    const statistics = {
      mean: statistic('mean', mean, 'zeros'),
      variance: statistic('variance', variance, 'ones'),
    }
    return standardize(g, x, { ...statistics, axes }, invert)
  },
  'passes',
  Normalization,
)

/**
 * y = (x − mean) / max(√variance, 1e-7), for statistics that `adapt` computes from data, or that are given; neither
 * is trained. They are the weights `mean` and `variance`, of the sizes of `axis`.
 */
export const normalization: typeof make = Object.assign(
  // For all other options null stands for the default.
  (config: Parameters<typeof make>[0]) => make(config?.axis === null ? { ...config, axis: [] } : config),
  { className: make.className, defaults: make.defaults },
)
