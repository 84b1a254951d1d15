import { expect, test } from 'vitest'
import { runFaults } from './faults.ts'

test('faults in files: whichever operation fails, and how, the old or the new checkpoint is there', {
  timeout: 120_000,
}, async () => {
  const { cells, operations, table, failures } = await runFaults({
    keep: 2,
    before: [1, 3, 4],
    steps: [6, 7],
  })
  console.log(
    `${table.join('\n')}\n${cells} faults in ${operations.length} operations on files, ${failures.length} failed`,
  )
  expect(failures).toEqual([])
  expect(cells).toBeGreaterThanOrEqual(500)
  // Start-up, reading, saving, pruning and the end are all among them.
  const kinds = new Set(operations)
  for (const kind of [
    'unlink lock',
    'unlink temporary',
    'unlink checkpoint',
    'rename temporary',
    'sync temporary',
    'sync folder',
    'read checkpoint',
  ])
    expect(kinds).toContain(kind)
})
