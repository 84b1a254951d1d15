/** column target −= factor · column source; columns are given by the index of their first element. */
function subtract(matrix: Float64Array, target: number, source: number, rows: number, factor: number): void {
  for (let i = 0; i < rows; i++) matrix[target + i]! -= factor * matrix[source + i]!
}

function dot(matrix: Float64Array, a: number, b: number, rows: number): number {
  let sum = 0
  for (let i = 0; i < rows; i++) sum += matrix[a + i]! * matrix[b + i]!
  return sum
}

/**
 * Q (rows, columns), stored by columns, of A = Q·R with a positive diagonal of R; a (rows, columns)
 * row-major, rows ≥ columns. Modified Gram–Schmidt in float64: for random normal A, QᵀQ differs from 1 by
 * less than 1e-10, below float32. For A normal, Q is uniform over the orthogonal matrices exactly when R's
 * diagonal is positive (F. Mezzadri, 2006, https://arxiv.org/abs/math-ph/0609050).
 */
export function orthogonalColumns(a: Float32Array, rows: number, columns: number): Float64Array {
  const q = new Float64Array(rows * columns)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) q[j * rows + i] = a[i * columns + j]!
  }
  for (let j = 0; j < columns; j++) {
    const column = j * rows
    const norm = Math.sqrt(dot(q, column, column, rows))
    for (let i = 0; i < rows; i++) q[column + i]! /= norm
    for (let later = column + rows; later < q.length; later += rows) {
      subtract(q, later, column, rows, dot(q, column, later, rows))
    }
  }
  return q
}
