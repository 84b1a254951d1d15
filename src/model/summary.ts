import { sizeOf } from '../graph/value.ts'
import type { Layer, Weight } from '../layers/define.ts'
import type { OpenShape } from '../layers/shapes.ts'

/** A line of a summary. */
export interface SummaryRow {
  readonly layer: Layer
  readonly shape: OpenShape
  /** Names of the layers that feed this one; undefined in a stack, where that is the one before. */
  readonly from?: readonly string[]
}

/** What a table of layers shows of one. */
export interface LayerSummary {
  readonly name: string
  readonly type: string
  /** Of a sample's output, as people write it: 28×28×32. */
  readonly shape: string
  readonly weights: number
}

const count = (weights: readonly Weight[]): number =>
  weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',')

const shapeText = (shape: OpenShape): string => `[${['null', ...shape.map(String)].join(', ')}]`

export const layerSummaries = (rows: readonly SummaryRow[]): LayerSummary[] =>
  rows.map(({ layer: { name, className, weights }, shape }) => ({
    name,
    type: className,
    shape: shape.map(size => size ?? 'any').join('×'),
    weights: count(weights),
  }))

/** The table of a model: one line a layer, then sums. `width` is that of a line. */
export function summarize(
  name: string,
  rows: readonly SummaryRow[],
  weights: readonly Weight[],
  given?: number,
): string[] {
  const connected = rows.some(({ from }) => from)
  const width = given ?? (connected ? 98 : 72)
  const parts = connected ? [0.36, 0.2, 0.14] : [0.5, 0.28]
  const columns = parts.map(part => Math.floor(width * part))
  const row = (cells: readonly string[]): string => {
    return cells
      .map((cell, i) => cell.slice(0, (columns[i] ?? width) - 1).padEnd(columns[i] ?? 0))
      .join('')
      .trimEnd()
  }
  const line = '_'.repeat(width)
  const lines = rows.map(({ layer, shape, from }) => {
    const cells = [`${layer.name} (${layer.className})`, shapeText(shape), grouped(count(layer.weights))]
    return row(from ? [...cells, from.join(', ')] : cells)
  })
  const total = count(weights)
  const trainable = count(weights.filter(weight => weight.trainable))
  return [
    name,
    line,
    row(['Layer (type)', 'Output shape', 'Parameters', ...(connected ? ['Receives'] : [])]),
    '='.repeat(width),
    ...lines,
    '='.repeat(width),
    `Total parameters: ${grouped(total)} (${grouped(4 * total)} bytes)`,
    `Trainable: ${grouped(trainable)}, not trainable: ${grouped(total - trainable)}`,
    line,
  ]
}
