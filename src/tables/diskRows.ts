import { randomBits } from '../data/random.ts'
import { Tensor } from '../data/tensor.ts'
import type { BatchElement, Batches } from '../model/pass.ts'
import { Encoder } from './encoder.ts'
import { type Samples, targetsOf } from './learning.ts'
import type { TableConfiguration, TrainOptions } from './options.ts'
import { type PreparedInPieces, partNames, pieceRows, piecesOf } from './piecewise.ts'
import { type Held, roomFor } from './room.ts'
import type { TableRows } from './rows.ts'
import { Scratch } from './scratch.ts'
import type { Parts } from './splitting.ts'

/** Bytes of rows that are shuffled together: they are drawn from all of the training part. */
const bucketBytes = 4 * 2 ** 20
/** Bytes of rows that are read at once where they are not shuffled. */
const pieceBytes = 4 * 2 ** 20
/** Rows from which it is told what a training takes, unless mini-batches are larger. */
const sampleRows = 8192

/** Rows that were read together, and the order in which they are taken. */
interface Chunk {
  readonly rows: Float32Array<ArrayBuffer>
  readonly order: Uint32Array
}

const inOrder = (count: number) => Uint32Array.from({ length: count }, (_, i) => i)

function shuffled(count: number, draw: () => number): Uint32Array {
  const order = inOrder(count)
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor((draw() / 2 ** 32) * (i + 1))
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  return order
}

/** Where rows go in the file. */
interface Layout {
  readonly encoder: Encoder
  /** Numbers of a row: inputs, and the target behind them. */
  readonly width: number
  readonly buckets: number
  /** The bucket of each training row. */
  readonly bucketAt: Uint32Array
  /** Rows of each bucket, of validation and of test. */
  readonly sizes: readonly number[]
}

function layoutOf({ parts, preprocessing }: PreparedInPieces, seed: number): Layout {
  const encoder = new Encoder(preprocessing.columns)
  const width = encoder.width + (encoder.lookups?.columns ?? 0) + 1
  const count = parts.training.length
  const rows = Math.max(1, Math.floor(bucketBytes / (4 * width)))
  const buckets = Math.ceil(count / rows)
  const bucketAt = new Uint32Array(count)
  const order = shuffled(count, randomBits(seed))
  for (let place = 0; place < count; place++) bucketAt[order[place]!] = Math.floor(place / rows)
  const sizes = Array.from({ length: buckets }, (_, b) => Math.min(rows, count - b * rows))
  const all = [...sizes, parts.validation.length, parts.test.length]
  return { encoder, width, buckets, bucketAt, sizes: all }
}

/** What is in memory as long as rows are read. */
function heldBy(
  { lines, roles, parts, partAt }: PreparedInPieces,
  { bucketAt, width }: Layout,
  truth: TableRows['truth'],
): Held {
  const places = [lines, partAt, bucketAt, ...Object.values(parts), ...Object.values(truth)]
  const columns = [...new Set([roles.target, roles.divider])].filter(column => column !== undefined)
  return {
    'targets and places of rows':
      places.reduce((sum, { byteLength }) => sum + byteLength, 0) +
      columns.reduce((sum, { bytes }) => sum + bytes, 0),
    'pieces of rows': 3 * bucketBytes + pieceBytes + 8 * width * pieceRows,
  }
}

/**
 * Encoded rows of a table in a file: the training part in buckets, each drawn from all of it, then validation and test as they
 * stand in the table. A pass over the training part takes the buckets in an order of its own and shuffles the rows of each;
 * the seed and the number of the pass decide.
 */
class DiskRows implements TableRows {
  readonly encoder: Encoder
  readonly held: Held
  readonly truth: TableRows['truth']
  private readonly prepared: PreparedInPieces
  private readonly layout: Layout
  private readonly seed: number
  private readonly file: Scratch

  constructor(
    prepared: PreparedInPieces,
    { layout, truth, held }: { layout: Layout; truth: TableRows['truth']; held: Held },
    seed: number,
    file: Scratch,
  ) {
    this.encoder = layout.encoder
    this.held = held
    this.truth = truth
    this.prepared = prepared
    this.layout = layout
    this.seed = seed
    this.file = file
  }

  /** Encodes the table into the file. */
  async write(options: TrainOptions): Promise<void> {
    const { prepared, encoder, file } = this
    const { width, bucketAt, buckets } = this.layout
    const { table, roles, partAt, target, truthAt } = prepared
    let next = 0
    for await (const { first, count, columns } of piecesOf(table, roles.inputs, options)) {
      const rows = inOrder(count).filter(i => partAt[first + i]! < partNames.length)
      const x = encoder.joined(encoder.tensors(columns, rows)).values as Float32Array
      const y = targetsOf(
        target,
        Float64Array.from(rows, i => truthAt(first + i)),
      ).values
      for (const [i, row] of rows.entries()) {
        const part = partAt[first + row]!
        const written = file.add(part === 0 ? bucketAt[next++]! : buckets + part - 1, (into, at) => {
          into.set(x.subarray(i * (width - 1), (i + 1) * (width - 1)), at)
          into[at + width - 1] = y[i]!
        })
        if (written) await written
      }
    }
    await file.flushAll()
  }

  async some(batchSize = 0): ReturnType<TableRows['some']> {
    const first = async (start: number, count: number): Promise<Samples> => {
      const rows = Math.min(count, Math.max(sampleRows, batchSize))
      return this.samplesOf(await this.file.read(start, rows), rows)
    }
    const { training, validation } = this.truth
    return {
      training: await first(0, training.length),
      validation: await first(this.startOf('validation'), validation.length),
    }
  }

  training(batchSize: number): Batches {
    let passes = 0
    return this.batches(() => this.shuffledChunks(passes++), this.truth.training.length, batchSize)
  }

  validation(batchSize: number): Batches {
    return this.batches(() => this.chunks('validation'), this.truth.validation.length, batchSize)
  }

  async *pieces(part: 'validation' | 'test'): AsyncGenerator<{ x: Samples['x']; truth: Float64Array }> {
    let from = 0
    for await (const { rows, order } of this.chunks(part)) {
      const { x } = this.samplesOf(rows, order.length)
      yield { x, truth: this.truth[part].subarray(from, from + order.length) }
      from += order.length
    }
  }

  async joined(part: 'validation' | 'test', rows: Uint32Array): Promise<Tensor> {
    const { width } = this.layout
    const inputs = width - 1
    const x = new Float32Array(rows.length * inputs)
    let [from, i] = [0, 0]
    for await (const { rows: read, order } of this.chunks(part)) {
      for (; i < rows.length && rows[i]! < from + order.length; i++) {
        const at = (rows[i]! - from) * width
        x.set(read.subarray(at, at + inputs), i * inputs)
      }
      from += order.length
    }
    return new Tensor(x, [rows.length, inputs], 'float32')
  }

  close(): Promise<void> {
    return this.file.remove()
  }

  private startOf(part: 'validation' | 'test'): number {
    return this.file.startOf(this.layout.buckets + partNames.indexOf(part) - 1)
  }

  private async *shuffledChunks(pass: number): AsyncGenerator<Chunk> {
    const draw = randomBits(this.seed + 1 + Math.imul(pass, 0x85ebca6b))
    for (const bucket of shuffled(this.layout.buckets, draw)) {
      const count = this.layout.sizes[bucket]!
      const order = shuffled(count, draw)
      yield { rows: await this.file.read(this.file.startOf(bucket), count), order }
    }
  }

  private async *chunks(part: 'validation' | 'test'): AsyncGenerator<Chunk> {
    const start = this.startOf(part)
    const most = Math.max(1, Math.floor(pieceBytes / (4 * this.layout.width)))
    const count = this.truth[part].length
    for (let from = 0; from < count; from += most) {
      const order = inOrder(Math.min(most, count - from))
      yield { rows: await this.file.read(start + from, order.length), order }
    }
  }

  /** Mini-batches of one size, whatever is read at once; the last may be smaller. */
  private batches(open: () => AsyncIterable<Chunk>, count: number, batchSize: number): Batches {
    const { width } = this.layout
    const samplesOf = this.samplesOf.bind(this)
    async function* pass(): AsyncGenerator<BatchElement> {
      const batch = new Float32Array(batchSize * width)
      let filled = 0
      for await (const { rows, order } of open())
        for (const row of order) {
          batch.set(rows.subarray(row * width, (row + 1) * width), filled++ * width)
          if (filled < batchSize) continue
          const { x, y } = samplesOf(batch, filled)
          yield { xs: x, ys: y }
          filled = 0
        }
      if (filled === 0) return
      const { x, y } = samplesOf(batch, filled)
      yield { xs: x, ys: y }
    }
    return Object.assign(pass, { size: Math.ceil(count / batchSize) })
  }

  /** The first rows of some, as networks take them. */
  private samplesOf(rows: Float32Array, count: number): Samples {
    const { encoder, width } = this.layout
    const inputs = width - 1
    const [x, y] = [new Float32Array(count * inputs), new Float32Array(count)]
    for (let i = 0; i < count; i++) {
      x.set(rows.subarray(i * width, i * width + inputs), i * inputs)
      y[i] = rows[i * width + inputs]!
    }
    const isClass = this.prepared.target.task === 'class'
    return {
      x: encoder.parted(new Tensor(x, [count, inputs], 'float32')),
      y: isClass ? new Tensor(Int32Array.from(y), [count], 'int32') : new Tensor(y, [count, 1], 'float32'),
    }
  }
}

/** Encodes rows into a file of the folder. @throws RangeError where what must be in memory does not fit */
export async function rowsOnDisk(
  folder: string,
  prepared: PreparedInPieces,
  options: TableConfiguration & TrainOptions,
): Promise<TableRows> {
  const { seed = 7 } = options
  const layout = layoutOf(prepared, seed)
  const truthOf = (part: keyof Parts) => Float64Array.from(prepared.parts[part], prepared.truthAt)
  const truth = { training: truthOf('training'), validation: truthOf('validation'), test: truthOf('test') }
  const held = heldBy(prepared, layout, truth)
  roomFor(options.maxMemory, held)
  const file = await Scratch.create(folder, layout.width, layout.sizes)
  const rows = new DiskRows(prepared, { layout, truth, held }, seed, file)
  try {
    await rows.write(options)
    return rows
  } catch (error) {
    await rows.close()
    throw error
  }
}
