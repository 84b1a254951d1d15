import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { readCheckpoint } from '../../src/checkpoints/reading.ts'
import { readIdx } from '../../src/data/idx.ts'
import { realFiles } from '../../src/formats/files.ts'
import { npyPieces, readNpy } from '../../src/formats/npy.ts'
import { readNpz } from '../../src/formats/npz.ts'
import { parquet } from '../../src/formats/parquet.ts'
import { readSafetensors } from '../../src/formats/safetensors.ts'
import * as ls from '../../src/index.ts'
import { checkPreprocessing } from '../../src/tables/encoding.ts'
import { readJson } from '../../src/tables/folder.ts'
import { openTable } from '../../src/tables/source.ts'
import { Warnings } from '../../src/tables/warnings.ts'
import { readStudyFile } from '../../src/tune/file.ts'
import { noise } from '../bed.ts'
import { bytesOf, numbered } from '../checkpoints/bytes.ts'
import type { Format } from './mutations.ts'
import { archive } from './npzFile.ts'

const table = ls.tensor(noise(6, 1), [2, 3])
const npy = Buffer.concat(npyPieces(table))

/** What a model gives a handler. */
async function artifactsOf(model: ls.Sequential | ls.Model): Promise<ls.SavedArtifacts> {
  let given: ls.SavedArtifacts | undefined
  const modelArtifactsInfo = { dateSaved: new Date(0), modelTopologyType: 'JSON' as const }
  const save = (artifacts: ls.SavedArtifacts) => {
    given = artifacts
    return { modelArtifactsInfo }
  }
  await model.save({ save }, { includeOptimizer: true })
  return given!
}

/** What is left out of model.json, so that it is small: it means nothing, or what is so by default. */
const needless = [
  'kernel_initializer',
  'bias_initializer',
  'trainable',
  'keras_version',
  'backend',
  'generatedBy',
]

/** model.json of a model, with its weights beside it. */
export async function formatOf(name: string, model: ls.Sequential | ls.Model): Promise<Format> {
  const { weightData, weightSpecs, ...rest } = await artifactsOf(model)
  const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }]
  const kept = (key: string, value: unknown) => (needless.includes(key) || value === null ? undefined : value)
  const sound = Buffer.from(JSON.stringify({ ...rest, weightsManifest }, kept))
  return {
    name,
    sound,
    headerLength: sound.length,
    isLoose: true,
    fileName: 'model.json',
    prepare: folder => writeFileSync(join(folder, 'weights.bin'), new Uint8Array(weightData)),
    read: async path => (await ls.loadLayersModel(`file://${path}`)).dispose(),
  }
}

const stack = () =>
  ls.sequential({ layers: [ls.layers.dense({ units: 2, inputShape: [3], name: 'd' })], name: 'm', seed: 1 })

function graph(): ls.Model {
  const x = ls.input({ shape: [4, 3], name: 'x' })
  const a = ls.layers.lstm({ units: 2, name: 'a' }).apply(x) as ls.SymbolicTensor
  const b = ls.layers.batchNormalization({ name: 'b' }).apply(a) as ls.SymbolicTensor
  const sum = ls.layers.add({ name: 's' }).apply([a, b]) as ls.SymbolicTensor
  const model = ls.model({ inputs: x, outputs: sum, name: 'g' })
  model.compile({
    optimizer: ls.train.adam({ clipNorm: 1 }),
    loss: ls.losses.huber({ delta: 2 }),
    metrics: ['mae'],
  })
  return model
}

/** A safetensors file: the length of the header, the header, the elements. */
function safetensors(): Buffer {
  const entry = { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] }
  const header = Buffer.from(
    JSON.stringify({
      __metadata__: { a: 'b' },
      t: entry,
      u: { dtype: 'I64', shape: [2], data_offsets: [24, 40] },
    }),
  )
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  return Buffer.concat([length, header, Buffer.alloc(40)])
}

const idx = Buffer.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6])
const readIdxOf = async (path: string) => readIdx(path)
const readRows = (path: string) => parquet(path).toArray()
const words = ['red', 'green', undefined, 'blue', 'red', 'red', 'green', 'blue']
const columnData = [
  { name: 'word', data: words, type: 'STRING', nullable: true },
  { name: 'number', data: words.map((_, i) => i / 3), type: 'DOUBLE' },
  { name: 'same', data: words.map(() => 3), type: 'INT32' },
  { name: 'steps', data: words.map((_, i) => i * i), type: 'INT32', encoding: 'DELTA_BINARY_PACKED' },
  {
    name: 'lengths',
    data: words.map((_, i) => 'x'.repeat(i)),
    type: 'STRING',
    encoding: 'DELTA_LENGTH_BYTE_ARRAY',
  },
  { name: 'sorted', data: words.map((_, i) => `row ${i}`), type: 'STRING', encoding: 'DELTA_BYTE_ARRAY' },
] as const

type Pack = (bytes: Uint8Array) => Uint8Array
/** Node has Zstandard from 22.15 on. */
const { zstdCompressSync } = zlib as { zstdCompressSync?: Pack }
const compressors = {
  GZIP: (bytes: Uint8Array) => zlib.gzipSync(bytes),
  BROTLI: (bytes: Uint8Array) => zlib.brotliCompressSync(bytes),
  ...(zstdCompressSync && { ZSTD: zstdCompressSync }),
}

function rowsPackedBy(codec: 'UNCOMPRESSED' | 'SNAPPY' | keyof typeof compressors): Format {
  const sound = Buffer.from(parquetWriteBuffer({ columnData: columnData as never, codec, compressors }))
  return { name: `parquet, ${codec}`, sound, headerLength: sound.length, read: readRows }
}

const csv = Buffer.from('a,b,c\n1,2,x\n3,,"y\n""z"""\n')
const jsonLines = Buffer.from('{"a":1,"b":"x","c":true}\n{"a":-2.5,"b":null}\n{"c":false}\n')
const jsonList = Buffer.from('[{"a":1,"b":"[x","c":true},\n{"a":-2.5,"b":null}, {"c":false}]\n')

async function readTable(path: string): Promise<void> {
  const table = await openTable(path)
  for await (const _ of table.rows(new Warnings()));
}

const preprocessing = JSON.stringify({
  format: 'lockstep preprocessing 1',
  columns: [
    { name: 'a', type: 'number', indicator: true, mean: 1, deviation: 2 },
    { name: 'b', type: 'category', indicator: false, words: ['x', 'y'], other: true },
    { name: 'c', type: 'date', indicator: false, hours: true, trend: { mean: 1, deviation: 2 } },
    { name: 'd', type: 'boolean', indicator: false },
  ],
  target: { name: 't', task: 'class', type: 'category', classes: ['p', 'q'] },
})

const study = [
  {
    ...{ format: 'lockstep-study', version: 1, direction: 'minimize', seed: 1, lag: 1 },
    space: {
      rate: { float: [0.001, 1], log: true },
      kind: { choice: ['a', 'b'] },
      units: { int: [1, 8], when: { kind: 'a' } },
    },
    sampler: { kind: 'random' },
    pruner: { kind: 'none' },
  },
  {
    ...{ number: 0, state: 'complete', value: 1, reports: [[1, 2]], seconds: 1 },
    parameters: { rate: 0.1, kind: 'b' },
  },
]
  .map(each => `${JSON.stringify(each)}\n`)
  .join('')

/** A checkpoint with its own length and SHA-256 at its end. */
function sealed(bytes: Buffer): Buffer {
  if (bytes.length < 56) return bytes
  bytes.writeBigUInt64LE(BigInt(bytes.length), bytes.length - 40)
  createHash('sha256')
    .update(bytes.subarray(0, -32))
    .digest()
    .copy(bytes, bytes.length - 32)
  return bytes
}

/** A small file of every format and kind. */
export async function soundFormats(): Promise<Format[]> {
  const plain = { headerLength: 0 }
  return [
    await formatOf('model.json of a stack', stack()),
    await formatOf('model.json of a graph', graph()),
    { ...plain, name: 'safetensors', sound: safetensors(), read: readSafetensors },
    { ...plain, name: 'npy', sound: npy, read: readNpy },
    {
      ...plain,
      name: 'npz',
      sound: archive([
        { name: 'a.npy', data: npy },
        { name: 'b.npy', data: npy, method: 0 },
      ]),
      read: readNpz,
    },
    { ...plain, name: 'idx', sound: idx, read: readIdxOf },
    { ...plain, name: 'idx in gzip', sound: zlib.gzipSync(idx), read: readIdxOf },
    {
      ...plain,
      name: 'csv',
      sound: csv,
      read: path => ls.data.csv(path).toArray(),
    },
    rowsPackedBy('UNCOMPRESSED'),
    rowsPackedBy('SNAPPY'),
    rowsPackedBy('GZIP'),
    rowsPackedBy('BROTLI'),
    ...(zstdCompressSync ? [rowsPackedBy('ZSTD')] : []),
    {
      ...plain,
      name: 'checkpoint',
      sound: bytesOf(numbered(2)),
      seal: sealed,
      read: path => readCheckpoint(`read: ${path}`, path),
    },
    { ...plain, name: 'study', sound: Buffer.from(study), read: path => readStudyFile(path, realFiles) },
    { ...plain, name: 'table of CSV', fileName: 'table.csv', sound: csv, read: readTable },
    { ...plain, name: 'table of JSON lines', fileName: 'table.jsonl', sound: jsonLines, read: readTable },
    { ...plain, name: 'table of a JSON list', fileName: 'table.json', sound: jsonList, read: readTable },
    {
      ...plain,
      name: 'preprocessing',
      sound: Buffer.from(preprocessing),
      read: async path => checkPreprocessing(path, await readJson(path, 'make one')),
    },
  ]
}
