import * as tf from '@tensorflow/tfjs'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Example, LayerName } from './cases/example.ts'
import { cases } from './cases.ts'
import { type Exception, exceptions } from './reference/parityExceptions.ts'
import { type Differences, differencesOf, type Part, parts } from './reference/theirs.ts'

beforeAll(() => tf.setBackend('cpu'))

const limits: Record<Part, number> = { inference: 1e-5, training: 1e-5, gradients: 1e-4 }
const isClose = (part: Part, difference: number | string) =>
  typeof difference === 'number' && difference <= limits[part]

const known = cases.filter(([name]) => name in tf.layers)
/** Exceptions with the parts in which some case bore them out. */
const borneOut = new Map<Exception, Set<Part>>(exceptions.map(exception => [exception, new Set()]))

const exceptionsOf = (name: LayerName, example: Example) =>
  exceptions.filter(({ layers, when }) => layers.includes(name) && (when?.(example.options, example) ?? true))

function check(name: LayerName, example: Example, found: Differences): string[] {
  const own = exceptionsOf(name, example)
  const wrong = parts.filter(part => !isClose(part, found[part]))
  for (const exception of own) for (const part of wrong) borneOut.get(exception)!.add(part)
  const excepted = new Set(own.flatMap(each => each.parts))
  return wrong.filter(part => !excepted.has(part)).map(part => `${example.title}: ${part}: ${found[part]}`)
}

describe('the same weights and data give what TensorFlow.js computes', () => {
  test.each(known)(
    '%s',
    (name, list) => {
      const wrong = list.flatMap(example => check(name, example, differencesOf(name, example)))
      expect(wrong).toEqual([])
    },
    120_000,
  )
})

test('TensorFlow.js still cannot do what is excepted', () => {
  const count = known.reduce((sum, [, list]) => sum + list.length, 0)
  const excepted = known.flatMap(([name, list]) =>
    list.filter(each => exceptionsOf(name, each).length > 0),
  ).length
  console.log(`${count} cases of ${known.length} layers, with exceptions for ${excepted}`)
  const idle = exceptions.flatMap(exception => {
    const able = exception.parts.filter(part => !borneOut.get(exception)!.has(part))
    return able.map(part => `${exception.layers.join(', ')}: ${exception.why}: ${part}`)
  })
  expect(idle).toEqual([])
})
