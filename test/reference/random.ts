export type Words = [number, number, number, number]

/** Philox4x32-10 from 64-bit integers. */
export function philox(counter: Words, key: [number, number]): Words {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < 10; round++) {
    const p = BigInt(c0) * 0xd2511f53n
    const q = BigInt(c2) * 0xcd9e8d57n
    c0 = (Number(q >> 32n) ^ c1 ^ k0) >>> 0
    c2 = (Number(p >> 32n) ^ c3 ^ k1) >>> 0
    c1 = Number(q & 0xffffffffn)
    c3 = Number(p & 0xffffffffn)
    k0 = (k0 + 0x9e3779b9) >>> 0
    k1 = (k1 + 0xbb67ae85) >>> 0
  }
  return [c0, c1, c2, c3]
}

/** What the kernels draw at one site in one step: element by element, row by row. */
export class Draws {
  private readonly seed: [number, number]
  private readonly step: number
  private readonly site: number

  constructor(seed: [number, number], step: number, site: number) {
    this.seed = seed
    this.step = step
    this.site = site
  }

  private word(element: number, row: number): number {
    return philox([element >> 2, row, this.step, this.site], this.seed)[element & 3]!
  }

  /** The upper 24 bits of the element's word, in [0, 1). */
  uniform = (element: number, row = 0): number => (this.word(element, row) >>> 8) / 2 ** 24

  /** Box and Muller's normal: an even element and the next one share their two words. */
  normal = (element: number, row = 0): number => {
    const first = element & ~1
    const angle = 2 * Math.PI * this.uniform(first + 1, row)
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform(first, row)))
    return radius * (element & 1 ? Math.sin(angle) : Math.cos(angle))
  }
}
