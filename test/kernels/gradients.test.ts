import { expect, test } from 'vitest'
import { awkwardSizes, noise, relativeError } from '../bed.ts'
import { prove } from './trial.ts'

const slices = [1, 2, 5, 63, 64, 65, 200]
const chunk = 64

/** Σ f(x) of each chunk of 64 slices. */
function chunkSums(x: Float32Array, f: (x: number) => number): number[] {
  const sums = new Float64Array(Math.ceil(x.length / 16 / chunk))
  x.forEach((x, i) => {
    sums[Math.floor(i / 16 / chunk)]! += f(x)
  })
  return [...sums]
}

const asDoubles = (values: Float32Array) => new Float64Array(values.buffer)

test('norm of three chunks', () => {
  const partials = new Float32Array(Float64Array.of(3e30, 1e30, 5e30).buffer)
  const [y] = prove({
    inputs: [partials],
    outputs: [1],
    units: 1,
    call: (k, begin, end, [sums], [to]) => k.norm(begin, end, sums!, to!, 3),
  })
  expect(y![0]).toBe(Math.fround(3e15))
})

test.each(slices)('penalty and squaredNorm of %i slices', units => {
  const x = noise(16 * units, 5).map(u => 1e19 * u)
  const chunks = Math.ceil(units / chunk)
  const [l1, l2] = [Math.fround(0.3), Math.fround(1e-20)]
  const shared = { inputs: [x], outputs: [2 * chunks], units: chunks }
  const [squares] = prove({
    ...shared,
    call: (k, begin, end, [x], [partial]) => k.squaredNorm(begin, end, x!, partial! - 24, units, 3),
  })
  expect(
    relativeError(
      asDoubles(squares!),
      chunkSums(x, x => x * x),
    ),
  ).toBeLessThan(1e-14)
  const [penalties] = prove({
    ...shared,
    call: (k, begin, end, [w], [partial]) => k.penalty(begin, end, w!, partial!, units, l1, l2),
  })
  expect(
    relativeError(
      asDoubles(penalties!),
      chunkSums(x, x => l1 * Math.abs(x) + l2 * x * x),
    ),
  ).toBeLessThan(1e-14)
})

test.each(slices)('regularize, clipValue and addInto: %i slices', units => {
  const size = 16 * units
  const w = noise(size, 5).map((u, i) => (i % 5 === 0 ? 0 : u))
  const dw = noise(size, 6)
  const [l1, l2, limit] = [Math.fround(0.3), Math.fround(0.01), Math.fround(0.4)]
  const change = (
    f: (
      k: Parameters<Parameters<typeof prove>[0]['call']>[0],
      begin: number,
      end: number,
      w: number,
      dw: number,
    ) => void,
  ) =>
    prove({
      inputs: [w, dw],
      outputs: [size],
      units,
      call(k, begin, end, [w, dw], [out]) {
        k.copy(16 * begin, 16 * end, dw!, out!)
        f(k, begin, end, w!, out!)
      },
    })[0]!
  const regularized = change((k, begin, end, w, dw) => k.regularize(begin, end, w, dw, l1, l2))
  expect(
    relativeError(
      regularized,
      Array.from(w, (w, i) => dw[i]! + l1 * Math.sign(w) + 2 * l2 * w),
    ),
  ).toBeLessThan(2e-7)
  const clipped = change((k, begin, end, _, dw) => k.clipValue(begin, end, dw, limit))
  expect(clipped).toEqual(dw.map(x => Math.min(Math.max(x, -limit), limit)))
  expect(change((k, begin, end, w, dw) => k.addInto(begin, end, dw, w))).toEqual(dw.map((x, i) => x + w[i]!))
})

test.each(slices)('clipNorm of %i slices, two tensors together', units => {
  const x = noise(16 * units, 5)
  const squares = chunkSums(x, x => x * x)
  const partials = Float64Array.from([...squares, ...squares])
  const norm = Math.sqrt(partials.reduce((sum, x) => sum + x))
  const clip = (limit: number) =>
    prove({
      inputs: [x, new Float32Array(partials.buffer)],
      outputs: [x.length],
      units,
      call(k, begin, end, [x, partials], [dw]) {
        k.copy(16 * begin, 16 * end, x!, dw!)
        k.clipNorm(begin, end, dw!, partials!, 2 * squares.length, limit)
      },
    })[0]!
  const limit = Math.fround(norm / 3)
  expect(
    relativeError(
      clip(limit),
      Array.from(x, x => (x * limit) / norm),
    ),
  ).toBeLessThan(2e-7)
  expect(clip(2 * norm)).toEqual(x)
})

test.each(awkwardSizes)('add and copy: %i elements', size => {
  const [a, b] = [noise(size, 1), noise(size, 2)]
  const [sum, copied] = prove({
    inputs: [a, b],
    outputs: [size, size],
    units: size,
    call(k, begin, end, [a, b], [sum, copied]) {
      k.add(begin, end, a!, b!, sum!)
      k.copy(begin, end, a!, copied!)
    },
  })
  expect(sum).toEqual(a.map((a, i) => a + b[i]!))
  expect(copied).toEqual(a)
})
