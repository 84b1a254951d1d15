import { join } from 'node:path'
import { checkPreprocessing, type Encoding, type Target, widthOf } from '../tables/encoding.ts'
import { files } from '../tables/folder.ts'
import type { KindName } from '../tables/options.ts'
import { checkSamplePreprocessing } from '../tables/samples.ts'
import { checkTextPreprocessing } from '../tables/writing.ts'
import { figure } from './describe.ts'
import { aligned } from './terminal.ts'

const targetLine = (folder: string, target: Target, from = '') =>
  `${folder}: ${target.task} of "${target.name}"${from} (${
    target.task === 'class'
      ? target.classes.join(', ')
      : `mean ${figure(target.mean)}, deviation ${figure(target.deviation)}`
  })`

const encoded = (encoding: Encoding): string =>
  encoding.type === 'number'
    ? `mean ${figure(encoding.mean)}, deviation ${figure(encoding.deviation)}`
    : encoding.type === 'category'
      ? `${encoding.words.join(', ')}${encoding.other ? ', others' : ''}`
      : ''

function describeTable(folder: string, where: string, value: unknown): string[] {
  const { target, columns } = checkPreprocessing(where, value)
  const lines = columns.map(encoding => [
    encoding.name,
    encoding.type,
    String(widthOf(encoding)),
    encoding.indicator ? 'yes' : 'no',
    encoded(encoding),
  ])
  return [
    targetLine(folder, target),
    ...aligned([['column', 'type', 'inputs', 'missing', 'encoding'], ...lines]),
  ]
}

function describeSamples(folder: string, where: string, value: unknown): string[] {
  const { shape, scaling, target } = checkSamplePreprocessing(where, value)
  const { mean, deviation } = scaling
  const each = mean.length > 1 ? ` for each of ${mean.length} on the last axis, the first` : ''
  const scale =
    mean.length === 1 && mean[0] === 0
      ? `divided by ${figure(deviation[0])}`
      : `standardised${each} by mean ${figure(mean[0])}, deviation ${figure(deviation[0])}`
  return [targetLine(folder, target, ` from samples of ${shape.join('×')}`), `samples: ${scale}`]
}

function describeText(folder: string, where: string, value: unknown): string[] {
  const { characters, context } = checkTextPreprocessing(where, value)
  const known = characters.slice(0, -1).join('')
  return [
    `${folder}: text of ${characters.length - 1} characters (${JSON.stringify(known)}), each from ${context} before it`,
  ]
}

const describers: Readonly<Record<KindName, (folder: string, where: string, value: unknown) => string[]>> = {
  table: describeTable,
  arrays: describeSamples,
  images: describeSamples,
  text: describeText,
}

/** What data goes through before and after a network. */
export const describePreprocessing = (kind: KindName, folder: string, value: unknown): string[] =>
  describers[kind](folder, join(folder, files.preprocessing), value)
