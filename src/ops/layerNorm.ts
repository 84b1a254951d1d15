import type { Graph } from '../graph/graph.ts'
import { unitsOf } from '../graph/parameter.ts'
import { samples, sizeOf, slices, type Value, write } from '../graph/value.ts'

/**
 * y = gamma·(x − mean) / √(variance + epsilon) + beta, mean and variance those of each row of the last axis.
 * x, y (…, n), gamma and beta (n) or none. dgamma = Σ dy·x̂ and dbeta = Σ dy over all rows. Source: Ba, Kiros
 * & Hinton, "Layer Normalization" (2016).
 */
export function layerNorm(
  g: Graph,
  x: Value,
  { gamma, beta, epsilon }: { gamma: Value | undefined; beta: Value | undefined; epsilon: number },
): Value {
  const n = x.shape.at(-1)!
  const perSample = sizeOf(x.shape) / n
  const rows = samples(perSample)
  const y = g.batch('layerNorm', x.shape, x, ...(gamma ? [gamma] : []), ...(beta ? [beta] : []))
  const mean = g.batch('mean', [perSample])
  const inverse = g.batch('inverse deviation', [perSample])
  g.call('layerNorm', rows, x, write(y), write(mean), write(inverse), gamma ?? 0, beta ?? 0, epsilon, n)
  g.onBackward(y, dy => {
    g.checkFinite(dy, 'the gradient of a layer normalisation')
    const units = slices(unitsOf([n]))
    if (beta) g.contributeParameter(beta, (db, span) => g.call('sumRows', units, dy, db, span, perSample, n))
    if (gamma)
      g.contributeParameter(gamma, (dw, span) =>
        g.call('layerNormGammaGradient', units, x, dy, mean, inverse, dw, span, perSample, n),
      )
    g.contribute(x, dx => g.call('layerNormGradient', rows, x, dy, dx, mean, inverse, gamma ?? 0, n))
  })
  return y
}
