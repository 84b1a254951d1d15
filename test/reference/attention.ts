import { softmax } from './activations.ts'
import { type Array64, zeros } from './arrays.ts'

export interface Heads {
  readonly heads: number
  readonly causal: boolean
}

/** softmax(q·kᵀ/√d)·v of each sample and head, naively, in float64; q (samples, time, heads·d). */
export function attend(q: Array64, k: Array64, v: Array64, { heads, causal }: Heads): Array64 {
  const [samples, tq, qSize] = q.shape as [number, number, number]
  const [tk, vSize] = v.shape.slice(1) as [number, number]
  const [dk, dv] = [qSize / heads, vSize / heads]
  const y = zeros([samples, tq, vSize])
  for (let s = 0; s < samples; s++) {
    for (let h = 0; h < heads; h++) {
      for (let i = 0; i < tq; i++) {
        const seen = causal ? Math.min(tk, i + 1) : tk
        const scores = new Float64Array(seen)
        for (let j = 0; j < seen; j++) {
          for (let d = 0; d < dk; d++) {
            const [a, b] = [(s * tq + i) * qSize + h * dk + d, (s * tk + j) * qSize + h * dk + d]
            scores[j]! += (q.values[a]! * k.values[b]!) / Math.sqrt(dk)
          }
        }
        softmax(scores).forEach((share, j) => {
          for (let d = 0; d < dv; d++) {
            const to = (s * tq + i) * vSize + h * dv + d
            y.values[to]! += share * v.values[(s * tk + j) * vSize + h * dv + d]!
          }
        })
      }
    }
  }
  return y
}
