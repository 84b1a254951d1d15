/** P(at least `wins` of n fair coins): the one-sided sign test of pairs, without ties. */
export function signTest(wins: number, n: number): number {
  let [p, term] = [0, 0.5 ** n]
  for (let k = 0; k <= n; k++) {
    if (k >= wins) p += term
    term *= (n - k) / (k + 1)
  }
  return p
}

/** How many values of `a` are smaller than those of `b` of the same place, and the one-sided sign test's p. */
export function compare(a: readonly number[], b: readonly number[]): { wins: number; n: number; p: number } {
  const pairs = a.map((value, i) => [value, b[i]!] as const).filter(([x, y]) => x !== y)
  const wins = pairs.filter(([x, y]) => x < y).length
  return { wins, n: pairs.length, p: signTest(wins, pairs.length) }
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
