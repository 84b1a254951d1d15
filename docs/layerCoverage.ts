import * as namedLayers from '../src/layers/names.ts'
import * as layers from '../src/layers/table.ts'
import { absence, difference } from './notes.ts'
import { configOf, factoryOf, inputsOf, isRefused, type LayerOptions, plain, sampleOptions } from './probe.ts'
import { absent, code, listed, type Row } from './rows.ts'
import type { Option, Source } from './source.ts'

/** Whether every layer of TensorFlow.js has the option. */
export const isCommon = ({ from, name }: Option): boolean =>
  /^(Base)?Layer(Args|Config)$/.test(from) || name === 'activityRegularizer'

/** What TensorFlow.js settles before it saves: no defaults. */
const settled = ['batchInputShape', 'dtype', 'name', 'strides']

/** What options are tried with. */
interface Trial {
  readonly ours: LayerOptions
  readonly theirs: LayerOptions
  /** The saved form of TensorFlow.js' layer. */
  readonly config: LayerOptions
  readonly shapes: readonly (readonly number[])[] | undefined
}

function trialOf(name: string, options: readonly Option[]): Trial {
  const needed = options.filter(one => one.required).map(one => one.name)
  const [ours, theirs] = [sampleOptions('lockstep', needed), sampleOptions('tensorflow', needed)]
  return { ours, theirs, config: configOf(name, theirs), shapes: inputsOf(name, theirs) }
}

/** How the defaults differ, if they do. */
function otherDefault(layer: string, { name, required }: Option, config: LayerOptions): string[] {
  const { defaults } = factoryOf('lockstep', layer) as unknown as { defaults?: LayerOptions }
  if (required || !defaults || !(name in defaults) || !(name in config) || settled.includes(name)) return []
  const [here, there] = [defaults[name], config[name]].map(value => JSON.stringify(plain(name, value)))
  return here === there ? [] : [`${code(here)} by default, there ${code(there)}`]
}

/** What is different about an option that Lockstep knows. */
function differences(layer: string, option: Option, { ours, theirs, config, shapes }: Trial): string[] {
  const { name, values } = option
  const refused = values.filter(value =>
    isRefused(layer, shapes, {
      lockstep: { ...ours, [name]: value },
      tensorflow: { ...theirs, [name]: value },
    }),
  )
  const found = [
    ...listed(difference('layers', layer, name)),
    ...otherDefault(layer, option, config),
    ...(refused.length > 0 ? [`not ${refused.map(code).join(', ')}`] : []),
  ]
  return found.length > 0 ? [`${code(name)}: ${found.join('; ')}`] : []
}

function layerRow(source: Source, name: string): Row {
  const factory = namedLayers[name as keyof typeof namedLayers]
  const differs = listed(difference('layers', name))
  if (!factory) return { name, missing: true, absent: listed(absence('layers', name)) }
  const twin = Object.entries(layers).find(([, one]) => one === factory)![0]
  if (twin !== name) return { name, twin }
  const options = source.options('tensorflow', 'layers', name).filter(one => !isCommon(one))
  const known = new Set(source.options('lockstep', 'layers', name).map(one => one.name))
  const trial = trialOf(name, options)
  const found = options
    .filter(one => known.has(one.name))
    .map(one => ({ name: one.name, list: differences(name, one, trial) }))
  return {
    name,
    covered: found.filter(({ list }) => list.length === 0).map(one => one.name),
    differs: [...differs, ...found.flatMap(({ list }) => list)],
    absent: options
      .filter(one => !known.has(one.name))
      .map(one => absent(one.name, absence('layers', name, one.name))),
  }
}

/** What is covered of every layer that TensorFlow.js has. */
export const layerRows = (source: Source): Row[] =>
  source
    .entries('layers', 'tensorflow')
    .map(({ name }) => name)
    .filter(name => /^[a-z]/.test(name) && name !== 'input')
    .sort((a, b) => a.localeCompare(b, 'en'))
    .map(name => layerRow(source, name))
