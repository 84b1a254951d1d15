import { expect, test } from 'vitest'
import { getSchedule, schedules } from '../src/training/schedules.ts'
import { caught } from './caught.ts'

const base = { initialLearningRate: 0.5, decaySteps: 10 }
const { PI } = Math

// Keras' formulas, written with Math, next to a few steps at which branches change.
const cases: [
  name: string,
  schedule: { at(step: number): number; config: object },
  reference: (t: number) => number,
][] = [
  ['constant', schedules.constant(0.1), () => 0.1],
  ['exponential', schedules.exponential({ ...base, decayRate: 0.9 }), t => 0.5 * 0.9 ** (t / 10)],
  [
    'exponential in stairs',
    schedules.exponential({ ...base, decayRate: 0.9, staircase: true }),
    t => 0.5 * 0.9 ** Math.floor(t / 10),
  ],
  ['inverseTime', schedules.inverseTime({ ...base, decayRate: 2 }), t => 0.5 / (1 + (2 * t) / 10)],
  [
    'inverseTime in stairs',
    schedules.inverseTime({ ...base, decayRate: 2, staircase: true }),
    t => 0.5 / (1 + 2 * Math.floor(t / 10)),
  ],
  ['step', schedules.step({ initialLearningRate: 0.5, stepSize: 4 }), t => 0.5 * 0.1 ** Math.floor(t / 4)],
  [
    'piecewiseConstant',
    schedules.piecewiseConstant({ boundaries: [9, 20], values: [3, 2, 1] }),
    t => (t <= 9 ? 3 : t <= 20 ? 2 : 1),
  ],
  ['polynomial', schedules.polynomial(base), t => 0.4999 * (1 - Math.min(t, 10) / 10) + 1e-4],
  [
    'polynomial with a cycle',
    schedules.polynomial({ ...base, endLearningRate: 0.1, power: 2.5, cycle: true }),
    t => 0.4 * (1 - t / (10 * Math.max(1, Math.ceil(t / 10)))) ** 2.5 + 0.1,
  ],
  [
    'cosine',
    schedules.cosine({ ...base, alpha: 0.2 }),
    t => 0.5 * (0.8 * 0.5 * (1 + Math.cos((PI * Math.min(t, 10)) / 10)) + 0.2),
  ],
  [
    'cosine after a warm-up',
    schedules.cosine({ ...base, warmupTarget: 2, warmupSteps: 5 }),
    t => (t < 5 ? 0.5 + (1.5 * t) / 5 : 1 + Math.cos((PI * Math.min(t - 5, 10)) / 10)),
  ],
  [
    'cosineRestarts',
    schedules.cosineRestarts({ initialLearningRate: 1, firstDecaySteps: 10, mMul: 0.5, alpha: 0.1 }),
    t => {
      const i = Math.floor(Math.log(1 + t / 10 + 1e-12) / Math.log(2))
      const fraction = (t / 10 - (2 ** i - 1)) / 2 ** i
      return 0.9 * 0.5 * 0.5 ** i * (1 + Math.cos(PI * fraction)) + 0.1
    },
  ],
  [
    'cosineRestarts of one length',
    schedules.cosineRestarts({ initialLearningRate: 1, firstDecaySteps: 10, tMul: 1 }),
    t => 0.5 * (1 + Math.cos((PI * (t % 10)) / 10)),
  ],
]

test.each(cases)('%s', (_, schedule, reference) => {
  for (const t of [0, 1, 3, 4, 5, 9, 10, 11, 14, 15, 20, 21, 29, 30, 31, 70, 1000]) {
    expect(schedule.at(t)).toBeCloseTo(reference(t), 12)
  }
})

test('the ends are met exactly', () => {
  expect(schedules.cosine({ ...base, alpha: 0.25 }).at(10)).toBe(0.125)
  expect(schedules.cosine(base).at(0)).toBe(0.5)
  expect(schedules.polynomial(base).at(10)).toBe(1e-4)
})

test('a saved schedule comes back', () => {
  for (const [, schedule] of cases) {
    const { name, config } = JSON.parse(JSON.stringify(schedule))
    const again = getSchedule({ name, config })
    expect(again.config).toEqual(schedule.config)
    expect(again.at(17)).toBe(schedule.at(17))
  }
  expect(getSchedule(0.3).at(5)).toBe(0.3)
})

test.each([
  [() => schedules.constant(-1), 'RangeError: Constant: rate must be a number >= 0, got -1'],
  [
    () => schedules.exponential({ ...base } as never),
    'TypeError: ExponentialDecay: decayRate must be a number >= 0, got undefined',
  ],
  [
    () => schedules.exponential(undefined as never),
    'TypeError: ExponentialDecay: initialLearningRate must be a number >= 0, got undefined',
  ],
  [
    () => schedules.step({ ...base, stepSize: 3 } as never),
    'TypeError: StepDecay: unknown option "decaySteps"; known are initialLearningRate, stepSize, factor',
  ],
  [
    () => schedules.inverseTime({ ...base, decaySteps: 0, decayRate: 1 }),
    'RangeError: InverseTimeDecay: decaySteps must be a positive integer, got 0',
  ],
  [
    () => schedules.piecewiseConstant({ boundaries: [1], values: [1] }),
    'RangeError: PiecewiseConstantDecay: values must have 2 elements, got 1',
  ],
  [
    () => schedules.piecewiseConstant({ boundaries: [2, 1], values: [1, 1, 1] }),
    'RangeError: PiecewiseConstantDecay: boundaries must increase, got [2, 1]',
  ],
  [
    () => schedules.piecewiseConstant({} as never),
    'TypeError: PiecewiseConstantDecay: boundaries must be an array of numbers, got undefined',
  ],
  [
    () => schedules.cosine({ ...base, warmupSteps: 5 }),
    'TypeError: CosineDecay: warmupTarget must be given with warmupSteps, got null',
  ],
  [() => schedules.cosine({ ...base, alpha: 2 }), 'RangeError: CosineDecay: alpha must be in [0, 1], got 2'],
  [
    () => schedules.cosineRestarts({ initialLearningRate: 1, firstDecaySteps: 5, tMul: 0.5 }),
    'RangeError: CosineDecayRestarts: tMul must be a number >= 1, got 0.5',
  ],
  [
    () => getSchedule({ name: 'CosineDecai', config: {} }),
    'RangeError: getSchedule: unknown schedule "CosineDecai"; did you mean "CosineDecay"?',
  ],
  [
    () => getSchedule('cosine' as never),
    'TypeError: getSchedule: a schedule must be a number or a schedule, got "cosine"',
  ],
])('message %#', async (run, text) => {
  expect(await caught(run)).toBe(text)
})
