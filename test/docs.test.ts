import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pages } from '../docs/generate.ts'

const written = pages()

test.each(Object.keys(written))(
  'docs/%s says what the source says: node docs/generate.ts writes it',
  name => {
    expect(readFileSync(new URL(`../docs/${name}`, import.meta.url), 'utf8')).toBe(written[name])
  },
)

test.each(Object.entries(written))('in docs/%s every entry has a comment', (_, text) => {
  const bare = text.split('\n').filter(line => /^\| `[^`]+` \|\s*\|$/.test(line) || line.startsWith(' Class'))
  expect(bare).toEqual([])
})
