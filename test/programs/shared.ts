import type * as tf from '@tensorflow/tfjs'
import type * as ls from '../../src/index.ts'

type Library = typeof tf
type Ours = typeof ls
type Parts = 'data' | 'layers' | 'train'

/** What both libraries have, as TensorFlow.js declares it. */
export type Shared = Pick<Library, Exclude<keyof Library & keyof Ours, Parts>> & {
  readonly [P in Parts]: Pick<Library[P], keyof Library[P] & keyof Ours[P]>
}

export interface Options {
  /** Given every model as it is made, before it is compiled. */
  prepare<M extends tf.LayersModel>(model: M): M
}

export interface Outcome {
  /** After each step. */
  readonly losses: number[]
  readonly model: tf.LayersModel
}

export type Program = (tf: Shared, options: Options) => Promise<Outcome>

/** A callback that writes down each step's loss. */
export function lossNotes(): { losses: number[]; callbacks: tf.CustomCallbackArgs } {
  const losses: number[] = []
  return { losses, callbacks: { onBatchEnd: (_, logs) => void losses.push(logs!.loss as number) } }
}

/** Address of a file of examples/data, as tf.data.csv takes it. */
export const addressOf = (name: string): string =>
  String(new URL(`../../examples/data/${name}`, import.meta.url))
