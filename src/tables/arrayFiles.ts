import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { readIdx } from '../data/idx.ts'
import type { Tensor } from '../data/tensor.ts'
import { show, suggestion } from '../errors.ts'
import { readNpy } from '../formats/npy.ts'
import { readNpz } from '../formats/npz.ts'
import type { Warnings } from './warnings.ts'

/** Samples along the first axis, and their labels. */
export interface ArrayPart {
  readonly x: Tensor
  readonly y?: Tensor
  /** As messages name them. */
  readonly xName: string
  readonly yName: string
}

/** What arrays there are to train on, and those to test on. */
export interface ArrayData {
  readonly train?: ArrayPart
  readonly test?: ArrayPart
}

type Read = () => Tensor | Promise<Tensor>

const idxName = /^(.*?)([-.]idx\d?)?(-ubyte)?(\.gz)?$/
const isIdx = (name: string) => /([-.]idx\d?|-ubyte)(-ubyte)?(\.gz)?$/.test(name)
const isArray = (name: string) => name.endsWith('.npy') || isIdx(name)

/** Whether a file of this name holds arrays. */
export const isArrayFile = (name: string): boolean => isArray(basename(name)) || name.endsWith('.npz')

const read =
  (path: string): Read =>
  () =>
    path.endsWith('.npy') ? readNpy(path) : readIdx(path)

const words = {
  train: ['train', 'training'],
  test: ['test', 't10k'],
  x: ['x', 'images', 'image', 'data', 'features', 'inputs'],
  y: ['y', 'labels', 'label', 'targets', 'target'],
} as const

type Role = `${'train' | 'test'} ${'x' | 'y'}`

/** What an array of this name is for: x_train, train-images, X, t10k-labels … */
function roleOf(name: string): Role | undefined {
  const found = name.toLowerCase().split(/[-_.\s]/)
  const has = (key: keyof typeof words) =>
    found.some(word => (words[key] as readonly string[]).includes(word))
  const known = found.every(word =>
    Object.values(words).some(list => (list as readonly string[]).includes(word)),
  )
  if (!known || has('x') === has('y') || (has('train') && has('test'))) return undefined
  return `${has('test') ? 'test' : 'train'} ${has('x') ? 'x' : 'y'}`
}

/** Arrays by their names without endings. @throws RangeError for two of one name */
async function arraysOf(path: string): Promise<Map<string, Read>> {
  const arrays = new Map<string, Read>()
  if (path.endsWith('.npz')) {
    for (const [name, tensor] of await readNpz(path)) arrays.set(name, () => tensor)
    return arrays
  }
  for (const file of (await readdir(path)).sort()) {
    if (!isArray(file)) continue
    const name = file.endsWith('.npy') ? basename(file, '.npy') : idxName.exec(file)![1]!
    if (arrays.has(name))
      throw new RangeError(
        `${path}: must have one file for ${show(name)}, got ${show(file)} too; move one away`,
      )
    arrays.set(name, read(join(path, file)))
  }
  return arrays
}

async function byNames(path: string, arrays: Map<string, Read>, warnings: Warnings): Promise<ArrayData> {
  const places = new Map<Role, string>()
  const unused: string[] = []
  for (const name of arrays.keys()) {
    const role = roleOf(name)
    if (!role) unused.push(name)
    else if (places.has(role))
      throw new RangeError(
        `${path}: must have one array for ${role}, got ${show([places.get(role), name])}; take one away`,
      )
    else places.set(role, name)
  }
  if (places.size === 0)
    throw new RangeError(
      `${path}: must hold arrays named x and y, or x_train, y_train, x_test, y_test, or train-images, train-labels …, ` +
        `got ${show(unused)}; rename them, or say which the labels are`,
    )
  if (unused.length > 0) warnings.say(`${path}: arrays that are not used: ${unused.map(show).join(', ')}`)
  const part = async (which: 'train' | 'test'): Promise<ArrayPart | undefined> => {
    const [x, y] = [places.get(`${which} x`), places.get(`${which} y`)]
    if (x === undefined) {
      if (y === undefined) return undefined
      throw new RangeError(
        `${path}: must have samples for ${show(y)}, got none; add ${show(y.replace(/y|labels/, 'x'))}`,
      )
    }
    const labels = y === undefined ? undefined : await arrays.get(y)!()
    return {
      x: await arrays.get(x)!(),
      xName: `${path} ${x}`,
      yName: `${path} ${y ?? 'y'}`,
      ...(labels && { y: labels }),
    }
  }
  const [train, test] = [await part('train'), await part('test')]
  return { ...(train && { train }), ...(test && { test }) }
}

/** Labels that were named: an array of the archive, or a file of their own. */
async function withLabels(path: string, labels: string): Promise<ArrayPart> {
  if (!path.endsWith('.npz'))
    return { x: await read(path)(), y: await read(labels)(), xName: path, yName: labels }
  const arrays = await arraysOf(path)
  const y = arrays.get(labels)
  if (!y)
    throw new RangeError(
      `${path}: must have the array ${show(labels)}, got none; ${suggestion(labels, [...arrays.keys()])}`,
    )
  const others = [...arrays.keys()].filter(name => name !== labels)
  const x = others.length === 1 ? others[0] : others.find(name => roleOf(name) === 'train x')
  if (x === undefined)
    throw new RangeError(
      `${path}: must have one array besides ${show(labels)}, or one named x, got ${show(others)}; rename it`,
    )
  return { x: await arrays.get(x)!(), y: await y(), xName: `${path} ${x}`, yName: `${path} ${labels}` }
}

/**
 * Arrays of a folder of IDX or npy files, told by their names, of an npz archive, or of a file of samples and one of labels.
 * @throws RangeError for arrays that cannot be told apart; as the readers of the formats
 */
export async function readArrays(
  path: string,
  labels: string | undefined,
  warnings: Warnings,
): Promise<ArrayData> {
  const isFolder = (await stat(path)).isDirectory()
  if (labels !== undefined && isFolder)
    throw new RangeError(`${path}: must be a file where labels are named, got a folder; leave labels out`)
  if (labels !== undefined) return { train: await withLabels(path, labels) }
  if (isFolder || path.endsWith('.npz')) return byNames(path, await arraysOf(path), warnings)
  return { train: { x: await read(path)(), xName: path, yName: 'labels' } }
}
