import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { randomNumbers } from '../src/data/random.ts'
import { CalibrationError, temperatureOf, tempered, thresholdOf } from '../src/tables/calibration.ts'
import { makeClassification } from '../src/training/generatedClasses.ts'
import { commandBed } from './commandBed.ts'

const { folder, done, refused } = commandBed('calibration')
const quick = ['--workers', '1']

/** Probabilities p of class 1, and classes that come true as often as softmax(log p / temperature) says. */
function drawn(rows: number, temperature: number) {
  const draw = randomNumbers(3)
  const outputs = Float64Array.from({ length: 2 * rows })
  for (let i = 0; i < rows; i++) {
    outputs[2 * i + 1] = 0.02 + 0.96 * draw()
    outputs[2 * i] = 1 - outputs[2 * i + 1]!
  }
  const p = tempered(outputs, 2, temperature)
  return { outputs, truth: Float64Array.from({ length: rows }, (_, i) => (draw() < p[2 * i + 1]! ? 1 : 0)) }
}

test('tempered: softmax(log p / temperature), stable at the ends', () => {
  expect(tempered([0.5, 0.3, 0.2], 3, 1)).toEqual([0.5, 0.3, 0.2])
  const [a, b] = Array.from(tempered([0.9, 0.1], 2, 2))
  expect(a! / b!).toBeCloseTo(3, 12)
  expect(a! + b!).toBeCloseTo(1, 14)
  expect(Array.from(tempered([1, 0, 0, 1], 2, 0.05))).toEqual([1, 0, 0, 1])
})

test('the temperature is found from what came true; few rows hardly change it', () => {
  for (const temperature of [0.5, 1, 2.5]) {
    const { outputs, truth } = drawn(20_000, temperature)
    expect(Math.abs(temperatureOf(outputs, truth, 2) / temperature - 1)).toBeLessThan(0.08)
  }
  const certain = { outputs: [0.9, 0.1, 0.1, 0.9, 0.8, 0.2], truth: [0, 1, 0] }
  const few = temperatureOf(certain.outputs, certain.truth, 2)
  expect(few).toBeGreaterThan(0.4)
  expect(few).toBeLessThan(1)
})

test('the calibration error, by hand', () => {
  const error = new CalibrationError()
  for (const [confidence, isHit] of [
    [0.9, true],
    [0.9, false],
    [0.5, true],
    [1, true],
  ] as const)
    error.take(confidence, isHit)
  // Bins of 1/15: 0.9 and 0.9 (0.8 of one hit too much), 0.5 (half a hit too few), 1 (right).
  expect(error.value).toBeCloseTo((0.8 + 0.5 + 0) / 4, 12)
})

test('the threshold that brings most', () => {
  const p = (values: number[]) => values.flatMap(value => [1 - value, value])
  const outputs = p([0.1, 0.2, 0.3, 0.4, 0.45, 0.2])
  expect(thresholdOf(outputs, [0, 0, 0, 1, 1, 0], 'balanced')).toBeCloseTo(0.35, 12)
  expect(thresholdOf(outputs, [0, 0, 0, 1, 1, 0], 'f1')).toBeCloseTo(0.35, 12)
  // One in the middle of many: F would lose by taking all that are above it, the mean of recalls would not.
  const many = p([0.9, 0.5, 0.4, 0.41, 0.42, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
  const truth = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
  truth[2] = 1
  expect(thresholdOf(many, truth, 'balanced')).toBeCloseTo(0.25, 12)
  expect(thresholdOf(many, truth, 'f1')).toBeCloseTo(0.7, 12)
})

test('probabilities of a network that is too sure of itself are calibrated; thresholds of two classes', {
  timeout: 150_000,
}, () => {
  const { x, y } = makeClassification({
    nSamples: 900,
    nFeatures: 8,
    flipY: 0.3,
    weights: [0.8, 0.2],
    seed: 2,
  })
  const rows = (x.arraySync() as number[][]).map((row, i) => [...row, y.values[i] ? 'yes' : 'no'].join())
  const names = [...Array.from({ length: 8 }, (_, i) => `x${i}`), 'answer'].join()
  writeFileSync(join(folder, 'answers.csv'), [names, ...rows.slice(0, 500)].join('\n'))
  writeFileSync(join(folder, 'new.csv'), [names, ...rows.slice(500)].join('\n'))
  const network = ['--hidden', '64,64', '--dropout', '0', '--l2', '0', '--epochs', '60', '--patience', '60']
  const args = ['train', 'answers.csv', '--target', 'answer', ...network, ...quick]
  const result = JSON.parse(done(...args, '--learning-rate', '0.01', '--threshold', 'f1', '--json'))
  const { target } = JSON.parse(readFileSync(join(folder, 'answers.model/preprocessing.json'), 'utf8'))
  expect(target.temperature).toBeGreaterThan(0)
  expect(target.threshold).toBeLessThan(0.5)
  const scores = JSON.parse(done('evaluate', 'answers.model', 'new.csv', '--json', ...quick))
  expect(scores.calibrationError).not.toBe(scores.uncalibratedError)
  expect(result.scores.model.classes[1].recall).toBeGreaterThan(0)
  expect(done('evaluate', 'answers.model', 'new.csv', ...quick)).toMatch(
    /calibration error \d+.\d\d %, before calibration \d+.\d\d %\n/,
  )
  const recallAt = (threshold: string) =>
    JSON.parse(done('evaluate', 'answers.model', 'new.csv', '--threshold', threshold, '--json', ...quick))
      .classes[1].recall
  expect(recallAt('0')).toBe(1)
  expect(recallAt('0.9')).toBeLessThan(recallAt('0.2'))
  const lines = done('predict', 'answers.model', 'new.csv', '--threshold', '0.3', ...quick)
    .trim()
    .split('\n')
    .slice(1)
  for (const line of lines) {
    const [answer, no, yes] = line.split(',')
    expect(Number(no) + Number(yes)).toBeCloseTo(1, 12)
    expect(answer).toBe(Number(yes) >= 0.3 ? 'yes' : 'no')
  }
  expect(refused(1, 'train', 'answers.csv', '--target', 'x0', '--threshold', '0.5', '--out', 'no')).toMatch(
    'train: threshold must be given for two classes, got regression; leave it out',
  )
  expect(refused(1, ...args, '--threshold', 'f2', '--out', 'no2')).toMatch(
    'threshold must be one of "balanced", "f1", got "f2"',
  )
  expect(refused(1, 'predict', 'answers.model', 'new.csv', '--threshold', '2')).toMatch(
    'predict: threshold must be in [0, 1], got 2',
  )
})
