import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asShown, compared, craft, craftFolder, pageOf, ran, shownIn, timeless } from '../docs/commands.ts'
import { Engine } from '../src/runtime/engine.ts'
import { commandBed } from './commandBed.ts'

const { program, refused } = commandBed('craft')
const all = craft.flatMap(name => shownIn(pageOf(name)))
const isExact = new Engine().module.numerics === 'fused'
let folder = ''
beforeAll(() => {
  folder = craftFolder(dirname(dirname(dirname(program()))))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Those that take a few seconds; `npm run campaign -- docs` runs all. */
const quick = all.filter(({ line }) => /^node average|lockstep lr|constant$|tumours$/.test(line))

describe('commands of the pages about the craft', { timeout: 150_000 }, () => {
  test.each(quick)('$line prints what is shown', async shown => {
    const { lines } = await ran(shown.line, folder)
    expect(compared(asShown(shown, lines), isExact)).toEqual(compared(shown.prints, isExact))
  })

  test.each(all.filter(({ line }) => line.startsWith('lockstep')))(
    '$line is a command line: nothing is wrong with it but that there is no data',
    ({ line }) => {
      const stderr = refused(1, ...line.split(' ').slice(1))
      expect(stderr).toMatch(/^lockstep: ENOENT: no such file or directory, .*(csv|ubyte)'\n$/)
    },
  )
})

test('what is left out of a page may be anything; all else must be there', () => {
  const shown = { line: 'x', prints: ['a 1', '…', 'c 2', '…', 'e 3'] }
  expect(asShown(shown, ['a 4', 'b', 'c 5', 'd', 'e 6'])).toEqual(['a 4', '…', 'c 5', '…', 'e 6'])
  expect(() => asShown(shown, ['a 4', 'b', 'd 5', 'd', 'e 6'])).toThrow('docs: x must print c 2, got')
  expect(() => asShown({ line: 'x', prints: ['a'] }, ['a', 'b'])).toThrow('docs: x must print a, got')
  const table = ['trial  seconds  rate', '    1      2.5   0.1', 'best 1  (rate 0.1)']
  expect(timeless(table)).toEqual(['trial  seconds  rate', '    1   0.1', 'best 1  (rate 0.1)'])
})
