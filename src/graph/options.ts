export type Recompute = 'asked' | 'models' | 'none'

/** What a graph is recorded for. */
export interface GraphOptions {
  /** Dropout draws, batch statistics are gathered, gradients flow. */
  training: boolean
  /** Fixed parts of a mini-batch whose gradients are summed in a fixed binary tree. */
  leaves: number
  /** Largest mini-batch; chunk sizes of sums over samples follow from it. */
  rows: number
  /** Samples of every mini-batch, where the model fixes that. */
  batchSize?: number | undefined
  /** Nothing will run: an op may leave out what changes no shape. */
  shapesOnly?: boolean
  /** Which blocks are computed again for their gradients: those that ask for it, also all models that are layers, or none. */
  recompute?: Recompute | undefined
}
