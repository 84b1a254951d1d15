import { sizeOf } from './nested.ts'

/** Longer axes show only their first and last elements. */
const longestShown = 20
const shownAtEnds = 3

function showElement(value: number, dtype: string): string {
  if (dtype === 'bool') return value === 0 ? 'false' : 'true'
  return Number(value.toFixed(7)).toString()
}

/** Indices of an axis that are shown; −1 stands for the dots. */
function shownIndices(length: number): number[] {
  const all = Array.from({ length }, (_, i) => i)
  if (length <= longestShown) return all
  return [...all.slice(0, shownAtEnds), -1, ...all.slice(-shownAtEnds)]
}

/** The lines of one tensor of a level; `widths` holds the width of each column of a matrix. */
function lines(
  values: ArrayLike<number>,
  shape: readonly number[],
  start: number,
  dtype: string,
  widths: number[],
) {
  const [length = 0, ...inner] = shape
  if (inner.length === 0) {
    const shown = shownIndices(length).map(i =>
      i < 0 ? '...' : showElement(values[start + i]!, dtype).padEnd(widths[i] ?? 0),
    )
    return [`[${shown.join(', ')}]`]
  }
  const stride = sizeOf(inner)
  const result: string[] = []
  const indices = shownIndices(length)
  for (const i of indices) {
    const block = i < 0 ? ['...'] : lines(values, inner, start + i * stride, dtype, widths)
    if (i !== indices.at(-1)) block[block.length - 1] += ','
    result.push(...block.map(line => ` ${line}`))
    // A blank line after each matrix of a higher tensor.
    for (let rank = inner.length; rank > 1 && i !== indices.at(-1); rank--) result.push('')
  }
  result[0] = `[${result[0]!.slice(1)}`
  result[result.length - 1] += ']'
  return result
}

/** A tensor as TF.js prints it, its elements in aligned columns. */
export function formatTensor(
  values: ArrayLike<number>,
  shape: readonly number[],
  dtype: string,
  verbose: boolean,
): string {
  const head = ['Tensor']
  if (verbose) {
    head.push(`  dtype: ${dtype}`, `  rank: ${shape.length}`, `  shape: [${shape}]`, '  values:')
  }
  if (shape.length === 0) return [...head, `    ${showElement(values[0]!, dtype)}`].join('\n')
  if (sizeOf(shape) === 0) return [...head, '    []'].join('\n')
  const columns = shape.at(-1)!
  const widths: number[] = []
  for (let i = 0; shape.length > 1 && i < sizeOf(shape); i++) {
    widths[i % columns] = Math.max(widths[i % columns] ?? 0, showElement(values[i]!, dtype).length)
  }
  return [...head, ...lines(values, shape, 0, dtype, widths).map(line => `    ${line}`.trimEnd())].join('\n')
}
