/**
 * Primitive polynomials and first direction numbers, `degree coefficients m…`, from the second dimension on. S. Joe
 * and F. Y. Kuo 2008, https://doi.org/10.1137/070709359, file new-joe-kuo-6.21201.
 */
const table =
  '1 0 1|2 1 1 3|3 1 1 3 1|3 2 1 1 1|4 1 1 1 3 3|4 4 1 3 5 13|5 2 1 1 5 5 17|5 4 1 1 5 5 5|5 7 1 1 7 11 19|' +
  '5 11 1 1 5 1 1|5 13 1 1 1 3 11|5 14 1 3 5 5 31|6 1 1 3 3 9 7 49|6 13 1 1 1 15 21 21|6 16 1 3 1 13 27 49|' +
  '6 19 1 1 1 15 7 5|6 22 1 3 1 15 13 25|6 25 1 1 5 5 19 61|7 1 1 3 7 11 23 15 103|7 4 1 3 7 13 13 15 69'

/** 32 direction numbers of a dimension. */
function directions(row: string | undefined): Uint32Array {
  const v = new Uint32Array(32)
  if (row === undefined) return v.map((_, i) => 2 ** (31 - i))
  const [degree, coefficients, ...m] = row.split(' ').map(Number) as [number, number, ...number[]]
  for (let i = 0; i < 32; i++) {
    if (i < degree) {
      v[i] = m[i]! * 2 ** (31 - i)
      continue
    }
    v[i] = v[i - degree]! ^ (v[i - degree]! >>> degree)
    for (let k = 1; k < degree; k++) if ((coefficients >> (degree - 1 - k)) & 1) v[i] = v[i]! ^ v[i - k]!
  }
  return v
}

const all = [undefined, ...table.split('|')].map(directions)

/** Dimensions that there are numbers for. */
export const sobolDimensions = all.length

/**
 * Coordinate `dimension` of point `n`, as 32 bits: point n in the order of its binary digits, not of Gray's code. I. M.
 * Sobol', 1967.
 */
export function sobolBits(n: number, dimension: number): number {
  const v = all[dimension]!
  let bits = 0
  for (let i = 0, rest = n; rest > 0; i++, rest = Math.floor(rest / 2)) if (rest % 2 === 1) bits ^= v[i]!
  return bits >>> 0
}
