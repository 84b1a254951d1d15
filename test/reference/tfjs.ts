import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { expect } from 'vitest'
import * as ls from '../../src/index.ts'
import type { Layer } from '../../src/layers/define.ts'
import { noise, relativeError } from '../bed.ts'

/** Layers by their common name and options: one description for both libraries. Options may hold a layer in turn. */
export type Recipe = readonly (readonly [keyof typeof ls.layers, object?])[]

export interface Twins {
  readonly ours: ls.Sequential
  readonly theirs: tf.Sequential
}

type Make<L> = Record<string, (options: object) => L>

/** A layer from its name and options. */
function layerOf<L>(make: Make<L>, name: string, options: Record<string, unknown> = {}): L {
  const resolved = Object.entries(options).map(([key, value]) => {
    const isLayer = /^(layer|backwardLayer)$/.test(key) && Array.isArray(value)
    return [
      key,
      isLayer ? layerOf(make, ...(value as [string, Record<string, unknown>])) : structuredClone(value),
    ]
  })
  return make[name]!(Object.fromEntries(resolved))
}

/** One model in both libraries, with the same weights: near the initial ones, but none 0 or 1. */
export function twins(recipe: Recipe, inputShape: readonly number[]): Twins {
  // TensorFlow.js writes into the options.
  const layersOf = <L>(make: Make<L>) =>
    recipe.map(([name, options], i) => layerOf(make, name, { ...options, ...(i === 0 && { inputShape }) }))
  const ours = ls.sequential({ layers: layersOf(ls.layers as unknown as Make<Layer>), seed: 4 })
  const theirs = tf.sequential({ layers: layersOf(tf.layers as unknown as Make<tf.layers.Layer>) })
  stir(ours)
  copyWeights({ ours, theirs })
  return { ours, theirs }
}

/** Moves the weights away from their initial values: none stays 0 or 1. */
export function stir(model: ls.Sequential | ls.Model): void {
  const stirred = model.getWeights().map(({ values, shape }, i) => {
    const noisy = noise(values.length, 60 + i).map((x, j) => (values[j] as number) + 0.2 * x)
    return ls.tensor(noisy, shape)
  })
  model.setWeights(stirred)
}

export function copyWeights({ ours, theirs }: Twins): void {
  theirs.setWeights(
    ours.getWeights().map(({ values, shape }) => tf.tensor(values as Float32Array, [...shape])),
  )
}

export const weightsOf = (model: ls.Sequential | tf.LayersModel): Float32Array[] =>
  model.getWeights().map(weight => weight.dataSync() as Float32Array)

/** A batch as either library takes it. */
export function batchOf(
  values: Float32Array,
  shape: readonly number[],
): { ours: ls.Tensor; theirs: tf.Tensor } {
  return { ours: ls.tensor(values, shape), theirs: tf.tensor(values, [...shape]) }
}

export const numbers = (result: number | number[]): number[] => [result].flat()

/** Calls `use` with an empty folder. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Error of what both libraries compute, of the largest number: they round differently. */
const limit = 2e-6

/** Expects numbers of both libraries to agree. */
export const close = (actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void =>
  expect(relativeError(actual, expected), what).toBeLessThan(limit)

export const predictionsOf = (model: tf.LayersModel, x: tf.Tensor): ArrayLike<number> =>
  (model.predict(x) as tf.Tensor).dataSync()

/** Saves ours, and lets TensorFlow.js read the files' contents. */
export const readByTheirs = (model: ls.Sequential | ls.Model): Promise<tf.LayersModel> =>
  withFolder(async folder => {
    await model.save(`file://${folder}`)
    const json = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8'))
    const weightData = new Uint8Array(await readFile(join(folder, ...json.weightsManifest[0].paths))).buffer
    const { modelTopology, weightsManifest } = json
    return tf.loadLayersModel({
      load: async () => ({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData }),
    })
  })

/** Writes what TensorFlow.js saves as it would, and reads the files. */
export const readByOurs = (model: tf.LayersModel): Promise<ls.Sequential> =>
  withFolder(async folder => {
    const handler = tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }]
      const data = new Uint8Array(weightData as ArrayBuffer)
      await writeFile(join(folder, 'model.json'), JSON.stringify({ modelTopology, weightsManifest }))
      await writeFile(join(folder, 'weights.bin'), data)
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
    })
    await model.save(handler)
    return (await ls.loadLayersModel(`file://${folder}/model.json`)) as ls.Sequential
  })
