import { expect, test } from 'vitest'
import { sobolBits, sobolDimensions } from '../../src/tune/sobol.ts'
import { type Space, type TrialRecord, tune } from '../../src/tune/tune.ts'
import { caught } from '../caught.ts'
import { beaten } from './beaten.ts'
import { branin, hartmann } from './functions.ts'

test.each([
  ['Branin', branin],
  ['Hartmann-6', hartmann],
] as const)('on %s TPE beats Sobol points over 30 seeds', async (name, { space, value }) => {
  const { wins, n, p, medians } = await beaten(space, value, 50, 30)
  console.log(
    `${name}: TPE better in ${wins} of ${n}, sign test p = ${p.toExponential(1)}, medians ${medians}`,
  )
  expect(p).toBeLessThan(1e-4)
})

test("Sobol' points are those of SciPy 1.17 (unscrambled), and even in each dimension", () => {
  // Point 777 of 20 dimensions, as scipy.stats.qmc.Sobol(20, scramble=False) has it in Gray's order.
  const expected = [
    579, 193, 913, 183, 277, 131, 821, 227, 707, 873, 425, 439, 1019, 303, 201, 525, 703, 839, 649, 257,
  ]
  expect(expected.map((_, d) => sobolBits(777, d) / 2 ** 22)).toEqual(expected)
  for (let d = 0; d < sobolDimensions; d++) {
    const cells = new Set(Array.from({ length: 256 }, (_, n) => sobolBits(n, d) >>> 24))
    expect(cells.size).toBe(256)
  }
})

const tree = {
  optimizer: { choice: ['sgd', 'adam'] },
  momentum: { float: [0, 0.9], step: 0.3, when: { optimizer: 'sgd' } },
  layers: { int: [1, 2] },
  width2: { int: [4, 6], when: { layers: 2, optimizer: ['adam'] } },
} as const

test('a grid has every combination once, without parameters that are left out', async () => {
  const { trials } = await tune(tree, () => 0, { sampler: 'grid' })
  // sgd: 4 momenta × 2; adam: one layer, or two with 3 widths.
  expect(new Set(trials.map(({ parameters }) => JSON.stringify(parameters))).size).toBe(12)
  expect(trials).toHaveLength(12)
  const ends = await tune({ x: { float: [1e-3, 10], log: true } }, () => 0, { sampler: { kind: 'grid' } })
  expect(ends.trials.map(({ parameters: { x } }) => Number(x.toPrecision(9)))).toEqual([
    0.001, 0.01, 0.1, 1, 10,
  ])
})

test.each(['random', 'tpe'] as const)(
  '%s: conditional parameters are there when their condition holds',
  async sampler => {
    const { trials } = await tune(
      tree,
      ({ parameters: { optimizer, momentum, width2 } }) =>
        optimizer === 'sgd' ? 1 + (momentum as number) : 2 + (width2 ?? 5) / 10,
      { sampler, trials: 40, seed: 2 },
    )
    for (const { parameters } of trials) {
      expect('momentum' in parameters).toBe(parameters.optimizer === 'sgd')
      expect('width2' in parameters).toBe(parameters.optimizer === 'adam' && parameters.layers === 2)
    }
    const late = trials.slice(20).filter(({ parameters }) => parameters.momentum === 0).length
    // Even points have 1 in 8.
    if (sampler === 'tpe') expect(late).toBeGreaterThan(10)
  },
)

test('values lie in their ranges, and each of a few is tried', async () => {
  const space = {
    a: { float: [-1, 1] },
    b: { float: [1e-5, 1], log: true },
    c: { int: [1, 4], log: true },
    d: { int: [0, 10], step: 5 },
    e: { choice: [null, true, 'x', 3] },
  } as const
  const { trials } = await tune(space, ({ parameters: { b } }) => b, { trials: 64, seed: 1 })
  const of = <K extends keyof typeof space>(name: K) => trials.map(({ parameters }) => parameters[name])
  expect(of('a').every(a => a >= -1 && a <= 1)).toBe(true)
  expect(of('b').every(b => b >= 1e-5 && b <= 1)).toBe(true)
  expect([...new Set(of('c'))].sort()).toEqual([1, 2, 3, 4])
  expect(new Set(of('d'))).toEqual(new Set([0, 5, 10]))
  expect(new Set(of('e'))).toEqual(new Set([null, true, 'x', 3]))
})

const wrong: [unknown, string][] = [
  [{}, 'tune: space must be { name: parameter }, got {}'],
  [
    { x: { flaot: [0, 1] } },
    'tune: space.x must have one of float, int or choice, got { flaot }; write { float: [low, high] }',
  ],
  [{ x: { float: [1, 1] } }, 'tune: space.x: low must be less than high, got [1, 1]; swap or widen them'],
  [{ x: { float: [0, 1], log: true } }, 'tune: space.x: low must be greater than 0 for log, got 0; raise it'],
  [{ x: { float: [0, 1], lgo: true } }, 'tune: space.x: unknown option "lgo"; did you mean "log"?'],
  [{ x: { int: [0.5, 3] } }, 'tune: space.x: bounds must be integers, got [0.5, 3]; use float'],
  [{ x: { float: [0, Number.NaN] } }, 'tune: space.x: high must be a finite number, got NaN'],
  [{ x: { float: 1 } }, 'tune: space.x: float must be [low, high], got 1; write float: [1, 8]'],
  [{ x: { choice: [] } }, 'tune: space.x: choice must be a list of values, got []'],
  [{ x: { choice: [1, 1] } }, 'tune: space.x: choice must have different values, got 1 twice'],
  [
    { x: { choice: [[1]] } },
    'tune: space.x: choice must hold texts, finite numbers, true, false or null, got [1]; name it by a text',
  ],
  [{ x: { float: [0, 1], step: 2 } }, 'tune: space.x: step must be in (0, high − low], got 2; lower it'],
  [
    { kind: { choice: ['a'] }, x: { int: [1, 2], when: { knid: 'a' } } },
    'tune: space.x: when must name parameters declared before it, got "knid"; did you mean "kind"?',
  ],
  [
    { kind: { choice: ['a'] }, x: { int: [1, 2], when: { kind: 'b' } } },
    'tune: space.x: when.kind must be a value of "kind", got "b"; correct it',
  ],
  [
    { r: { float: [0, 1] }, x: { int: [1, 2], when: { r: 0.5 } } },
    'tune: space.x: when.r must be a value of "r", got 0.5; only int, choice and stepped float can be asked for',
  ],
]

test.each(wrong)('a wrong space %j is refused', async (space, message) => {
  expect(await caught(() => tune(space as Space, () => 0))).toContain(`Error: ${message}`)
})

test.each([
  [{ trails: 3 }, 'tune: unknown option "trails"; did you mean "trials"?'],
  [{ parallel: 5 }, 'tune: parallel must be at most lag (4), got 5; set lag to 5 or more'],
  [
    { sampler: 'tpr' },
    'tune: sampler must be one of "grid", "random", "tpe", got "tpr"; did you mean "tpe"?',
  ],
  [
    { pruner: 'hyperband' },
    "tune: pruner hyperband: maxEpochs must be given, got undefined; write { kind: 'hyperband', maxEpochs: 27 }",
  ],
  [{ sampler: { kind: 'tpe', good: 1 } }, 'tune: sampler tpe: good must be in (0, 1), got 1'],
  [{ direction: 'up' }, 'tune: direction must be one of "minimize", "maximize", got "up"'],
  [{ study: 3 }, "tune: study must be a path, got 3; write 'study.jsonl'"],
])('wrong options %j are refused', async (options, message) => {
  expect(await caught(() => tune({ x: { float: [0, 1] } }, () => 0, options as never))).toContain(
    `Error: ${message}`,
  )
})

test('failed trials are recorded and stay away from the best', async () => {
  const objective = ({ number }: { number: number }) => {
    if (number === 1) throw new TypeError('no such layer')
    return number === 2 ? Number.NaN : number
  }
  const study = await tune({ x: { float: [0, 1] } }, objective, {
    trials: 12,
    direction: 'maximize',
    seed: 1,
  })
  const errors = study.trials.map(({ error }: TrialRecord<unknown>) => error)
  expect(errors.slice(0, 4)).toEqual([
    undefined,
    'TypeError: no such layer',
    'RangeError: objective: value must be a finite number, got NaN',
    undefined,
  ])
  expect(study.best?.number).toBe(11)
})
