import * as tf from '@tensorflow/tfjs'
import * as ls from '../src/index.ts'
import { faults } from '../test/reference/tfjsFaults.ts'
import { isCommon, layerRows } from './layerCoverage.ts'
import { about, absence, accelerating, difference, faultsHead, head, strayNotes } from './notes.ts'
import { activationNames, canActivate, canCompile } from './probe.ts'
import { absent, code, listed, type Row, section } from './rows.ts'
import type { Member, Option, Source } from './source.ts'

/** A row of an entry whose options are compared by name, arguments by their place. */
function compare(
  path: readonly string[],
  theirs: readonly Option[],
  ours: readonly Option[] | undefined,
): Row {
  const name = path.at(-1)!
  if (!ours) return { name, missing: true, absent: listed(absence(...path)) }
  const isKnown = (option: Option) =>
    ours.some(one => one.name === option.name || (option.isArgument && one.position === option.position))
  const known = theirs.filter(isKnown).map(one => ({ name: one.name, note: difference(...path, one.name) }))
  return {
    name,
    covered: known.filter(({ note }) => !note).map(one => one.name),
    differs: [
      ...listed(difference(...path)),
      ...known.filter(({ note }) => note).map(one => `${code(one.name)}: ${one.note}`),
    ],
    absent: theirs.filter(one => !isKnown(one)).map(one => absent(one.name, absence(...path, one.name))),
  }
}

/** The functions of a table that both libraries export. */
function tableRows(source: Source, table: string): Row[] {
  const ours = (ls as unknown as Record<string, Record<string, unknown>>)[table]!
  return source
    .entries(table, 'tensorflow')
    .map(({ name }) => name)
    .filter(name => /^[a-z]/.test(name) && name !== 'prototype' && name !== 'version_data')
    .map(name =>
      compare(
        [table, name],
        source.options('tensorflow', table, name),
        name in ours ? source.options('lockstep', table, name) : undefined,
      ),
    )
}

const withoutOptions = ({ name, missing = false }: Row): Row => ({
  name,
  missing,
  absent: missing ? listed(absence('metrics', name)) : [],
})

/** A row for each of some options. */
const optionRows = (theirs: readonly Option[], ours: readonly Option[]): Row[] =>
  theirs.map(({ name }) => ({ name, missing: !ours.some(one => one.name === name) }))

/** Names that are given to compile. */
const nameRows = (kind: 'loss' | 'metric' | 'optimizer', names: readonly string[]): Row[] =>
  names
    .filter(name => canCompile('tensorflow', { [kind]: name }))
    .map(name => ({ name, missing: !canCompile('lockstep', { [kind]: name }) }))

/** What is listed of classes besides what TensorFlow.js documents. */
const undocumented = [
  ...['dispose', 'inputs', 'layers', 'name', 'optimizer', 'outputs', 'pop', 'resetStates', 'stopTraining'],
  ...[
    'trainable',
    'weights',
    'trainableWeights',
    'nonTrainableWeights',
    'loadWeights',
    'toJSON',
    'input',
    'output',
  ],
]

/** The methods and properties of a class of both libraries. */
function memberRows(source: Source, kind: string, theirs: readonly Member[], ours: readonly Member[]): Row[] {
  const listed = theirs.filter(member => source.isDocumented(member) || undocumented.includes(member.name))
  return listed.map(member => {
    const own = ours.find(({ name }) => name === member.name)
    return compare([kind, member.name], source.optionsOfMember(member), own && source.optionsOfMember(own))
  })
}

/** As memberRows, of what a function makes in both libraries. */
const resultRows = (source: Source, kind: string, ...path: readonly string[]): Row[] =>
  memberRows(
    source,
    kind,
    source.membersOfResult('tensorflow', ...path),
    source.membersOfResult('lockstep', ...path),
  )

function modelRows(source: Source): Row[] {
  const functions = ['sequential', 'model', 'input', 'loadLayersModel'].map(name =>
    compare(['tf', name], source.options('tensorflow', name), source.options('lockstep', name)),
  )
  const ours = ['Sequential', 'Model'].flatMap(name => source.members('lockstep', name))
  return [...functions, ...memberRows(source, 'model', source.members('tensorflow', 'Sequential'), ours)]
}

/** What Layers exports besides tables and functions, by its path in both libraries. */
const exported = [
  ...[
    'Callback',
    'CallbackList',
    'CustomCallback',
    'EarlyStopping',
    'History',
    'InputSpec',
    'LayersModel',
    'RNN',
  ],
  ...[
    'Sequential',
    'SymbolicTensor',
    'layers.Layer',
    'layers.RNN',
    'layers.RNNCell',
    'registerCallbackConstructor',
  ],
  ...['serialization.registerClass', 'models.modelFromJSON'],
]

const has = (library: object, path: string): boolean =>
  path
    .split('.')
    .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], library) !== undefined

const exportRows = (): Row[] =>
  exported
    .filter(path => has(tf, path))
    .map(name => {
      const [missing, why] = [!has(ls, name), listed(absence('exports', name))]
      return { name, missing, absent: missing ? why : [] }
    })

/** The moments that callbacks hear of. */
function hookRows(source: Source): Row[] {
  const known = source.options('lockstep', 'callbacks', 'lambda').map(one => one.name)
  return source
    .options('tensorflow', 'CustomCallback')
    .filter(({ name }) => name.startsWith('on'))
    .map(({ name }) => ({ name, missing: !known.includes(name) }))
}

/** The page tfjs.md. */
export function coveragePage(source: Source): string {
  const common = source.options('tensorflow', 'layers', 'dense').filter(isCommon)
  const metrics = [...source.keys('metrics.js', 'metricsMap'), 'accuracy', 'acc', 'crossentropy', 'ce']
  const optimizers = source.keys('optimizers.js', 'optimizerMap').flatMap(name => [name, name.toLowerCase()])
  const activations = activationNames().map(name => ({ name, missing: !canActivate(name) }))
  const tables = [
    section('Layers', about.layers, layerRows(source)),
    section(
      'Options of every layer',
      about.common,
      optionRows(common, source.options('lockstep', 'layers', 'dense')),
    ),
    section('Methods of layers', about.layer, resultRows(source, 'layer', 'layers', 'dense')),
    section('Activations', about.activations, activations),
    section('Losses', about.losses, nameRows('loss', source.keys('losses.js', 'lossesMap'))),
    section('Metrics', about.metrics, nameRows('metric', metrics)),
    section('Metrics as functions', about.metricFunctions, tableRows(source, 'metrics').map(withoutOptions)),
    section('Optimizers', about.train, tableRows(source, 'train')),
    section('Names of optimizers', about.optimizers, nameRows('optimizer', optimizers)),
    section('Initializers', about.initializers, tableRows(source, 'initializers')),
    section('Regularizers', about.regularizers, tableRows(source, 'regularizers')),
    section('Constraints', about.constraints, tableRows(source, 'constraints')),
    section('Callbacks', about.callbacks, tableRows(source, 'callbacks')),
    section('Hooks of callbacks', about.hooks, hookRows(source)),
    section('Data', about.data, tableRows(source, 'data')),
    section('Datasets', about.dataset, resultRows(source, 'dataset', 'data', 'array')),
    section('Models', about.models, modelRows(source)),
    section('Other exports', about.exports, exportRows()),
  ]
  const stray = strayNotes()
  if (stray.length > 0)
    throw new Error(`coverage: TensorFlow.js must have what is noted, got ${stray}; correct it`)
  const wrong = Object.values(faults).map(({ says }) => `- ${says}`)
  return [head, accelerating, ...tables.flat(), faultsHead, ...wrong, ''].join('\n')
}
