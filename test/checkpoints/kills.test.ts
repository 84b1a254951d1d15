import { expect, test } from 'vitest'
import { withFolder } from './folder.ts'
import { killInARow } from './killing.ts'

test('a training that is killed twenty times, a third of them inside a save, ends each time as if nothing had been', async () => {
  const { killed, inSaves, steps, different } = await withFolder(folder => killInARow(20, 1, folder))
  expect(different).toEqual([])
  expect(killed).toBe(20)
  // If every kill came before the first checkpoint, or outside of saves, this would prove little.
  expect(inSaves).toBeGreaterThan(3)
  expect(new Set(steps).size).toBeGreaterThan(10)
}, 240_000)
