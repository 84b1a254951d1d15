/** Two parameters and three equal minima. Minimum 0.397887 (F. H. Branin 1972). */
export const branin = {
  space: { x: { float: [-5, 10] }, y: { float: [0, 15] } },
  value: ({ x = 0, y = 0 }: Readonly<Record<string, number>>): number => {
    const a = y - (5.1 / (4 * Math.PI ** 2)) * x ** 2 + (5 / Math.PI) * x - 6
    return a ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10
  },
} as const

const alpha = [1, 1.2, 3, 3.2]
const a = [
  [10, 3, 17, 3.5, 1.7, 8],
  [0.05, 10, 17, 0.1, 8, 14],
  [3, 3.5, 1.7, 10, 17, 8],
  [17, 8, 0.05, 10, 0.1, 14],
]
const p = [
  [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
  [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
  [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665],
  [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]

/** Six parameters. Minimum −3.32237 (L. C. W. Dixon and G. P. Szegő 1978). */
export const hartmann = {
  space: Object.fromEntries(Array.from({ length: 6 }, (_, d) => [`x${d}`, { float: [0, 1] as const }])),
  value: (x: Readonly<Record<string, number>>): number =>
    -alpha.reduce((sum, weight, i) => {
      const distance = a[i]!.reduce((all, scale, d) => all + scale * (x[`x${d}`]! - p[i]![d]!) ** 2, 0)
      return sum + weight * Math.exp(-distance)
    }, 0),
}
