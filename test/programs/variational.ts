import * as ls from '../../src/index.ts'
import { byChance, course, type Program } from './shared.ts'

const [side, hidden, latent, samples] = [14, 32, 4, 160]
const pixels = side * side

/** The first digits of MNIST, each pixel the mean of four. */
function halved(): number[] {
  const { values } = ls.datasets.mnist().train.x
  return Array.from({ length: samples * pixels }, (_, i) => {
    const [image, row, column] = [Math.floor(i / pixels), Math.floor((i % pixels) / side), i % side]
    const at = image * 4 * pixels + 4 * row * side + 2 * column
    return [0, 1, 2 * side, 2 * side + 1].reduce((sum, step) => sum + values[at + step]!, 0) / 4 / 255
  })
}

/**
 * A variational autoencoder of digits (Kingma & Welling, 2014), made of what both libraries have. z = μ + σ·ε: the noise is
 * added to 0·μ. The loss is that of the pictures plus the divergence ½(μ² + σ² − log σ²) of each number behind them, a pixel:
 * √c·μ against 0 by the squared error, and c·σ² against c by the Poisson loss.
 */
export const variational: Program = async (tf, options) => {
  const x = tf.tensor2d(halved(), [samples, pixels])
  const c = latent / (2 * pixels)
  const { dense, rescaling, multiply } = tf.layers

  const input = tf.input({ shape: [pixels] })
  const seen = dense({ units: hidden, activation: 'relu' }).apply(input)
  const mean = dense({ units: latent }).apply(seen)
  const deviation = dense({ units: latent, activation: 'softplus', biasInitializer: 'ones' }).apply(seen)
  const nothing = rescaling({ scale: 0 }).apply(mean)
  const noise = tf.layers.gaussianNoise({ stddev: byChance(options, 1) }).apply(nothing)
  const drawn = multiply().apply([deviation, noise] as never)
  const z = tf.layers.add().apply([mean, drawn] as never)
  const known = dense({ units: hidden, activation: 'relu' }).apply(z)
  const variance = multiply().apply([deviation, deviation] as never)
  const outputs = [
    dense({ units: pixels, activation: 'sigmoid', name: 'picture' }).apply(known),
    rescaling({ scale: Math.sqrt(c), name: 'mean' }).apply(mean),
    rescaling({ scale: c, name: 'variance' }).apply(variance),
  ]
  const model = options.prepare(tf.model({ inputs: input, outputs: outputs as never }))
  model.compile({
    optimizer: tf.train.adam(0.003),
    loss: { picture: 'binaryCrossentropy', mean: 'meanSquaredError', variance: 'poisson' },
  })
  const wanted = [x, tf.zeros([samples, latent]), tf.fill([samples, latent], c)]
  await model.fit(x, wanted, { batchSize: 16, ...course(options, 1) })
  return model
}
