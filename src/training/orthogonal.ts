/** column target −= factor · column source; columns are given by the index of their first element. */
function subtract(matrix: Float64Array, target: number, source: number, rows: number, factor: number): void {
  for (let i = 0; i < rows; i++) matrix[target + i]! -= factor * matrix[source + i]!
}

/** Four sums, because one would wait for each addition; their order is fixed. */
function dot(matrix: Float64Array, a: number, b: number, rows: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0]
  let i = 0
  for (; i + 3 < rows; i += 4) {
    s0 += matrix[a + i]! * matrix[b + i]!
    s1 += matrix[a + i + 1]! * matrix[b + i + 1]!
    s2 += matrix[a + i + 2]! * matrix[b + i + 2]!
    s3 += matrix[a + i + 3]! * matrix[b + i + 3]!
  }
  for (; i < rows; i++) s0 += matrix[a + i]! * matrix[b + i]!
  return s0 + s1 + (s2 + s3)
}

/**
 * Q (rows, columns), stored by columns, of A = Q·R with a positive diagonal of R; a (rows, columns) row-major, rows ≥ columns.
 * Modified Gram–Schmidt in float64: for random normal A, QᵀQ differs from 1 by less than 1e-10, below float32.
 * For A normal, Q is uniform over the orthogonal matrices exactly when R's diagonal is positive
 * (F. Mezzadri, 2006, https://arxiv.org/abs/math-ph/0609050).
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
