import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const filesOf = (folder: string): string[] => {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => join(folder, name))
}

/** What each folder of src may import besides itself and src/errors.ts; `types` only as types. */
const allowed: Record<string, { values?: string[]; types?: string[] }> = {
  graph: { types: ['runtime'] },
  ops: { values: ['graph'] },
  layers: { values: ['graph', 'ops', 'training', 'data'] },
  training: { values: ['graph', 'ops', 'data'] },
  plan: { types: ['graph'] },
  runtime: { values: ['plan'], types: ['plan'] },
  data: {},
  formats: { values: ['data'] },
  checkpoints: { values: ['formats', 'data'] },
  tune: { values: ['training', 'data', 'formats', 'checkpoints'] },
  tfjs: { values: ['graph', 'layers', 'training', 'data', 'model'] },
  report: { values: ['data', 'formats'], types: ['model', 'training', 'tune'] },
  tables: { values: ['data', 'formats', 'layers', 'training', 'model', 'report', 'tune'] },
  command: {
    values: [
      'data',
      'formats',
      'checkpoints',
      'layers',
      'training',
      'runtime',
      'model',
      'tables',
      'report',
      'tune',
    ],
  },
  model: {
    values: ['graph', 'ops', 'layers', 'training', 'plan', 'runtime', 'data', 'formats', 'checkpoints'],
  },
}

const importPattern = /^(?:import|export) (type )?[^'"]*?from '(\.[^']+)'/gms

test('folders only import what the design allows', () => {
  const wrong: string[] = []
  for (const file of filesOf('src')) {
    const folder = file.split('/')[1]!
    const rules = allowed[folder]
    if (!rules) continue
    for (const [, type, path] of readFileSync(join(root, file), 'utf8').matchAll(importPattern)) {
      const target = relative(join(root, 'src'), resolve(root, dirname(file), path!)).split('/')
      if (target.length === 1 || target[0] === folder || target[0] === '..') continue
      const permitted = [...(rules.values ?? []), ...(type ? (rules.types ?? []) : [])]
      if (!permitted.includes(target[0]!)) wrong.push(`${file} → ${path}`)
    }
  }
  expect(wrong).toEqual([])
})

test('kernels only import each other', () => {
  for (const file of filesOf('assembly')) {
    for (const [, , path] of readFileSync(join(root, file), 'utf8').matchAll(importPattern))
      expect(path).toMatch(/^\.\/\w+$/)
  }
})

test('no file is longer than 300 lines, no line longer than 130 columns', () => {
  const long = [...filesOf('src'), ...filesOf('assembly')].filter(file => {
    const lines = readFileSync(join(root, file), 'utf8').split('\n')
    return lines.length > 301 || lines.some(line => line.length > 130)
  })
  expect(long).toEqual([])
})
