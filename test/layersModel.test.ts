import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { tensor } from '../src/data/tensor.ts'
import { pathOfUrl, readLayersModel, writeLayersModel } from '../src/formats/layersModel.ts'
import { toSavedNames } from '../src/formats/naming.ts'
import type { NamedWeight } from '../src/formats/weights.ts'
import { version } from '../src/version.ts'
import { noise } from './bed.ts'
import { caught } from './caught.ts'

const root = mkdtempSync(join(tmpdir(), 'model-'))
const folder = join(root, 'digits')
const jsonPath = join(folder, 'model.json')
beforeEach(() => rmSync(folder, { recursive: true, force: true }))
afterAll(() => rmSync(root, { recursive: true }))

const topology = toSavedNames({
  className: 'Sequential',
  config: {
    name: 'sequential_1',
    layers: [
      {
        className: 'Dense',
        config: {
          name: 'dense_A',
          units: 2,
          activation: 'relu',
          useBias: true,
          batchInputShape: [null, 3],
          dtype: 'float32',
        },
      },
      { className: 'Dense', config: { name: 'dense_B', units: 1, activation: 'linear', useBias: false } },
    ],
  },
  kerasVersion: 'tfjs-layers 4.22.0',
  backend: 'tensor_flow.js',
})

const weightsName = /^weights-[0-9a-f]{16}\.bin$/

const weights: NamedWeight[] = [
  { name: 'dense_A/kernel', tensor: tensor(noise(6, 1), [3, 2]) },
  { name: 'dense_A/bias', tensor: tensor(noise(2, 2), [2]) },
  { name: 'dense_B/kernel', tensor: tensor(noise(2, 3), [2, 1]) },
]

/** The files of a folder as TF.js hands them around. */
function artifacts(): tf.io.ModelArtifacts {
  const json = JSON.parse(readFileSync(jsonPath, 'utf8'))
  const bytes = readFileSync(join(folder, ...json.weightsManifest[0].paths))
  return { ...json, weightSpecs: json.weightsManifest[0].weights, weightData: new Uint8Array(bytes).buffer }
}

test('TF.js reads what is written, and computes with it', async () => {
  await writeLayersModel(folder, { topology, weights, userMetadata: { dataset: 'none' } })
  expect(readdirSync(folder).sort()).toEqual(['model.json', expect.stringMatching(weightsName)])
  const model = await tf.loadLayersModel({ load: async () => artifacts() })
  const found = (model.predict(tf.tensor2d([[1, -2, 3]])) as tf.Tensor).dataSync()[0]
  const [a, b, c] = weights.map(({ tensor }) => tensor.values) as [Float32Array, Float32Array, Float32Array]
  const hidden = [0, 1].map(j => Math.max(0, a[j]! - 2 * a[2 + j]! + 3 * a[4 + j]! + b[j]!))
  expect(found).toBeCloseTo(hidden[0]! * c[0]! + hidden[1]! * c[1]!, 5)
  expect(model.getUserDefinedMetadata()).toEqual({ dataset: 'none' })
})

test('model.json has the fields of TF.js', async () => {
  await writeLayersModel(folder, { topology, weights, trainingConfig: { loss: 'mse' } })
  const specs = weights.map(({ name, tensor: { shape } }) => ({ name, shape, dtype: 'float32' }))
  expect(JSON.parse(readFileSync(jsonPath, 'utf8'))).toEqual({
    modelTopology: topology,
    format: 'layers-model',
    generatedBy: `Lockstep v${version}`,
    convertedBy: null,
    weightsManifest: [{ paths: [expect.stringMatching(weightsName)], weights: specs }],
    trainingConfig: { loss: 'mse' },
  })
})

test('what is written is read back', async () => {
  const all: NamedWeight[] = [
    ...weights,
    { name: 'bytes', tensor: tensor(Uint8Array.of(1, 2, 3)) },
    { name: 'count', tensor: tensor([-7], [], 'int32'), group: 'optimizer' },
    { name: 'flags', tensor: tensor([true, false]) },
    { name: 'none', tensor: tensor([], [0, 3]) },
  ]
  const model = { topology, weights: all, trainingConfig: { a: 1 }, userMetadata: [1, 'b'] }
  await writeLayersModel(folder, model)
  for (const path of [folder, jsonPath]) expect(await readLayersModel(path)).toEqual(model)
  // Over an older one, and a scaled tensor as the numbers it stands for.
  const scaled = tensor(Uint8Array.of(1, 2), [2], 'uint8', 0.5)
  await writeLayersModel(folder, { topology, weights: [{ name: 'x', tensor: scaled }] })
  const again = await readLayersModel(folder)
  expect(again).toEqual({ topology, weights: [{ name: 'x', tensor: tensor([0.5, 1]) }] })
})

test('a model of TF.js is read, in shards and groups too', async () => {
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 4, inputShape: [5] })] })
  let saved: tf.io.ModelArtifacts | undefined
  const handler = tf.io.withSaveHandler(async given => {
    saved = given
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
  })
  await model.save(handler)
  const bytes = new Uint8Array(saved!.weightData as ArrayBuffer)
  mkdirSync(folder)
  // The kernel (80 bytes) over two files, cut within a number; the bias in a group of its own.
  writeFileSync(join(folder, 'shard1'), bytes.subarray(0, 30))
  writeFileSync(join(folder, 'shard2'), bytes.subarray(30, 80))
  mkdirSync(join(folder, 'sub'))
  writeFileSync(join(folder, 'sub', 'bias'), bytes.subarray(80))
  const [kernel, bias] = saved!.weightSpecs!
  const weightsManifest = [
    { paths: ['shard1', 'shard2'], weights: [kernel] },
    { paths: ['sub/bias'], weights: [bias] },
  ]
  writeFileSync(
    jsonPath,
    JSON.stringify({ modelTopology: { model_config: saved!.modelTopology }, weightsManifest }),
  )
  const read = await readLayersModel(folder)
  expect(read.topology).toEqual(saved!.modelTopology)
  expect(read.weights.map(({ name }) => name)).toEqual([kernel!.name, bias!.name])
  const values = model.getWeights().map(weight => weight.dataSync())
  expect(read.weights.map(({ tensor }) => tensor.values)).toEqual(values)
})

test('weights that were made smaller are read as TensorFlow.js reads them', async () => {
  const quantized = (dtype: string, type: string, numbers: object = {}) =>
    ({ name: `${dtype} of ${type}`, shape: [8], dtype, quantization: { dtype: type, ...numbers } }) as never
  const specs: tf.io.WeightsManifestEntry[] = [
    quantized('float32', 'uint8', { scale: 0.1, min: -3.7 }),
    quantized('float32', 'uint16', { scale: 1e-4, min: -1.25 }),
    quantized('float32', 'float16'),
    quantized('int32', 'uint8', { scale: 1.5, min: -100 }),
    quantized('int32', 'uint16', { scale: 3, min: 7 }),
  ]
  // Halves below 0x7c00 in size, so that none is NaN.
  const halves = Uint16Array.of(0, 0x8000, 1, 0x3ff, 0x400, 0x3c01, 0xc000, 0x7bff)
  const some = Uint8Array.of(0, 1, 2, 77, 128, 200, 254, 255)
  const wide = Uint16Array.of(0, 1, 2, 777, 32768, 60000, 65534, 65535)
  const bytes = Buffer.concat([some, wide, halves, some, wide].map(part => new Uint8Array(part.buffer)))
  mkdirSync(folder)
  writeFileSync(join(folder, 'weights.bin'), bytes)
  writeFileSync(jsonPath, JSON.stringify({ modelTopology: topology, ...manifest(specs) }))
  const expected = tf.io.decodeWeights(new Uint8Array(bytes).buffer, specs)
  for (const { name, tensor } of (await readLayersModel(folder)).weights) {
    expect(tensor.dtype, name).toBe(expected[name]!.dtype)
    expect([...tensor.values], name).toEqual([...expected[name]!.dataSync()])
  }
})

type Spec = Record<string, unknown>
const spec = (changes: Spec = {}) => ({ name: 'w', shape: [2], dtype: 'float32', ...changes })
const manifest = (specs: unknown, paths: unknown = ['weights.bin']) => ({
  weightsManifest: [{ paths, weights: specs }],
})
const group = 'weightsManifest[0]'
const outside = `must be a path inside the model's folder, got`

test.each([
  [{ format: 'graph-model' }, 'RangeError', 'format must be "layers-model", got "graph-model"'],
  [{ modelTopology: null }, 'TypeError', 'modelTopology must be an object, got null'],
  [{ weightsManifest: {} }, 'TypeError', 'weightsManifest must be an array, got {}'],
  [{ weightsManifest: [3] }, 'TypeError', `${group} must be an object, got 3`],
  [manifest(3), 'TypeError', `${group}.weights must be an array, got 3`],
  [manifest([null]), 'TypeError', `${group}.weights[0] must be an object, got null`],
  [manifest([], 'weights.bin'), 'TypeError', `${group}.paths must be an array, got "weights.bin"`],
  [manifest([], ['../secret']), 'RangeError', `${group}.paths[0] ${outside} "../secret"`],
  [manifest([], ['a/../../secret']), 'RangeError', `${group}.paths[0] ${outside} "a/../../secret"`],
  [manifest([], ['a\\..\\secret']), 'RangeError', `${group}.paths[0] ${outside} "a\\\\..\\\\secret"`],
  [manifest([], ['/etc/passwd']), 'RangeError', `${group}.paths[0] ${outside} "/etc/passwd"`],
  [manifest([], ['c:secret']), 'RangeError', `${group}.paths[0] ${outside} "c:secret"`],
  [manifest([], ['a\0b']), 'RangeError', `${group}.paths[0] ${outside} "a\\u0000b"`],
  [manifest([], ['']), 'RangeError', `${group}.paths[0] ${outside} ""`],
  [
    manifest([], ['weights.bin', 'weights.bin']),
    'RangeError',
    `${group}.paths must name each file once, got "weights.bin" again`,
  ],
  [
    manifest([spec({ name: '' })]),
    'RangeError',
    `${group}.weights[0].name must be a name of its own, got ""`,
  ],
  [manifest([spec(), spec()]), 'RangeError', `${group}.weights[1].name must be a name of its own, got "w"`],
  [manifest([spec({ shape: 2 })]), 'TypeError', `${group}.weights[0].shape must be an array, got 2`],
  [
    manifest([spec({ shape: [-1] })]),
    'RangeError',
    `${group}.weights[0].shape must be sizes of an array that fits memory, got [-1]`,
  ],
  [
    manifest([spec({ shape: [1.5] })]),
    'RangeError',
    `${group}.weights[0].shape must be sizes of an array that fits memory, got [1.5]`,
  ],
  [
    manifest([spec({ shape: [2 ** 50, 2 ** 50, 0] })]),
    'RangeError',
    `${group}.weights[0].shape must be sizes of an array that fits memory, got [${2 ** 50}, ${2 ** 50}, 0]`,
  ],
  [
    manifest([spec({ dtype: 'string' })]),
    'RangeError',
    `${group}.weights[0]: dtype must be one of "float32", "int32", "uint8", "bool", got "string"`,
  ],
  [
    manifest([spec({ quantization: {} })]),
    'TypeError',
    `${group}.weights[0].quantization: dtype must be one of "uint8", "uint16", "float16", got undefined`,
  ],
  [
    manifest([spec({ dtype: 'int32', quantization: { dtype: 'float16' } })]),
    'RangeError',
    `${group}.weights[0].quantization: dtype must be one of "uint8", "uint16", got "float16"`,
  ],
  [
    manifest([spec({ quantization: { dtype: 'uint8', scale: 'x' } })]),
    'TypeError',
    `${group}.weights[0].quantization: scale must be a finite number, got "x"`,
  ],
  [
    manifest([spec({ quantization: { dtype: 'uint8' } })]),
    'RangeError',
    'weights must have 2 bytes in weights.bin, got 8',
  ],
  [manifest([spec({ shape: [3] })]), 'RangeError', 'weights must have 12 bytes in weights.bin, got 8'],
  [
    manifest([spec({ shape: [2 ** 40] })]),
    'RangeError',
    'weights must have 4398046511104 bytes in weights.bin, got 8',
  ],
  [manifest([spec({ shape: [1] })]), 'RangeError', 'weights must have 4 bytes in weights.bin, got 8'],
  [manifest([spec()], []), 'RangeError', 'weights must have 8 bytes in no files, got 0'],
  [
    manifest([spec({ dtype: 'bool', shape: [8] })]),
    'RangeError',
    'weight "w" must hold only 0 and 1, got another byte',
  ],
  [manifest([spec()], ['sub']), 'RangeError', 'sub must be a regular file, got a folder'],
] as [object, string, string][])('a hostile file %#', async (changes, kind, text) => {
  mkdirSync(join(folder, 'sub'), { recursive: true })
  writeFileSync(join(folder, 'weights.bin'), Buffer.alloc(8, 7))
  writeFileSync(jsonPath, JSON.stringify({ modelTopology: topology, ...manifest([spec()]), ...changes }))
  expect(await caught(() => readLayersModel(folder))).toBe(`${kind}: readLayersModel: ${jsonPath} ${text}`)
})

test('no JSON, a list, a link out of the folder, nothing', async () => {
  mkdirSync(folder)
  const where = `readLayersModel: ${jsonPath}`
  writeFileSync(jsonPath, '{')
  expect(await caught(() => readLayersModel(folder))).toContain(`RangeError: ${where} must be JSON, got `)
  writeFileSync(jsonPath, '[1]')
  expect(await caught(() => readLayersModel(folder))).toBe(
    `TypeError: ${where} must hold a JSON object, got [1]`,
  )
  writeFileSync(join(root, 'secret'), Buffer.alloc(8))
  symlinkSync(join(root, 'secret'), join(folder, 'weights.bin'))
  writeFileSync(jsonPath, JSON.stringify({ modelTopology: topology, ...manifest([spec()]) }))
  const text = `weights.bin must lie inside the model's folder, got ${JSON.stringify(join(root, 'secret'))}`
  expect(await caught(() => readLayersModel(folder))).toBe(`RangeError: ${where} ${text}`)
  writeFileSync(jsonPath, '')
  truncateSync(jsonPath, 17 * 2 ** 20)
  const longest = 16 * 2 ** 20
  expect(await caught(() => readLayersModel(folder))).toBe(
    `RangeError: ${where} must be at most ${longest} bytes, got ${17 * 2 ** 20}`,
  )
  rmSync(folder, { recursive: true })
  expect(await caught(() => readLayersModel(folder))).toContain('ENOENT')
})

test('a model.json that would not be read again is not written', async () => {
  const userMetadata = { text: 'x'.repeat(2 ** 24) }
  expect(await caught(() => writeLayersModel(folder, { topology, weights, userMetadata }))).toContain(
    `RangeError: writeLayersModel: model.json must be at most ${2 ** 24} bytes, got `,
  )
})

test('a failed write leaves the old files and no others', async () => {
  await writeLayersModel(folder, { topology, weights })
  const before = readFileSync(jsonPath, 'utf8')
  const cyclic: Record<string, unknown> = {}
  cyclic.self = cyclic
  expect(await caught(() => writeLayersModel(folder, { topology: cyclic as never, weights: [] }))).toContain(
    'TypeError',
  )
  const twice = [weights[0]!, weights[0]!]
  expect(await caught(() => writeLayersModel(folder, { topology, weights: twice }))).toBe(
    'RangeError: writeLayersModel: each weight must have a name of its own, got "dense_A/kernel"',
  )
  expect(readFileSync(jsonPath, 'utf8')).toBe(before)
  expect(readdirSync(folder).sort()).toEqual(['model.json', expect.stringMatching(weightsName)])
})

test('a failed rename leaves no temporary files', async () => {
  mkdirSync(join(folder, 'model.json', 'inside'), { recursive: true })
  expect(await caught(() => writeLayersModel(folder, { topology, weights }))).toContain('Error: ')
  expect(readdirSync(folder).filter(name => !weightsName.test(name))).toEqual(['model.json'])
})

test("a model's weights go when another is written, other files stay", async () => {
  const files = () => readdirSync(folder).sort()
  await writeLayersModel(folder, { topology, weights })
  const first = files()
  await writeLayersModel(folder, { topology, weights })
  expect(files()).toEqual(first)
  const odd = ['notes.bin', 'weights.bin', 'weights-0123456789abcdef.bin']
  for (const name of odd) writeFileSync(join(folder, name), 'x')
  await writeLayersModel(folder, { topology, weights: weights.slice(0, 2) })
  expect(files()).not.toContain(first[1])
  expect(files()).toHaveLength(5)
  const second = files().find(name => weightsName.test(name) && !odd.includes(name))
  // A model.json names what it will; only what could be weights of ours is removed.
  const json = JSON.parse(readFileSync(jsonPath, 'utf8'))
  json.weightsManifest[0].paths = odd
  writeFileSync(jsonPath, JSON.stringify(json))
  await writeLayersModel(folder, { topology, weights })
  expect(files()).toEqual(['model.json', 'notes.bin', first[1], second].sort())
})

test('file URLs are what TF.js takes them for', async () => {
  expect(pathOfUrl('save', 'file://digits')).toBe(resolve('digits'))
  expect(pathOfUrl('save', 'file:///a/b')).toBe(resolve('/a/b'))
  expect(pathOfUrl('save', 'a/b')).toBe(resolve('a/b'))
  expect(await caught(() => pathOfUrl('save', 'indexeddb://x'))).toBe(
    'RangeError: save: URL must start with file://, got "indexeddb://x"',
  )
})
