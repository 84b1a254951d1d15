import { expect, test } from 'vitest'
import { awkwardSizes, noise } from '../bed.ts'
import { prove } from './trial.ts'

const position = 2
const samples = 11
const sizes = [1, 784, ...awkwardSizes]
const rowCounts = [0, 1, 4, 7]
const orders = [undefined, Int32Array.of(3, 0, 7, 7, 1, 10, 4, 9, 0, 2, 5)]

/** Row by row, what a gather of `source` has to give. */
function expected(
  source: ArrayLike<number>,
  order: Int32Array | undefined,
  rows: number,
  size: number,
  scale = 1,
) {
  return Float32Array.from({ length: rows * size }, (_, i) => {
    const index = position + Math.floor(i / size)
    return Math.fround(source[(order?.[index] ?? index) * size + (i % size)]! * Math.fround(scale))
  })
}

for (const order of orders) {
  test.each(sizes)(`gather, gatherBytes ${order ? 'shuffled' : 'in sequence'}: rows of %i`, size => {
    const floats = noise(samples * size, 7)
    const bytes = Uint8Array.from(floats, value => 127 + 128 * value)
    for (const rows of rowCounts) {
      const common = { outputs: [rows * size], units: rows }
      const cell = Int32Array.of(position)
      const [copied] = prove({
        ...common,
        inputs: [floats, order, cell],
        call: (k, begin, end, [source, o, p], [x]) => k.gather(begin, end, source!, o!, p!, x!, size),
      })
      expect(copied).toEqual(expected(floats, order, rows, size))
      const [converted] = prove({
        ...common,
        inputs: [bytes, order, cell],
        call: (k, begin, end, [source, o, p], [x]) =>
          k.gatherBytes(begin, end, source!, o!, p!, x!, size, 1 / 255),
      })
      expect(converted).toEqual(expected(bytes, order, rows, size, 1 / 255))
    }
  })
}
