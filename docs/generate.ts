// node docs/generate.ts: writes layers.md, ops.md, training.md and tfjs.md from the tables of the source and their comments.
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as namedLayers from '../src/layers/names.ts'
import { requiredOption } from '../src/layers/options.ts'
import * as layers from '../src/layers/table.ts'
import { ops } from '../src/ops/table.ts'
import { losses } from '../src/training/losses.ts'
import { coveragePage } from './coverage.ts'
import { Source } from './source.ts'

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null && requiredOption in value) return 'required'
  return `\`${JSON.stringify(value)}\``
}

function layersPage(source: Source): string {
  const own = source
    .entries('layers')
    .filter(({ name }) => name in layers)
    .sort((a, b) => a.name.localeCompare(b.name, 'en'))
  const entries = own.map(entry => {
    const factory = layers[entry.name as keyof typeof layers]
    const { className, defaults } = factory
    const names = Object.entries(namedLayers)
      .filter(([name, each]) => each === factory && name !== entry.name)
      .map(([name]) => `\`${name}\``)
      .sort()
    const also = names.length > 0 ? ` Also ${names.join(', ')}.` : ''
    const options = source.properties(entry, 'defaults').map(option => {
      const value = (defaults as Record<string, unknown>)[option.name]
      return `| \`${option.name}\` | ${shown(value)} | ${source.comment(option)} |`
    })
    const table = options.length > 0 ? ['', '| option | default | |', '|---|---|---|', ...options] : []
    return [
      `## ${entry.name}`,
      '',
      `${source.comment(entry)} Class \`${className}\`.${also}`,
      ...table,
      '',
    ].join('\n')
  })
  return [
    '# Layers',
    '',
    'Made by `ls.layers.NAME(options)`; names, options and defaults are those of TensorFlow.js, or of Keras 3 where',
    'TensorFlow.js has none. Every layer also takes `name`, `inputShape`, `batchInputShape`, `trainable` and `recompute` (`docs/memory.md`). Shapes are those of',
    'one sample. Written by `node docs/generate.ts`.',
    '',
    ...entries,
  ].join('\n')
}

const tables = {
  losses: ['Losses', 'Given to `compile` by name, or as `ls.losses.NAME`.'],
  metrics: ['Metrics', 'Given to `compile` by name, or as `ls.metrics.NAME`; exact over the epoch.'],
  train: ['Optimizers', 'Made by `ls.train.NAME(learningRate or options)`.'],
  schedules: [
    'Learning-rate schedules',
    'Made by `ls.schedules.NAME(options)`, given to an optimizer as its learningRate; t counts updates.',
  ],
  initializers: ['Initializers', 'Given to a layer by name, or made by `ls.initializers.NAME(options)`.'],
  regularizers: ['Regularizers', 'Given to a layer by name, or made by `ls.regularizers.NAME(options)`.'],
  callbacks: ['Callbacks', 'Made by `ls.callbacks.NAME(options)`, given to `fit`.'],
} as const

function trainingPage(source: Source): string {
  const sections = Object.entries(tables).map(([table, [title, use]]) => {
    const rows = source.entries(table).map(entry => {
      const comment =
        source.comment(entry) || (table === 'metrics' && entry.name in losses ? 'Mean of this loss.' : '')
      return `| \`${entry.name}\` | ${comment} |`
    })
    return [`## ${title}`, '', use, '', '| name | |', '|---|---|', ...rows, ''].join('\n')
  })
  return ['# Training', '', 'Written by `node docs/generate.ts`.', '', ...sections].join('\n')
}

function opsPage(source: Source): string {
  const entries = new Map(source.entries('ops').map(op => [op.name, op]))
  const rows = Object.keys(ops).map(name => {
    const op = entries.get(name)!
    return `| \`${source.signature(op)}\` | ${source.comment(op)} |`
  })
  return [
    '# Ops',
    '',
    'What layers, losses, metrics and optimizers of your own are made of: `ls.ops.NAME(…)`. See [extending](extending.md).',
    '',
    'An op records what is to be computed, forward and backward; nothing is computed when it is called, so values have a',
    '`shape` and no numbers. Shapes and axes are those of one sample: axis 0 is the first behind the batch, −1 the last.',
    'Two operands may differ in shape as in NumPy: axes are counted from the last one, and what lacks an axis or has size 1',
    'there is repeated. A weight stands for itself in every sample; the product of `matMul` and `dense` takes it as it is,',
    'all other ops copy it for each sample. In optimizers only the ops of single elements can be used: those down to `mish`.',
    'This list is closed. Written by `node docs/generate.ts`.',
    '',
    '| op | |',
    '|---|---|',
    ...rows,
    '',
  ].join('\n')
}

/** What the pages say is tried out: kernels that do not fit the source would look like layers that are not there. */
function checkBuild(): void {
  const changedMs = (path: string) =>
    statSync(new URL(`../${path}`, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0
  const builtMs = Math.min(...['fused', 'portable'].map(name => changedMs(`build/${name}.wasm.br`)))
  const sources = readdirSync(new URL('../assembly', import.meta.url)).filter(name => name.endsWith('.ts'))
  const newer = sources.find(name => changedMs(`assembly/${name}`) > builtMs)
  if (newer !== undefined)
    throw new Error(`docs: kernels must be newer than assembly/${newer}, got older ones; run npm run build`)
}

/** Files of this folder by name, as they must be. @throws Error where the kernels are out of date */
export function pages(): Record<string, string> {
  checkBuild()
  const source = new Source()
  return {
    'layers.md': layersPage(source),
    'ops.md': opsPage(source),
    'training.md': trainingPage(source),
    'tfjs.md': coveragePage(source),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of Object.entries(pages())) writeFileSync(new URL(name, import.meta.url), text)
}
