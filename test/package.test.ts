import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { install, run as runIn } from './installed.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'package-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const { exports, peerDependenciesMeta } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, unknown>
  peerDependenciesMeta: Record<string, unknown>
}
const optional = Object.keys(peerDependenciesMeta)
const entries = Object.keys(exports)
  .filter(entry => !entry.endsWith('.json'))
  .map(entry => entry.replace('.', 'lockstep'))

const run = (command: string, args: readonly string[]) => runIn(command, args, folder)

/** What is on the machine, not the one that the repository pins; undefined, and why is printed, where there is none. */
function ownNode(): string | undefined {
  for (const place of (process.env.PATH ?? '').split(delimiter)) {
    if (place.includes('node_modules')) continue
    const command = join(place, 'node')
    try {
      const version = run(command, ['--version']).trim()
      const [major = 0, minor = 0] = version.slice(1).split('.').map(Number)
      if (version !== process.version && (major > 20 || (major === 20 && minor >= 19))) return command
      console.log(`package: ${command} is not tried: ${version} is too old, or the pinned one`)
      return undefined
    } catch {
      // There is none in this place.
    }
  }
  console.log('package: there is no other Node on this machine')
  return undefined
}

const training = `
async function train(ls) {
  const layers = [
    ls.layers.dense({ units: 8, activation: 'tanh', inputShape: [3] }),
    ls.layers.dropout({ rate: 0.1 }),
    ls.layers.dense({ units: 1 }),
  ]
  const model = ls.sequential({ layers, seed: 7 })
  model.compile({ optimizer: ls.train.adam(0.05), loss: 'meanSquaredError' })
  const x = Float32Array.from({ length: 3 * 64 }, (_, i) => ((i * 7919) % 101) / 101)
  const y = Float32Array.from({ length: 64 }, (_, i) => x[3 * i] - x[3 * i + 1])
  const { history } = await model.fit(x, y, { epochs: 12, batchSize: 16, seed: 1, workers: 2 })
  const predictions = [...model.predict(ls.tensor(x, [64, 3])).dataSync()]
  console.log(JSON.stringify({ loss: history.loss, predictions }))
}
`

beforeAll(() => {
  install(folder)
  writeFileSync(join(folder, 'imports.mjs'), `import * as ls from 'lockstep'\n${training}\nawait train(ls)\n`)
  writeFileSync(join(folder, 'requires.cjs'), `const ls = require('lockstep')\n${training}\ntrain(ls)\n`)
}, 240_000)

const own = ownNode()
const nodes = { pinned: process.execPath, ...(own !== undefined && { own }) }

test('trains where nothing else is installed, imported or required, on each Node alike', {
  timeout: 180_000,
}, () => {
  const results = Object.entries(nodes).flatMap(([name, node]) =>
    ['imports.mjs', 'requires.cjs'].map(file => [`${name}: ${file}`, JSON.parse(run(node, [file]))] as const),
  )
  const [, first] = results[0]!
  expect(first.predictions).toHaveLength(64)
  expect(first.loss.at(-1)).toBeLessThan(first.loss[0] / 2)
  for (const [name, result] of results) expect(result, name).toEqual(first)
})

test('every entry point loads, or names the optional package that it wants', () => {
  writeFileSync(
    join(folder, 'entries.cjs'),
    `for (const entry of ${JSON.stringify(entries)}) {
       let missing
       try { require(entry) } catch (error) {
         missing = ${JSON.stringify(optional)}.find(name => error.message.includes(name)) ?? error.message
       }
       console.log(JSON.stringify([entry, missing]))
     }`,
  )
  for (const node of Object.values(nodes)) {
    const lines = run(node, ['entries.cjs']).trim().split('\n')
    const found = lines.map(line => JSON.parse(line) as [string, string | null])
    expect(found.map(([entry]) => entry)).toEqual(entries)
    for (const [entry, missing] of found)
      if (missing !== null) expect(optional, `${entry}: ${missing}`).toContain(missing)
    expect(found.find(([entry]) => entry === 'lockstep')![1]).toBeNull()
  }
})

describe('types', () => {
  beforeAll(() => {
    for (const name of [...optional, '@types/node']) {
      const link = join(folder, 'node_modules', name)
      mkdirSync(dirname(link), { recursive: true })
      symlinkSync(join(root, 'node_modules', name), link)
    }
    const program = `
      ${entries.map((entry, i) => `import * as entry${i} from '${entry}'`).join('\n')}
      export const all = [${entries.map((_, i) => `entry${i}`)}]
      const { layers, train, sequential } = entry0
      const model: entry0.Sequential = sequential({ layers: [layers.dense({ units: 1, inputShape: [2] })] })
      model.compile({ optimizer: train.sgd(0.1), loss: 'meanSquaredError' })
      export const history: Promise<entry0.History> = model.fit(new Float32Array(4), new Float32Array(2), {})
      // @ts-expect-error: an unknown option
      layers.dense({ units: 1, unit: 1 })
    `
    for (const name of ['consumer.mts', 'consumer.cts']) writeFileSync(join(folder, name), program)
  })

  /** What the compiler says against the program and the types of the package, not those of others. */
  function complaints(moduleResolution: string, module: string, files: readonly string[]): string[] {
    const resolution = { module, moduleResolution, target: 'es2023', types: ['node'] }
    const compilerOptions = { ...resolution, strict: true, noEmit: true, skipLibCheck: false }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    const { stdout, stderr } = spawnSync(process.execPath, [compiler, '-p', folder], {
      cwd: folder,
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    return stdout.split('\n').filter(line => /^(consumer|node_modules.lockstep)/.test(line))
  }

  test('are whole, and found with moduleResolution nodenext', { timeout: 180_000 }, () => {
    expect(complaints('nodenext', 'nodenext', ['consumer.mts', 'consumer.cts'])).toEqual([])
  })

  test('are whole, and found with moduleResolution bundler', { timeout: 180_000 }, () => {
    expect(complaints('bundler', 'esnext', ['consumer.mts'])).toEqual([])
  })
})
