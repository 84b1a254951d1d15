import { expect, test } from 'vitest'
import { Graph } from '../src/graph/graph.ts'
import * as ls from '../src/index.ts'
import type { Layer } from '../src/layers/define.ts'
import * as layers from '../src/layers/table.ts'
import { losses } from '../src/training/losses.ts'
import { noise } from './bed.ts'
import { caught } from './caught.ts'
import { measure } from './reference/measure.ts'

const { randomBrightness, randomContrast, randomCrop, randomErasing, randomFlip, randomRotation } = layers
const { conv2d, dense, flatten, randomTranslation, randomWidth, randomZoom } = layers

/** Weights after two epochs with every augmentation, behind a convolution so that gradients pass through. */
async function trained(options: ls.FitOptions): Promise<readonly number[]> {
  const valueRange = [-3, 3] as const
  const model = ls.sequential({
    seed: 3,
    layers: [
      conv2d({ filters: 3, kernelSize: 2, inputShape: [8, 9, 2] }),
      randomFlip({}),
      randomRotation({ factor: 0.1 }),
      randomZoom({ heightFactor: 0.2, fillMode: 'wrap' }),
      randomTranslation({ heightFactor: 0.2, widthFactor: 0.2, fillMode: 'constant' }),
      randomWidth({ factor: 0.3 }),
      randomCrop({ height: 5, width: 6 }),
      randomContrast({ factor: 0.3, valueRange }),
      randomBrightness({ factor: 0.1, valueRange }),
      randomErasing({ factor: 0.5, valueRange }),
      flatten({}),
      dense({ units: 3 }),
    ],
  })
  model.compile({ optimizer: ls.train.adam(0.01), loss: 'meanSquaredError', leaves: 2 })
  const [x, y] = [ls.tensor(noise(30 * 144, 1), [30, 8, 9, 2]), ls.tensor(noise(90, 2), [30, 3])]
  await model.fit(x, y, { epochs: 2, batchSize: 8, seed: 5, verbose: 0, ...options })
  const weights = model.getWeights().flatMap(weight => [...weight.dataSync()] as number[])
  model.dispose()
  return weights
}

test('augmentation does not depend on the workers, nor on accumulation', async () => {
  const alone = await trained({ workers: 1 })
  expect(alone.every(Number.isFinite)).toBe(true)
  for (const options of [{ workers: 2 }, { workers: 3 }, { workers: 2, accumulate: true }])
    expect(await trained(options)).toEqual(alone)
  expect(await trained({ workers: 2, seed: 6 })).not.toEqual(alone)
})

/** The output of one training step for `count` samples that are all `image`. */
function outputs(layer: Layer, image: readonly number[], input: readonly number[], count: number) {
  const setup = { layers: [layer], input, samples: count, loss: losses.meanSquaredError, discrete: true }
  const x = Float32Array.from({ length: count * image.length }, (_, i) => image[i % image.length]!)
  const target = new Float32Array(layerSize(layer, input) * count)
  const { y } = measure(setup, { x, target, weights: {} })
  return Array.from({ length: count }, (_, s) => [
    ...y.slice((s * y.length) / count, ((s + 1) * y.length) / count),
  ])
}

const built = (layer: Layer, shape: readonly number[]) => {
  const g = new Graph({ training: false, leaves: 1, rows: 1 })
  return layer.build(g, g.batch('x', shape))
}
const layerSize = (layer: Layer, input: readonly number[]) => {
  return built(layer, input).shape.reduce((product, n) => product * n, 1)
}

const count = 2000
/** Within five deviations of a mean of `count` draws. */
const near = (found: number, expected: number, deviation: number) =>
  expect(Math.abs(found - expected)).toBeLessThan((5 * deviation) / Math.sqrt(count))
const meanOf = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length

test('each flip has probability ½', () => {
  const images = outputs(randomFlip({}), [1, 2, 3, 4], [2, 2, 1], count).map(String)
  for (const image of ['1,2,3,4', '2,1,4,3', '3,4,1,2', '4,3,2,1'])
    near(images.filter(found => found === image).length / count, 0.25, Math.sqrt(3 / 16))
})

test('crops lie evenly', () => {
  const places = outputs(randomCrop({ height: 1, width: 1 }), [0, 1, 2, 3, 4, 5], [2, 3, 1], count).flat()
  for (let i = 0; i < 6; i++)
    near(places.filter(place => place === i).length / count, 1 / 6, Math.sqrt(5 / 36))
})

test('a quarter turn, counter-clockwise where positive', () => {
  const [left] = outputs(randomRotation({ factor: [0.25, 0.25] }), [1, 2, 3, 4], [2, 2, 1], 1)
  expect(left!.map(Math.round)).toEqual([2, 4, 1, 3])
  const [right] = outputs(randomRotation({ factor: [-0.25, -0.25] }), [1, 2, 3, 4], [2, 2, 1], 1)
  expect(right!.map(Math.round)).toEqual([3, 1, 4, 2])
})

test('translations go down and right, zooms out, widths up where positive', () => {
  const sampling = { fillMode: 'constant', interpolation: 'nearest', fillValue: 9 } as const
  const image = [1, 2, 3, 4, 5, 6, 7, 8]
  const moved = randomTranslation({ heightFactor: [0.5, 0.5], widthFactor: [0.25, 0.25], ...sampling })
  expect(outputs(moved, image, [2, 4, 1], 1)[0]).toEqual([9, 9, 9, 9, 9, 1, 2, 3])
  const out = randomZoom({ heightFactor: [0, 0], widthFactor: [1, 1], ...sampling })
  expect(outputs(out, image, [2, 4, 1], 1)[0]).toEqual([9, 2, 4, 9, 9, 6, 8, 9])
  const wide = randomWidth({ factor: [1, 1], interpolation: 'nearest' })
  expect(outputs(wide, image, [2, 4, 1], 1)[0]).toEqual([2, 2, 3, 3, 6, 6, 7, 7])
})

test('brightness is even, contrast too, and boxes are lost as often and as large as asked for', () => {
  const shifts = outputs(
    randomBrightness({ factor: [-0.1, 0.3], valueRange: [0, 10] }),
    [5],
    [1, 1, 1],
    count,
  )
  near(meanOf(shifts.flat()), 6, 4 / Math.sqrt(12))
  const factors = outputs(randomContrast({ factor: 0.4, valueRange: [-9, 9] }), [-1, 1], [1, 2, 1], count)
  near(meanOf(factors.map(([, high]) => high!)), 1, 0.8 / Math.sqrt(12))
  const erasing = randomErasing({ factor: 0.3, scale: [0.25, 0.25], fillValue: 0, valueRange: [0, 1] })
  const ones = Array<number>(64).fill(1)
  const lost = outputs(erasing, ones, [8, 8, 1], count).map(image => image.filter(x => x === 0).length)
  near(lost.filter(n => n > 0).length / count, 0.3, Math.sqrt(0.21))
  expect([...new Set(lost)].sort()).toEqual([0, 16])
})

const failures: [run: () => unknown, text: string][] = [
  [
    () => randomFlip({ mode: 'sideways' as 'vertical' }),
    'RangeError: RandomFlip: mode must be one of "horizontal", "vertical", "horizontalAndVertical", got "sideways"',
  ],
  [() => randomRotation({ factor: 2 }), 'RangeError: RandomRotation: factor must be in [0, 1], got 2'],
  [
    () => randomRotation({ factor: [0.2, 0.1] }),
    'RangeError: RandomRotation: factor must be lowest first, got [0.2, 0.1]; write [low, high]',
  ],
  [
    () => randomZoom({ heightFactor: [1] as unknown as number }),
    'TypeError: RandomZoom: heightFactor must be a number or two, got [1]; write [low, high]',
  ],
  [
    () => randomZoom({ heightFactor: [-1, 0] }),
    'RangeError: RandomZoom: heightFactor must be a number > -1, got -1',
  ],
  [
    () => randomTranslation({ heightFactor: 0, widthFactor: 0, fillMode: 'mirror' as 'reflect' }),
    'RangeError: RandomTranslation: fillMode must be one of "reflect", "wrap", "nearest", "constant", got "mirror"',
  ],
  [
    () => randomBrightness({ factor: 0.1, valueRange: [1, 0] }),
    'RangeError: RandomBrightness: valueRange must rise, got [1, 0]; write [0, 1]',
  ],
  [
    () => randomErasing({ valueRange: 1 as unknown as [number, number] }),
    'TypeError: RandomErasing: valueRange must be two numbers, got 1; write [0, 1]',
  ],
  [
    () => built(randomWidth({ factor: 0.1, name: 'it' }), [3, 4]),
    'RangeError: it: the input must have shape [height, width, channels], got [3,4]; add layers.reshape() before it',
  ],
]

test.each(failures)('message %#', async (run, text) => {
  expect(await caught(run)).toBe(text)
})
