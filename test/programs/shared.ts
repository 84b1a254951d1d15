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
  /** Of the training. */
  readonly callbacks: tf.CustomCallbackArgs
  /** So many, shuffled and with dropout; without it ten steps in order, where nothing is left to chance. */
  readonly epochs?: number
}

/** Trains a model and resolves with it. */
export type Program = (tf: Shared, options: Options) => Promise<tf.LayersModel>

/** How long to train: `epochs` of them, if nothing is said, make ten steps. */
export const course = ({ callbacks, ...options }: Options, epochs: number) => ({
  epochs: options.epochs ?? epochs,
  shuffle: options.epochs !== undefined,
  verbose: 0,
  callbacks,
})

/** A rate of dropout, or a deviation of noise, where chance has its part. */
export const byChance = ({ epochs }: Options, rate: number): number => (epochs === undefined ? 0 : rate)

/** Address of a file of examples/data, as tf.data.csv takes it. */
export const addressOf = (name: string): string =>
  String(new URL(`../../examples/data/${name}`, import.meta.url))
