import { appendFile, mkdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Audience } from '../training/announcing.ts'
import type { EpochRecord } from '../training/recorder.ts'

// A file of events is a row of records, each: length (uint64), its masked CRC, data, its masked CRC. Data is an Event in
// protocol buffers. Sources: tensorflow/core/lib/io/record_writer.cc, tensorflow/core/util/event.proto, summary.proto.

/** CRC-32C (Castagnoli), bit-reversed polynomial 0x82f63b78. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc
})

/** A CRC of data that holds CRCs is weak, so it is turned and moved. */
function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = table[(crc ^ byte) & 255]! ^ (crc >>> 8)
  crc = ~crc >>> 0
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

function framed(data: Uint8Array): Buffer {
  const record = Buffer.alloc(16 + data.length)
  record.writeUInt32LE(data.length, 0)
  record.writeUInt32LE(maskedCrc(record.subarray(0, 8)), 8)
  record.set(data, 12)
  record.writeUInt32LE(maskedCrc(data), 12 + data.length)
  return record
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Buffer.from([...bytes, rest])
}

const [varintType, doubleType, bytesType, floatType] = [0, 1, 2, 5]
const keyOf = (field: number, type: number) => varint(field * 8 + type)
const nested = (field: number, content: Uint8Array) =>
  Buffer.concat([keyOf(field, bytesType), varint(content.length), content])

function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return Buffer.concat([keyOf(field, doubleType), bytes])
}

function floatField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return Buffer.concat([keyOf(field, floatType), bytes])
}

/** Event { wall_time = 1, step = 2, file_version = 3 or summary = 5 }. */
const eventOf = (seconds: number, step: number, what: Buffer) =>
  framed(Buffer.concat([doubleField(1, seconds), keyOf(2, varintType), varint(step), what]))

/** Summary { value = 1 { tag = 1, simple_value = 2 } … }. */
const summaryOf = (scalars: readonly (readonly [tag: string, value: number])[]) =>
  nested(
    5,
    Buffer.concat(
      scalars.map(([tag, value]) =>
        nested(1, Buffer.concat([nested(1, Buffer.from(tag)), floatField(2, value)])),
      ),
    ),
  )

let files = 0

/** A file of events in a folder, which is made; each write is whole records. */
class EventFile {
  private readonly folder: string
  private readonly name: string
  private isOpen = false

  constructor(folder: string) {
    this.folder = folder
    const seconds = Math.floor(Date.now() / 1000)
    this.name = `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${files++}.v2`
  }

  async write(step: number, scalars: readonly (readonly [tag: string, value: number])[]): Promise<void> {
    if (scalars.length === 0) return
    const seconds = Date.now() / 1000
    const records = [eventOf(seconds, step, summaryOf(scalars))]
    if (!this.isOpen) {
      await mkdir(this.folder, { recursive: true })
      records.unshift(eventOf(seconds, 0, nested(3, Buffer.from('brain.Event:2'))))
      this.isOpen = true
    }
    await appendFile(join(this.folder, this.name), Buffer.concat(records))
  }
}

/** Event files of training and validation, in the manner of Keras. */
export async function openEvents(logDir: string): Promise<Audience> {
  const [training, validation] = ['train', 'validation'].map(name => new EventFile(join(logDir, name)))
  return {
    async told(epochs: readonly EpochRecord[]) {
      const { epoch, logs, learningRate, pace } = epochs.at(-1)!
      const named = Object.entries(logs).map(([name, value]) => [name, value] as const)
      const held = named.filter(([name]) => name.startsWith('val_'))
      const own = named.filter(([name]) => !name.startsWith('val_'))
      const tagged = (list: typeof named, cut: number) =>
        list.map(([name, value]) => [`epoch_${name.slice(cut)}`, value] as const)
      const speed = pace
        ? ([['epoch_samples_per_second', pace.samples / Math.max(pace.seconds, 1e-9)]] as const)
        : []
      await training!.write(epoch - 1, [...tagged(own, 0), ['epoch_learning_rate', learningRate], ...speed])
      await validation!.write(epoch - 1, tagged(held, 4))
    },
    end() {},
  }
}
