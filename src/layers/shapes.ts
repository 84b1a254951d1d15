import { Graph } from '../graph/graph.ts'
import type { Layer } from './define.ts'

/** Shape of a sample; null for a size that comes with the data, such as the length of a sequence. */
export type OpenShape = readonly (number | null)[]

export const isOpen = (shape: OpenShape): boolean => shape.includes(null)

/**
 * Sizes that stand in for unknown ones, first these, then those: far apart, larger than any window, and
 * divisible by whatever a layer may divide a length by. What differs between them is unknown, too.
 */
const standIns = [5040, 10080] as const

/** The shape with another size, any, for each that is open. */
export const closed = (shape: OpenShape, standIn: number = standIns[0]): readonly number[] =>
  shape.map(size => size ?? standIn)

function record(
  layer: Layer,
  inputs: readonly OpenShape[],
  standIn: number,
  batchSize: number | undefined,
): readonly (readonly number[])[] {
  const g = new Graph({ training: false, leaves: 1, rows: 1, batchSize, shapesOnly: true })
  const values = inputs.map(shape => g.batch('x', closed(shape, standIn)))
  return layer.buildAll(g, values).map(({ shape }) => shape)
}

const show = (shapes: readonly OpenShape[]): string =>
  shapes.map(shape => `[${['null', ...shape.map(String)].join(', ')}]`).join(' and ')

/**
 * Shapes of a layer's outputs for those of its inputs, of batchSize samples where that is fixed; makes its weights
 * the first time.
 * @throws RangeError for shapes that the layer cannot take, or cannot take without knowing all sizes
 */
export function outputShapesOf(layer: Layer, inputs: readonly OpenShape[], batchSize?: number): OpenShape[] {
  if (!inputs.some(isOpen)) return [...record(layer, inputs, 0, batchSize)]
  const [some, others] = standIns.map((standIn, pass) => {
    try {
      return record(layer, inputs, standIn, batchSize)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      if (pass === 0) throw new RangeError(error.message.replaceAll(`${standIn}`, 'null'))
      const hint = 'give them in inputShape, or bring sequences to one length first: by pooling, say'
      throw new RangeError(
        `${layer.name}: it must know all sizes of its input, got ${show(inputs)}; ${hint}`,
        { cause: error },
      )
    }
  })
  return some!.map((shape, i) => shape.map((size, axis) => (size === others![i]![axis] ? size : null)))
}
