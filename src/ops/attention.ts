import type { Graph } from '../graph/graph.ts'
import { samples, type Value, write } from '../graph/value.ts'

const up16 = (n: number): number => Math.ceil(n / 16) * 16
/** Queries that the kernels take at once (assembly/attention.ts). */
const block = 64

/** How the heads attend. */
export interface Heads {
  readonly heads: number
  /** Whether query i sees keys 0 to i only. */
  readonly causal: boolean
  /** Probability with which a weight is dropped in training. */
  readonly dropout?: number
  /** Which queries (tq), keys (tk), and pairs of them (tq, tk) count: 1 or 0; all where undefined. */
  readonly queryMask?: Value | undefined
  readonly keyMask?: Value | undefined
  readonly mask?: Value | undefined
}

/**
 * Scaled dot-product attention of `heads` heads: y = softmax(q·kᵀ / √dk)·v for each. q (tq, heads·dk), k (tk,
 * heads·dk), v (tk, heads·dv), y (tq, heads·dv). A query that sees no key makes zeros. For the backward pass
 * two numbers a query and head are kept; scores, and what was dropped of the weights, are computed again, 64
 * queries at a time. Sources: Vaswani et al., "Attention Is All You Need" (2017), equation 1; Dao et al.,
 * "FlashAttention" (2022), for what is kept.
 */
export function attention(g: Graph, q: Value, k: Value, v: Value, options: Heads): Value {
  const { heads, causal, dropout = 0, queryMask, keyMask, mask } = options
  const site = g.site()
  const rate = g.training ? dropout : 0
  const [tq, tk] = [q.shape[0]!, k.shape[0]!]
  const [dk, dv] = [q.shape[1]! / heads, v.shape[1]! / heads]
  const y = g.batch('attention', [tq, heads * dv], q, k, v)
  const stats = g.batch('attention statistics', [heads, tq, 2])
  const t16 = up16(tk)
  const sizes = [heads, tq, tk, dk, dv, causal ? 1 : 0, 1 / Math.sqrt(dk)] as const
  const rest = [...sizes, queryMask ?? 0, keyMask ?? 0, mask ?? 0, g.cells.key, site, rate] as const
  const cut = samples(heads)
  const scratch = g.scratch(4 * (t16 * (dk + block + 1) + tk * up16(dv)))
  g.call('attention', cut, q, k, v, write(y), write(stats), ...rest, write(scratch))
  g.onBackward(y, dy => {
    const [dq, dk0, dv0] = [q, k, v].map(x => g.batch(`d ${x.storage.label}`, x.shape)) as [
      Value,
      Value,
      Value,
    ]
    const panels = block * Math.max(up16(dk), up16(dv))
    const room = g.scratch(4 * (t16 * (dk + dv + 2 * block + 1) + tk * up16(dk) + panels))
    const outputs = [write(dq), write(dk0), write(dv0)] as const
    g.call('attentionGradient', cut, q, k, v, y, stats, dy, ...outputs, ...rest, write(room))
    for (const [x, dx] of [
      [q, dq],
      [k, dk0],
      [v, dv0],
    ] as const)
      if (x.differentiable) g.contributeValue(x, dx)
  })
  return y
}
