import type { Graph } from '../graph/graph.ts'
import { samples, type Value, write } from '../graph/value.ts'

const up16 = (n: number): number => Math.ceil(n / 16) * 16
/** Queries that the kernels take at once (assembly/attention.ts). */
const block = 64

/**
 * Scaled dot-product attention of `heads` heads: y = softmax(q·kᵀ / √dk)·v for each. q (tq, heads·dk), k (tk,
 * heads·dk), v (tk, heads·dv), y (tq, heads·dv). With `causal` query i sees keys 0 to i. For the backward pass
 * two numbers a query and head are kept; scores are computed again, 64 queries at a time. Sources: Vaswani et
 * al., "Attention Is All You Need" (2017), equation 1; Dao et al., "FlashAttention" (2022), for what is kept.
 */
export function attention(
  g: Graph,
  q: Value,
  k: Value,
  v: Value,
  { heads, causal }: { heads: number; causal: boolean },
): Value {
  const [tq, tk] = [q.shape[0]!, k.shape[0]!]
  const [dk, dv] = [q.shape[1]! / heads, v.shape[1]! / heads]
  const y = g.batch('attention', [tq, heads * dv], q, k, v)
  const stats = g.batch('attention statistics', [heads, tq, 2])
  const t16 = up16(tk)
  const sizes = [heads, tq, tk, dk, dv, causal ? 1 : 0, 1 / Math.sqrt(dk)] as const
  const cut = samples(heads)
  const scratch = g.scratch(4 * (t16 * (dk + block) + tk * up16(dv)))
  g.call('attention', cut, q, k, v, write(y), write(stats), ...sizes, write(scratch))
  g.onBackward(y, dy => {
    const [dq, dk0, dv0] = [q, k, v].map(x => g.batch(`d ${x.storage.label}`, x.shape)) as [
      Value,
      Value,
      Value,
    ]
    const panels = block * Math.max(up16(dk), up16(dv))
    const room = g.scratch(4 * (t16 * (dk + dv + 2 * block) + tk * up16(dk) + panels))
    const outputs = [write(dq), write(dk0), write(dv0)] as const
    g.call('attentionGradient', cut, q, k, v, y, stats, dy, ...outputs, ...sizes, write(room))
    for (const [x, dx] of [
      [q, dq],
      [k, dk0],
      [v, dv0],
    ] as const)
      if (x.differentiable) g.contributeValue(x, dx)
  })
  return y
}
