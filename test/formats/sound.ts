import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as zlib from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { readIdx } from '../../src/data/idx.ts'
import { npyPieces, readNpy } from '../../src/formats/npy.ts'
import { readNpz } from '../../src/formats/npz.ts'
import { parquet } from '../../src/formats/parquet.ts'
import { readSafetensors } from '../../src/formats/safetensors.ts'
import * as ls from '../../src/index.ts'
import { noise } from '../bed.ts'
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

function rowsPackedBy(codec: 'UNCOMPRESSED' | 'SNAPPY' | 'GZIP'): Format {
  const compressors = { GZIP: (bytes: Uint8Array) => zlib.gzipSync(bytes) }
  const sound = Buffer.from(parquetWriteBuffer({ columnData: columnData as never, codec, compressors }))
  return { name: `parquet, ${codec}`, sound, headerLength: sound.length, read: readRows }
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
      sound: Buffer.from('a,b,c\n1,2,x\n3,,"y\n""z"""\n'),
      read: path => ls.data.csv(path).toArray(),
    },
    rowsPackedBy('UNCOMPRESSED'),
    rowsPackedBy('SNAPPY'),
    rowsPackedBy('GZIP'),
  ]
}
