import { activate, softmax } from './activations.ts'
import { type Array64, product, zeros } from './arrays.ts'
import type { Reference } from './layers.ts'
import { drawn } from './noise.ts'

export interface Heads {
  readonly heads: number
  readonly causal: boolean
  /** Whether a query of a sample may attend to a key. */
  readonly sees?: (sample: number, query: number, key: number) => boolean
  /** What the weight of a key is multiplied by. */
  readonly factor?: (sample: number, head: number, query: number, key: number) => number
}

/** softmax(q·kᵀ/√d)·v of each sample and head, naively, in float64; q (samples, time, heads·d). */
export function attend(
  q: Array64,
  k: Array64,
  v: Array64,
  { heads, causal, sees = () => true, factor = () => 1 }: Heads,
): Array64 {
  const [samples, tq, qSize] = q.shape as [number, number, number]
  const [tk, vSize] = v.shape.slice(1) as [number, number]
  const [dk, dv] = [qSize / heads, vSize / heads]
  const y = zeros([samples, tq, vSize])
  for (let s = 0; s < samples; s++) {
    for (let h = 0; h < heads; h++) {
      for (let i = 0; i < tq; i++) {
        const keys = Array.from({ length: causal ? Math.min(tk, i + 1) : tk }, (_, j) => j)
        const seen = keys.filter(j => sees(s, i, j))
        const scores = new Float64Array(seen.length)
        seen.forEach((j, at) => {
          for (let d = 0; d < dk; d++) {
            const [a, b] = [(s * tq + i) * qSize + h * dk + d, (s * tk + j) * qSize + h * dk + d]
            scores[at]! += (q.values[a]! * k.values[b]!) / Math.sqrt(dk)
          }
        })
        softmax(scores).forEach((share, at) => {
          const j = seen[at]!
          for (let d = 0; d < dv; d++) {
            const to = (s * tq + i) * vSize + h * dv + d
            y.values[to]! += share * factor(s, h, i, j) * v.values[(s * tk + j) * vSize + h * dv + d]!
          }
        })
      }
    }
  }
  return y
}

/** The place of a weight among the numbers that a sample draws: rows of keys begin at multiples of 16. */
export const placeOf = (head: number, query: number, key: number, tq: number, tk: number): number =>
  (head * tq + query) * Math.ceil(tk / 16) * 16 + key

export const multiHeadAttention: Reference = (x, weights, options, context) => {
  const { numHeads: heads, keyDim, valueDim, outputShape, useCausalMask: causal, crossed, dropout } = options
  const [value, key] = crossed ? [activate(x, 'sigmoid', context), activate(x, 'tanh', context)] : [x, x]
  const project = (name: string, from: Array64, units: number) =>
    product(from, weights[`${name}/kernel`]!, weights[`${name}/bias`], units)
  const [q, k] = [project('query', x, heads * keyDim), project('key', key, heads * keyDim)]
  const v = project('value', value, heads * (valueDim ?? keyDim))
  const time = x.shape[1]!
  const counts = (s: number, t: number) => !context.masked || context.steps![s * time + t] === 1
  const y = attend(q, k, v, {
    heads,
    causal,
    sees: (s, i, j) => counts(s, i) && counts(s, j),
    factor: (s, h, i, j) => {
      if (!context.training || dropout === 0) return 1
      const u = drawn('uniform', placeOf(h, i, j, time, time), s)
      return u >= Math.fround(dropout) ? 1 / (1 - dropout) : 0
    },
  })
  return project('attention_output', y, outputShape ?? x.shape[2]!)
}
