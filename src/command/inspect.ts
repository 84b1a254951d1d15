import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { checkpoints } from '../checkpoints/description.ts'
import { readIdx } from '../data/idx.ts'
import type { Tensor } from '../data/tensor.ts'
import { readNpy } from '../formats/npy.ts'
import { readNpz } from '../formats/npz.ts'
import { readSafetensors } from '../formats/safetensors.ts'
import { loadLayersModel } from '../model/loading.ts'
import { isArrayFile } from '../tables/arrayFiles.ts'
import { files, modelUrl, readJson } from '../tables/folder.ts'
import { kindOfModel } from '../tables/kinds.ts'
import type { TrainResult } from '../tables/learning.ts'
import { type ColumnProfile, profile } from '../tables/profile.ts'
import { formatOf, openTable, type TableOptions } from '../tables/source.ts'
import { Warnings } from '../tables/warnings.ts'
import { figure, headline } from './describe.ts'
import { describePreprocessing } from './preprocessing.ts'
import { aligned, barOf, say, warn } from './terminal.ts'

const json = (value: unknown) => say(JSON.stringify(value))

const tensorsOf = (tensors: Iterable<readonly [string, Tensor]>) =>
  [...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }))

/** Arrays of a file in one of the formats that hold nothing else, or of a folder of such; undefined for another ending. */
async function arraysOf(path: string): Promise<ReturnType<typeof tensorsOf> | undefined> {
  if ((await stat(path)).isDirectory()) {
    const names = (await readdir(path)).filter(isArrayFile).sort()
    const each = await Promise.all(names.map(name => arraysOf(join(path, name))))
    return each.flat().filter(array => array !== undefined)
  }
  if (path.endsWith('.npy')) return tensorsOf([[basename(path, '.npy'), await readNpy(path)]])
  if (path.endsWith('.npz')) return tensorsOf(await readNpz(path))
  if (path.endsWith('.safetensors')) return tensorsOf((await readSafetensors(path)).tensors)
  if (/\.idx|-ubyte/.test(basename(path))) return tensorsOf([[basename(path), readIdx(path)]])
  return undefined
}

function rangeOf({ type, minimum, maximum, top }: ColumnProfile): string {
  if (top.length > 0) return top.map(([value, count]) => `${value} (${count})`).join(', ')
  if (minimum === undefined || maximum === undefined) return ''
  const shown = (value: number) =>
    type === 'date' ? new Date(value).toISOString().replace('T00:00:00.000Z', '') : figure(value)
  return `${shown(minimum)} to ${shown(maximum)}`
}

function sayArrays(path: string, arrays: ReturnType<typeof tensorsOf>, asJson: boolean): void {
  if (asJson) {
    json({ kind: 'arrays', path, arrays })
    return
  }
  const lines = arrays.map(({ name, dtype, shape }) => [name, dtype, `[${shape.join(', ')}]`])
  for (const line of aligned([['array', 'type', 'shape'], ...lines])) say(line)
}

async function inspectTable(path: string, options: TableOptions, asJson: boolean): Promise<void> {
  const warnings = new Warnings()
  const table = await openTable(path, options)
  const bar = await barOf('reading {bar} {percentage} %')
  const profiles = await profile(table, warnings, {}, bar.update).finally(bar.stop)
  warn(warnings.lines())
  const rows = profiles[0]!.rows
  if (asJson)
    return json({
      kind: 'table',
      path,
      format: table.format,
      rows,
      columns: profiles,
      warnings: warnings.lines(),
    })
  say(`${path}: ${table.format}, ${rows} rows, ${profiles.length} columns`)
  const lines = profiles.map(column => [
    column.name,
    column.type,
    String(column.missing),
    column.distinct >= 10_000 ? '10000 or more' : String(column.distinct),
    column.useless === undefined ? rangeOf(column) : `set aside: ${column.useless}`,
  ])
  for (const line of aligned([['column', 'type', 'missing', 'distinct', 'values'], ...lines])) say(line)
}

async function inspectModel(folder: string, names: readonly string[], asJson: boolean): Promise<void> {
  const model = await loadLayersModel(modelUrl(folder))
  const layers: string[] = []
  model.summary(100, undefined, line => layers.push(line))
  const read = async (name: string) =>
    names.includes(name) ? await readJson(join(folder, name), 'train again') : undefined
  const preprocessing = await read(files.preprocessing)
  const described =
    preprocessing === undefined ? [] : describePreprocessing(await kindOfModel(folder), folder, preprocessing)
  const scores = ((await read(files.metrics)) as TrainResult | undefined)?.scores
  if (asJson)
    return json({
      kind: 'model',
      path: folder,
      weights: model.countParams(),
      summary: layers,
      preprocessing,
      scores,
    })
  for (const line of described) say(line)
  if (scores) say(`${scores.part}: ${headline(scores.model)}`)
  for (const line of layers) say(line)
}

async function inspectCheckpoint(path: string, asJson: boolean): Promise<void> {
  if (asJson) json({ kind: 'checkpoint', ...(await checkpoints.describe(path)) })
  else await checkpoints.print(path, say)
}

/** `lockstep inspect`: what a model, a checkpoint or a file of data holds. */
export async function inspect(
  path: string,
  { json: asJson = false, ...options }: TableOptions & { json?: boolean },
): Promise<number> {
  if ((await stat(path)).isDirectory()) {
    const names = await readdir(path)
    if (names.includes('model.json')) await inspectModel(path, names, asJson)
    else if (names.some(isArrayFile)) sayArrays(path, (await arraysOf(path))!, asJson)
    else
      await inspectCheckpoint(
        names.includes(files.checkpoints) ? join(path, files.checkpoints) : path,
        asJson,
      )
    return 0
  }
  if (basename(path) === 'model.json') {
    await inspectModel(dirname(path), await readdir(dirname(path)), asJson)
    return 0
  }
  if (path.endsWith('.ckpt')) {
    await inspectCheckpoint(path, asJson)
    return 0
  }
  const arrays =
    options.format === undefined && formatOf(path) === undefined ? await arraysOf(path) : undefined
  if (!arrays) {
    await inspectTable(path, options, asJson)
    return 0
  }
  sayArrays(path, arrays, asJson)
  return 0
}
