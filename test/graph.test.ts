import { expect, test } from 'vitest'
import { Graph } from '../src/graph/graph.ts'
import { once, write } from '../src/graph/value.ts'

test('a call with two scratches, which would share their memory, is refused', () => {
  const g = new Graph({ training: false, leaves: 1, rows: 1 })
  const [a, b] = [g.scratch(64), g.scratch(64)]
  const arrays = [a, a, 0, 0, 0, 0, 0, 0, write(a)] as const
  const sizes = [1, 1, 0, 0, 0, 0] as const
  expect(() => g.call('lstm', once, ...arrays, write(b), ...sizes)).toThrow(
    'lstm: a call must have one scratch, got several, which share their memory; join them',
  )
  expect(() => g.call('lstm', once, ...arrays, write(a), ...sizes)).not.toThrow()
})
