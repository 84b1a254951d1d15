import type { Graph } from '../graph/graph.ts'
import { each, samples, sizeOf, update, type Value, write } from '../graph/value.ts'
import type { Comparison, RowLosses } from '../training/rowLosses.ts'

/** How a source of samples lies in memory. */
export interface SourceKind {
  /** Bytes of value byte · scale, or float32. */
  readonly bytes: boolean
  readonly scale: number
  /** Of a sample: what a model leaves open comes with the data. */
  readonly shape: readonly number[]
}

/** What a plan reads, batch by batch: x0, x1 … of the inputs, y0 … and weight0 … of the outputs. */
export interface Sources {
  readonly kinds: Readonly<Record<string, SourceKind>>
  /** Whether rows are taken in the order of an index array. */
  readonly ordered: boolean
}

/** Copies the samples of a mini-batch, or other samples in their place, from their source. */
function gather(
  g: Graph,
  name: string,
  value: Value,
  { bytes, scale }: SourceKind,
  order: Value | 0,
  position: Value,
): void {
  const source = g.allocate('data', name, value.shape, 0)
  const size = sizeOf(value.shape)
  if (bytes) g.call('gatherBytes', samples(), source, order, position, write(value), size, scale)
  else g.call('gather', samples(), source, order, position, write(value), size)
}

const orderOf = (g: Graph, ordered: boolean): Value | 0 => (ordered ? g.allocate('data', 'order', [], 0) : 0)

/** Samples of a mini-batch as they are. */
export class Gathering {
  protected readonly g: Graph
  protected readonly sources: Sources

  constructor(g: Graph, sources: Sources) {
    this.g = g
    this.sources = sources
  }

  /** The samples of a source, in its own shape or another one of the same size. */
  input(name: string, shape = this.sources.kinds[name]!.shape): Value {
    return this.own(name, shape)
  }

  /** One number a sample, or undefined where there is no such source. */
  weight(name: string): Value | undefined {
    return this.sources.kinds[name] && this.input(name, [1])
  }

  protected own(name: string, shape: readonly number[]): Value {
    const { g, sources } = this
    const value = g.batch(name, shape)
    gather(g, name, value, sources.kinds[name]!, orderOf(g, sources.ordered), g.cells.position)
    return value
  }
}

/**
 * Samples of a mini-batch, each mixed with a partner out of it: x·share + partner·(1 − share), share from Beta(alpha,
 * alpha) for each sample, drawn as dropout is. Partners are copied from the source, not from what another worker
 * gathers: so there is nothing to wait for, and leaves run one after the other see the same partners. Source: Zhang
 * et al., "mixup: Beyond Empirical Risk Minimization" (2018).
 */
export class Mixing extends Gathering {
  /** The share of each sample's own. */
  readonly shares: Value
  private readonly partners: Value
  private readonly zero: Value

  constructor(g: Graph, sources: Sources, alpha: number) {
    super(g, sources)
    this.shares = g.batch('shares', [1])
    this.partners = g.batch('partners', [1])
    this.zero = g.allocate('worker', 'position of partners', [1], 4)
    const { key, position, rows } = g.cells
    const drawn = [write(this.partners), write(this.shares)] as const
    const order = orderOf(g, sources.ordered)
    g.call('clear', each, write(this.zero))
    g.call(
      'drawMixes',
      samples(),
      ...drawn,
      key,
      g.site(),
      order,
      position,
      rows,
      alpha,
      write(g.scratch(64)),
    )
  }

  override input(name: string, shape = this.sources.kinds[name]!.shape): Value {
    const value = this.own(name, shape)
    const other = this.partner(name, shape)
    this.g.call('mixRows', samples(), value, other, this.shares, update(value), sizeOf(shape))
    return value
  }

  /** The samples of a source and those of their partners: for what cannot be averaged. */
  pair(name: string, shape: readonly number[]): readonly [own: Value, partner: Value] {
    return [this.own(name, shape), this.partner(name, shape)]
  }

  private partner(name: string, shape: readonly number[]): Value {
    const { g, sources, partners, zero } = this
    const value = g.batch(`partner of ${name}`, shape)
    gather(g, name, value, sources.kinds[name]!, partners, zero)
    return value
  }
}

/** a·b, one number a sample. */
function product(g: Graph, a: Value, b: Value): Value {
  const y = g.batch('weighted share', [1])
  g.call('multiply', samples(), a, b, write(y))
  return y
}

/**
 * The loss of class numbers, which cannot be averaged: that of each sample's own and that of its partner's, weighted
 * by their shares. Metrics compare with the one of the larger share.
 */
export function recordMixedLoss(
  g: Graph,
  record: (comparison: Comparison) => RowLosses,
  prediction: Value,
  [own, partner]: readonly [Value, Value],
  shares: Value,
  weight: Value | undefined,
): { target: Value; losses: RowLosses } {
  const others = g.batch('shares of partners', [1])
  g.call('scaleShift', samples(), shares, write(others), -1, 1)
  const [first, second] = (
    [
      [own, shares],
      [partner, others],
    ] as const
  ).map(([target, share]) => {
    return record({ prediction, target, weight: weight ? product(g, share, weight) : share })
  }) as [RowLosses, RowLosses]
  const { inner } = first
  const values = g.batch('mixed loss', [inner])
  g.call('mixRows', samples(), first.values, second.values, shares, write(values), inner)
  const target = g.batch('larger target', own.shape)
  g.call('chooseRows', samples(), own, partner, shares, write(target), sizeOf(own.shape))
  return { target, losses: { values, inner } }
}
