import { expect, test } from 'vitest'
import {
  checkOptions,
  finiteNumber,
  inRange,
  nearest,
  nonNegativeInteger,
  oneOf,
  positiveInteger,
  show,
  withDefaults,
} from '../src/errors.ts'
import { caught } from './caught.ts'

test.each([
  [5, '5'],
  ['relu', '"relu"'],
  ['x'.repeat(80), `"${'x'.repeat(57)}..."`],
  [null, 'null'],
  [undefined, 'undefined'],
  [3n, '3n'],
  [[1000, 28, 28], '[1000, 28, 28]'],
  [[[1], [2]], '[[1 items], [1 items]]'],
  [Array(20).fill(0), '[0, 0, 0, 0, 0, 0, 0, 0, ... 20 items]'],
  [new Float32Array(5), 'Float32Array(5)'],
  [{}, '{}'],
  [{ units: 1, bias: 2 }, '{ units, bias }'],
  [new Map(), 'Map'],
  [Object.create(null), '{}'],
  [Math.max, 'function max'],
])('show %#', (value, shown) => {
  expect(show(value)).toBe(shown)
})

test.each([
  ['unit', ['units', 'activation'], 'units'],
  ['glorot_uniform', ['glorotNormal', 'glorotUniform'], 'glorotUniform'],
  ['RELU', ['relu', 'elu'], 'relu'],
  ['uints', ['units', 'inputs'], 'units'],
  ['kernel', ['units', 'activation'], undefined],
  ['x', ['l1'], undefined],
])('nearest to %s', (name, candidates, found) => {
  expect(nearest(name, candidates)).toBe(found)
})

const failures: [run: () => unknown, kind: ErrorConstructor, text: string][] = [
  [
    () => checkOptions('Dense', { unit: 1 }, ['units']),
    TypeError,
    'Dense: unknown option "unit"; did you mean "units"?',
  ],
  [
    () => checkOptions('Dense', { foo: 1 }, ['units', 'name']),
    TypeError,
    'Dense: unknown option "foo"; known are units, name',
  ],
  [() => checkOptions('Dense', 7, []), TypeError, 'Dense: options must be an object, got 7'],
  [() => checkOptions('Dense', [7], []), TypeError, 'Dense: options must be an object, got [7]'],
  [() => positiveInteger('Dense', 'units', 0), RangeError, 'Dense: units must be a positive integer, got 0'],
  [
    () => positiveInteger('Dense', 'units', 1.5),
    RangeError,
    'Dense: units must be a positive integer, got 1.5',
  ],
  [
    () => positiveInteger('Dense', 'units', '3'),
    TypeError,
    'Dense: units must be a positive integer, got "3"',
  ],
  [
    () => nonNegativeInteger('fit', 'epoch', -1),
    RangeError,
    'fit: epoch must be a non-negative integer, got -1',
  ],
  [() => finiteNumber('sgd', 'rate', Number.NaN), RangeError, 'sgd: rate must be a finite number, got NaN'],
  [() => inRange('Dropout', 'rate', 1, '[0, 1)'), RangeError, 'Dropout: rate must be in [0, 1), got 1'],
  [
    () => inRange('Dropout', 'rate', Number.NaN, '[0, 1)'),
    RangeError,
    'Dropout: rate must be in [0, 1), got NaN',
  ],
  [() => inRange('sgd', 'rate', 0, '(0, Infinity)'), RangeError, 'sgd: rate must be a number > 0, got 0'],
  [
    () => inRange('sgd', 'rate', true, '[0, Infinity)'),
    TypeError,
    'sgd: rate must be a number >= 0, got true',
  ],
  [
    () => inRange('sgd', 'rate', Infinity, '[0, Infinity]'),
    RangeError,
    'sgd: rate must be a number >= 0, got Infinity',
  ],
  [
    () => oneOf('Conv', 'padding', 'sane', ['same', 'valid']),
    RangeError,
    'Conv: padding must be one of "same", "valid", got "sane"; did you mean "same"?',
  ],
  [
    () => oneOf('Conv', 'padding', 1, ['same', 'valid']),
    TypeError,
    'Conv: padding must be one of "same", "valid", got 1',
  ],
]

test.each(failures)('message %#', async (run, kind, text) => {
  expect(await caught(run)).toBe(`${kind.name}: ${text}`)
})

test('what holds passes and comes back', () => {
  expect(inRange('a', 'b', 0, '[0, 1)')).toBe(0)
  expect(inRange('a', 'b', 1, '(0, 1]')).toBe(1)
  expect(positiveInteger('a', 'b', 1)).toBe(1)
  expect(checkOptions('a', undefined, [])).toBeUndefined()
  expect(withDefaults('a', { x: 1, y: 2 }, { y: 3, x: undefined } as object)).toEqual({ x: 1, y: 3 })
})
