import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchedSpam } from '../../examples/data.ts'
import { pathOf } from '../../examples/tables.ts'
import { Tensor } from '../../src/data/tensor.ts'
import { writeNpy } from '../../src/formats/npy.ts'
import { prepare, samplesOfParts } from '../../src/tables/preparing.ts'
import { openTable } from '../../src/tables/source.ts'
import { trainTable } from '../../src/tables/training.ts'
import { Warnings } from '../../src/tables/warnings.ts'
import { withFolder } from '../checkpoints/folder.ts'
import type { Campaign } from './index.ts'

const seeds = [1, 2, 3, 4, 5]
/** One that has scikit-learn. */
const python = process.env.PYTHON ?? 'python3'

interface Source {
  readonly name: string
  readonly target: string
  /** Path of the table, undefined where its data is not on this machine. */
  find(folder: string): string | undefined
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

const inExamples = (name: string, target: string): Source => ({
  name,
  target,
  find: () => fileURLToPath(pathOf(`${name}.csv`)),
})

const sources: readonly Source[] = [
  inExamples('auto-mpg', 'mpg'),
  inExamples('wine', 'cultivar'),
  inExamples('breast-cancer', 'diagnosis'),
  inExamples('seattle-weather', 'weather'),
  { name: 'spam', target: 'label', find: spamTable },
  { name: 'shuttle', target: 'Class', find: shuttleTable },
]

/** Writes the parts of a split as Lockstep encodes them. */
async function writeParts(folder: string, data: string, target: string, seed: number): Promise<void> {
  const prepared = await prepare(await openTable(data), { data, target, seed }, new Warnings())
  const { encoder, held: _held, ...parts } = samplesOfParts(prepared)
  mkdirSync(folder)
  if (prepared.target.task === 'class') writeFileSync(join(folder, 'classes'), '')
  for (const [name, { x, truth }] of Object.entries(parts)) {
    await writeNpy(join(folder, `${name}-x.npy`), encoder.joined(x))
    await writeNpy(
      join(folder, `${name}-y.npy`),
      new Tensor(Float32Array.from(truth), [truth.length], 'float32'),
    )
  }
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

/** `lockstep train` with no option but the target beside scikit-learn's models, on the same rows. */
export const tables: Campaign = async print => {
  const failures: string[] = []
  const hasPeers = spawnSync(python, ['-c', 'import sklearn']).status === 0
  if (!hasPeers) print('scikit-learn is not installed: no comparison')
  print('| table | Lockstep | linear | MLP |\n|---|---|---|---|')
  for (const { name, target, find } of sources)
    await withFolder(async folder => {
      const data = find(folder)
      if (!data || !existsSync(data)) return print(`| ${name} | not on this machine | | |`)
      const own: number[] = []
      const parts = seeds.map(seed => join(folder, `parts-${seed}`))
      for (const [i, seed] of seeds.entries()) {
        const { scores } = await trainTable({ data, target, seed, out: join(folder, `model-${seed}`) })
        const { model } = scores!
        own.push(model.task === 'class' ? model.accuracy : (model as { r2: number }).r2)
        if (hasPeers) await writeParts(parts[i]!, data, target, seed)
      }
      const script = fileURLToPath(new URL('tables.py', import.meta.url))
      const found = hasPeers ? JSON.parse(execFileSync(python, [script, ...parts], { encoding: 'utf8' })) : []
      const peers = [0, 1].map(i => (hasPeers ? mean(found.map((one: number[]) => one[i])) : Number.NaN))
      const row = [mean(own), ...peers].map(value => (Number.isNaN(value) ? '' : value.toFixed(4)))
      print(`| ${[name, ...row].join(' | ')} |`)
      if (peers.some(peer => mean(own) < peer - 5e-5)) failures.push(`${name}: ${row.join(', ')}`)
    })
  return failures
}
