import { noise } from '../bed.ts'
import { course, type Program } from './shared.ts'

const [size, samples] = [12, 80]

interface Shape {
  pixels: number[]
  square: boolean
  place: [number, number]
}

/** A square or a cross somewhere in a picture. */
function drawn(i: number): Shape {
  const [kind, across, down] = noise(3, 41 + i) as unknown as [number, number, number]
  const [left, top] = [across, down].map(v => Math.floor(((size - 5) * (v + 1)) / 2)) as [number, number]
  const square = kind > 0
  const pixels = Array.from({ length: size * size }, (_, at) => {
    const [x, y] = [(at % size) - left, Math.floor(at / size) - top]
    const inside = x >= 0 && x < 5 && y >= 0 && y < 5
    const lit = square ? x === 0 || x === 4 || y === 0 || y === 4 : x === 2 || y === 2
    return inside && lit ? 1 : 0
  })
  return { pixels, square, place: [left / size, top / size] }
}

/** Pictures in which one model finds what is there, and where: two outputs, a loss each. */
export const shapes: Program = async (tf, options) => {
  const pictures = Array.from({ length: samples }, (_, i) => drawn(i))
  const x = tf.tensor4d(
    pictures.flatMap(({ pixels }) => pixels),
    [samples, size, size, 1],
  )
  const kind = tf.tensor2d(pictures.map(({ square }) => [square ? 1 : 0]))
  const place = tf.tensor2d(pictures.map(picture => picture.place))

  const input = tf.input({ shape: [size, size, 1] })
  const seen = tf.layers.conv2d({ filters: 6, kernelSize: 3, activation: 'tanh' }).apply(input)
  const halved = tf.layers.averagePooling2d({ poolSize: 2 }).apply(seen)
  const flat = tf.layers.flatten().apply(halved)
  const known = tf.layers.dense({ units: 16, activation: 'elu' }).apply(flat)
  const outputs = [
    tf.layers.dense({ units: 1, activation: 'sigmoid', name: 'kind' }).apply(known),
    tf.layers.dense({ units: 2, name: 'place' }).apply(tf.layers.concatenate().apply([known, flat] as never)),
  ]
  const model = options.prepare(tf.model({ inputs: input, outputs: outputs as never }))
  model.compile({
    optimizer: tf.train.momentum(0.02, 0.9),
    loss: { kind: 'binaryCrossentropy', place: 'meanSquaredError' },
    metrics: { kind: 'accuracy' },
  })
  await model.fit(x, { kind, place }, { batchSize: 16, ...course(options, 2) })
  return model
}
