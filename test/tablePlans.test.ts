import { expect, test } from 'vitest'
import {
  buildNetwork,
  checkPlan,
  choosePlan,
  monitorOf,
  type Plan,
  stoppingOf,
} from '../src/tables/networks.ts'

const rows = 640
const plan = choosePlan({ rows, classes: undefined, shape: [8] })
const networkOf = (changes: Partial<Plan>, classes?: number) =>
  buildNetwork({ ...plan, ...changes }, { shape: [5], classes, rows }, 1)
const layersOf = (changes: Partial<Plan>) =>
  networkOf(changes).layers.map(layer => layer.name.replace(/_.*/, ''))

test('a plan says which layers there are', () => {
  expect(layersOf({})).toEqual(['dense', 'dropout', 'dense', 'dropout', 'dense'])
  expect(layersOf({ noise: 0.1, dropout: 0 })).toEqual(['gaussian', 'dense', 'dense', 'dense'])
  expect(layersOf({ noise: 0.1, hidden: [] })).toEqual(['gaussian', 'dense'])
  expect(networkOf({ hidden: [] }, 3).outputShape).toEqual([null, 3])
})

test('a plan says how the weights are updated', () => {
  const { optimizer } = networkOf({
    optimizer: 'momentum',
    schedule: 'constant',
    learningRate: 0.5,
    weightDecay: 0.01,
  })
  expect([optimizer.className, optimizer.learningRate]).toEqual(['Momentum', 0.5])
  expect(optimizer.upkeep.decayOf('dense/kernel')).toBe(0.01)
  // 20 steps an epoch: 20 of 400 warm up.
  const cosine = networkOf({ schedule: 'cosine', epochs: 20, learningRate: 0.1 }).optimizer
  expect([0, 10, 20, 210, 400].map(step => Number(cosine.rateAt(step).toFixed(6)))).toEqual([
    0.01, 0.055, 0.1, 0.05, 0,
  ])
  expect(stoppingOf({ ...plan, schedule: 'plateau' }, 'val_loss').callbacks).toHaveLength(2)
  expect(stoppingOf(plan, 'val_loss').callbacks).toHaveLength(1)
})

test('size and kind of the data decide', () => {
  const chosen = (count: number, inputs: number, classes?: number) => {
    const { hidden, l2, epochs, patience } = choosePlan({ rows: count, classes, shape: [inputs] })
    return { hidden, l2, epochs, patience }
  }
  expect(chosen(398, 30, 2)).toEqual({ hidden: [128, 64], l2: 0.0038, epochs: 60, patience: 60 })
  const classes = { rows: 398, classes: 2, shape: [30] }
  expect(choosePlan(classes, { epochs: 300 }).patience).toBe(300)
  expect(choosePlan(classes, { schedule: 'constant' }).patience).toBe(30)
  expect(chosen(278, 9)).toEqual({ hidden: [128, 64], l2: 0.0054, epochs: 60, patience: 30 })
  expect(chosen(1022, 11, 5)).toEqual({ hidden: [256, 128], l2: 0.0015, epochs: 80, patience: 80 })
  expect(chosen(4150, 4096, 2)).toEqual({ hidden: [64, 32], l2: 0.00036, epochs: 80, patience: 80 })
  expect(chosen(40_600, 9, 7)).toEqual({ hidden: [256, 128], l2: 1e-5, epochs: 40, patience: 15 })
  expect(chosen(2_100_000, 10)).toEqual({ hidden: [128, 64], l2: 1e-5, epochs: 20, patience: 3 })
})

test('accuracy decides where it is fine enough', () => {
  const cases = [
    { rows: 9999, classes: 3 },
    { rows: 10_000, classes: undefined },
    { rows: 10_000, classes: 3 },
  ]
  expect(cases.map(monitorOf)).toEqual(['val_loss', 'val_loss', 'val_acc'])
})

test('a wrong plan is refused', () => {
  expect(() => checkPlan({ ...plan, noise: -1 })).toThrow('train: noise must be a number >= 0, got -1')
  expect(() => checkPlan({ ...plan, schedule: 'cosin' as 'cosine' })).toThrow(/did you mean "cosine"\?/)
  expect(() => checkPlan({ ...plan, optimizer: 'sgd' as 'adam' })).toThrow(/optimizer must be one of "adam"/)
})
