import { expect, test } from 'vitest'
import { leftBehind } from './cycling.ts'

test('500 models that are made, trained and disposed of leave nothing behind', async () => {
  const cycles = { engines: 'shared', warm: 250, count: 500, heap: 4e6, rss: 100e6 } as const
  expect(await leftBehind(cycles)).toEqual([])
}, 400_000)

test('nor do engines that are closed', async () => {
  const cycles = { engines: 'own', warm: 5, count: 12, heap: 4e6, rss: 60e6 } as const
  expect(await leftBehind(cycles)).toEqual([])
}, 400_000)
