import { sizeOf } from '../graph/value.ts'
import type { Layer, Weight } from '../layers/define.ts'

interface Summarized {
  readonly name: string
  readonly layers: readonly Layer[]
  readonly layerShapes: readonly (readonly number[])[]
  readonly weights: readonly Weight[]
}

const count = (weights: readonly Weight[]): number =>
  weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',')

/** The table of a model: one line a layer, then sums. `width` is that of a line. */
export function summarize({ name, layers, layerShapes, weights }: Summarized, width = 72): string[] {
  const columns = [Math.floor(width * 0.5), Math.floor(width * 0.28)]
  const row = (cells: readonly string[]): string => {
    return cells
      .map((cell, i) => cell.slice(0, (columns[i] ?? width) - 1).padEnd(columns[i] ?? 0))
      .join('')
      .trimEnd()
  }
  const line = '_'.repeat(width)
  const lines = layers.map((layer, i) => {
    return row([
      `${layer.name} (${layer.className})`,
      `[null, ${layerShapes[i]!.join(', ')}]`,
      grouped(count(layer.weights)),
    ])
  })
  const total = count(weights)
  const trainable = count(weights.filter(weight => weight.trainable))
  return [
    name,
    line,
    row(['Layer (type)', 'Output shape', 'Parameters']),
    '='.repeat(width),
    ...lines,
    '='.repeat(width),
    `Total parameters: ${grouped(total)} (${grouped(4 * total)} bytes)`,
    `Trainable: ${grouped(trainable)}, not trainable: ${grouped(total - trainable)}`,
    line,
  ]
}
