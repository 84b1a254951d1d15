import { expect, test } from 'vitest'
import { pack, unitsOf, unpack } from '../../src/graph/parameter.ts'
import { noise, relativeError } from '../bed.ts'
import { prove } from './trial.ts'

const sizes = [1, 3, 4, 5, 8, 15, 16, 17, 33, 48].flatMap((n, i) => [[n, 1 + (i % 4), 2 + (i % 3)] as const])

test.each(sizes)('positions of %i features, %i long, %i samples', (n, t, samples) => {
  const [x, dy, p] = [noise(samples * t * n, 1), noise(samples * t * n, 2), noise(t * n, 3)]
  const panels = new Float32Array(16 * unitsOf([t, n]))
  pack(p, [t, n], panels)
  const [y] = prove({
    inputs: [x, panels],
    outputs: [x.length],
    units: samples,
    call: (k, begin, end, [x, p], [y]) => k.addPositions(begin, end, x!, p!, y!, t, n),
  })
  expect(y).toEqual(x.map((value, i) => value + p[i % p.length]!))
  const [dp] = prove({
    inputs: [dy, Int32Array.of(1, samples)],
    outputs: [panels.length],
    units: unitsOf([t, n]),
    call: (k, begin, end, [dy, span], [dp]) => k.sumPositions(begin, end, dy!, dp!, span!, t, n),
  })
  const sums = Float64Array.from(p, (_, i) => {
    let sum = 0
    for (let s = 1; s < samples; s++) sum += dy[s * p.length + i]!
    return sum
  })
  expect(relativeError(unpack(dp!, [t, n]), sums)).toBeLessThan(1e-6)
  const filled = new Float32Array(panels.length)
  pack(unpack(dp!, [t, n]), [t, n], filled)
  expect(dp).toEqual(filled)
})
