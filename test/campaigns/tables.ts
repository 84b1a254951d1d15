import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchedSpam, foundFashion } from '../../examples/data.ts'
import { pathOf } from '../../examples/tables.ts'
import { readIdx } from '../../src/data/idx.ts'
import { Tensor } from '../../src/data/tensor.ts'
import { writeNpy } from '../../src/formats/npy.ts'
import { parquet } from '../../src/formats/parquet.ts'
import { train } from '../../src/tables/kinds.ts'
import { prepare, samplesOfParts, withParts } from '../../src/tables/preparing.ts'
import { openTable } from '../../src/tables/source.ts'
import { allButTest } from '../../src/tables/splitting.ts'
import { Warnings } from '../../src/tables/warnings.ts'
import { withFolder } from '../checkpoints/folder.ts'
import type { Campaign } from './index.ts'
import { chosen } from './parts.ts'

/** One that has scikit-learn. */
const python = process.env.PYTHON ?? 'python3'

interface Source {
  readonly name: string
  /** A column; of images none. */
  readonly target?: string
  /** Splits, each with another seed. */
  readonly splits: number
  /** Path of the table, undefined where its data is not on this machine. */
  find(folder: string): string | undefined | Promise<string | undefined>
}

/** Mails as a table of text and label, each text once. */
function spamTable(folder: string): string | undefined {
  const mails = fetchedSpam()
  if (!mails) return undefined
  const files = readdirSync(mails)
    .filter(group => /^(easy-ham|hard-ham|spam)/.test(group))
    .flatMap(group => readdirSync(join(mails, group)).map(name => ({ group, name })))
    .filter(({ name }) => name.endsWith('.txt'))
    .sort((a, b) => (a.name.slice(a.name.indexOf('.')) < b.name.slice(b.name.indexOf('.')) ? -1 : 1))
  const labels = new Map<string, string>()
  for (const { group, name } of files) {
    const [head, ...body] = readFileSync(join(mails, group, name), 'latin1')
      .replaceAll('\r', '')
      .split('\n\n')
    const subject = /^subject: (.*)$/im.exec(head!)?.[1] ?? ''
    const plain = body.join(' ').replace(/<style.*?<\/style>|<[^>]*>|&\w+;/gs, ' ')
    const text = `${subject} ${plain}`.replaceAll(/[\s\0]+/g, ' ').trim()
    if (text !== '') labels.set(text, group.startsWith('spam') ? 'spam' : 'ham')
  }
  const path = join(folder, 'spam.csv')
  const lines = [...labels].map(([text, label]) => `"${text.replaceAll('"', '""')}",${label}`)
  writeFileSync(path, ['text,label', ...lines].join('\n'))
  return path
}

/** Shuttle, of R's package mlbench. */
function shuttleTable(folder: string): string | undefined {
  const path = join(folder, 'shuttle.csv')
  const code = `library(mlbench); data(Shuttle); write.csv(Shuttle, ${JSON.stringify(path)}, row.names = FALSE)`
  return spawnSync('Rscript', ['-e', code]).status === 0 ? path : undefined
}

/** Of npm's vega-datasets, unpacked: the folder that VEGA_DATA names. */
const vegaPath = (file: string): string | undefined =>
  process.env.VEGA_DATA === undefined ? undefined : join(process.env.VEGA_DATA, file)

/** Every fifteenth flight: 200,000 of three millions. */
async function flightsTable(folder: string): Promise<string | undefined> {
  const source = vegaPath('flights-3m.parquet')
  if (!source) return undefined
  const path = join(folder, 'flights.csv')
  const lines = ['date,delay,distance,origin,destination']
  let row = 0
  await parquet(source).forEachAsync(flight => {
    if (row++ % 15 > 0) return
    const { date, delay, distance, origin, destination } = flight as Record<string, number>
    lines.push([new Date(date!).toISOString(), delay, distance, origin, destination].join())
  })
  writeFileSync(path, lines.join('\n'))
  return path
}

const inExamples = (name: string, target: string): Source => ({
  name,
  target,
  splits: 20,
  find: () => fileURLToPath(pathOf(`${name}.csv`)),
})

const sources: readonly Source[] = [
  { name: 'penguins', target: 'Species', splits: 20, find: () => vegaPath('penguins.json') },
  inExamples('auto-mpg', 'mpg'),
  inExamples('wine', 'cultivar'),
  inExamples('breast-cancer', 'diagnosis'),
  inExamples('seattle-weather', 'weather'),
  { name: 'spam', target: 'label', splits: 5, find: spamTable },
  { name: 'shuttle', target: 'Class', splits: 3, find: shuttleTable },
  { name: 'flights', target: 'delay', splits: 1, find: flightsTable },
  { name: 'fashion-mnist', splits: 1, find: foundFashion },
]

/** What scikit-learn learns from, and is scored on. */
type Parts = Readonly<Record<'training' | 'test', { x: Tensor; truth: ArrayLike<number> }>>

async function writeParts(folder: string, parts: Parts, isClass: boolean): Promise<void> {
  mkdirSync(folder)
  if (isClass) writeFileSync(join(folder, 'classes'), '')
  for (const [name, { x, truth }] of Object.entries(parts)) {
    await writeNpy(join(folder, `${name}-x.npy`), x)
    await writeNpy(
      join(folder, `${name}-y.npy`),
      new Tensor(Float32Array.from(truth), [truth.length], 'float32'),
    )
  }
}

/** All rows but the test's, and those, as Lockstep encodes them. */
async function writeRows(folder: string, data: string, target: string, seed: number): Promise<void> {
  const prepared = await prepare(await openTable(data), { data, target, seed }, new Warnings())
  const { parts } = prepared
  const whole = withParts(prepared, {}, { training: allButTest(parts), validation: parts.validation })
  const { encoder, training, test } = samplesOfParts(whole)
  const encoded = ({ x, truth }: typeof training) => ({ x: encoder.joined(x), truth })
  const isClass = prepared.target.task === 'class'
  await writeParts(folder, { training: encoded(training), test: encoded(test) }, isClass)
}

/** Grey images of four IDX files, as rows of pixels from 0 to 1. */
async function writeImages(folder: string, data: string): Promise<void> {
  const part = (name: string) => {
    const { values, shape } = readIdx(join(data, `${name}-images-idx3-ubyte.gz`))
    const x = new Tensor(
      Float32Array.from(values, value => value / 255),
      [shape[0]!, shape[1]! * shape[2]!],
      'float32',
    )
    return { x, truth: readIdx(join(data, `${name}-labels-idx1-ubyte.gz`)).values }
  }
  await writeParts(folder, { training: part('train'), test: part('t10k') }, true)
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

/** scikit-learn's linear model and MLP on one split. */
function peersOn(parts: string): number[] {
  const script = fileURLToPath(new URL('tables.py', import.meta.url))
  return JSON.parse(execFileSync(python, [script, parts], { encoding: 'utf8' }))
}

/**
 * `lockstep train` with no option but the target beside scikit-learn's models, which learn from all rows but the test's. Some
 * tables are in examples/data, others where `find` looks.
 */
export const tables: Campaign = async (print, { only }) => {
  const failures: string[] = []
  const hasPeers = spawnSync(python, ['-c', 'import sklearn']).status === 0
  if (!hasPeers) print('scikit-learn is not installed: no comparison')
  print('| table | splits | Lockstep | linear | MLP |\n|---|---|---|---|---|')
  for (const { name, target, splits, find } of chosen(sources, only))
    await withFolder(async folder => {
      const data = await find(folder)
      if (!data || !existsSync(data)) return print(`| ${name} | not on this machine | | | |`)
      const own: number[] = []
      const peers: number[][] = []
      for (let seed = 1; seed <= splits; seed++) {
        const { scores } = await train({
          data,
          ...(target !== undefined && { target }),
          seed,
          out: join(folder, `model-${seed}`),
        })
        const { model } = scores!
        own.push(model.task === 'class' ? model.accuracy : (model as { r2: number }).r2)
        if (!hasPeers) continue
        const parts = join(folder, `parts-${seed}`)
        if (target === undefined) await writeImages(parts, data)
        else await writeRows(parts, data, target, seed)
        peers.push(peersOn(parts))
        rmSync(parts, { recursive: true })
      }
      const others = hasPeers ? [0, 1].map(i => mean(peers.map(one => one[i]!))) : []
      const row = [mean(own), ...others].map(value => value.toFixed(4))
      print(`| ${[name, splits, ...row].join(' | ')} |`)
      if (others.some(other => mean(own) < other - 5e-5)) failures.push(`${name}: ${row.join(', ')}`)
    })
  return failures
}
