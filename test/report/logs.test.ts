import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import * as ls from '../../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'logs-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const x = Float32Array.from({ length: 3 * 100 }, (_, i) => ((i * 7919) % 101) / 101)
const y = Float32Array.from({ length: 100 }, (_, i) => x[3 * i]! - x[3 * i + 1]! + 0.1)

async function fit(callbacks: ls.BaseCallback | ls.BaseCallback[], more: object = {}) {
  const model = ls.sequential({ layers: [ls.layers.dense({ units: 1, inputShape: [3] })], seed: 3 })
  model.compile({ optimizer: ls.train.sgd(0.1), loss: 'meanSquaredError', metrics: ['meanAbsoluteError'] })
  const options = {
    epochs: 4,
    seed: 5,
    batchSize: 10,
    workers: 2,
    validationData: [x, y] as const,
    callbacks,
  }
  return model.fit(x, y, { ...options, ...more })
}

/** The remainder of a division by Castagnoli's polynomial, bit by bit (RFC 3720, appendix B.4). */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffffn
  for (const byte of bytes)
    for (let bit = 0n; bit < 8n; bit++) {
      const isOdd = (crc ^ (BigInt(byte) >> bit)) & 1n
      crc = (crc >> 1n) ^ (isOdd ? 0x82f63b78n : 0n)
    }
  return Number(crc ^ 0xffffffffn)
}

/** TensorFlow's mask of a CRC, undone (tensorflow/core/lib/hash/crc32c.h). */
function unmasked(masked: number): number {
  const turned = BigInt.asUintN(32, BigInt(masked) - 0xa282ead8n)
  return Number(BigInt.asUintN(32, (turned >> 17n) | (turned << 15n)))
}

type Message = Map<number, (number | bigint | Uint8Array)[]>

/** The fields of a message in protocol buffers, by number. */
function messageOf(bytes: Uint8Array): Message {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const fields: Message = new Map()
  let at = 0
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const key = Number(varint())
    const [field, type] = [key >> 3, key & 7]
    const list = fields.get(field) ?? []
    fields.set(field, list)
    if (type === 0) list.push(varint())
    else if (type === 1) list.push(view.getFloat64((at += 8) - 8, true))
    else if (type === 5) list.push(view.getFloat32((at += 4) - 4, true))
    else if (type === 2) {
      const length = Number(varint())
      list.push(bytes.subarray(at, (at += length)))
    } else throw new Error(`wire type ${type}`)
  }
  expect(at).toBe(bytes.length)
  return fields
}

/** The events of the one file in a folder. */
function eventsIn(path: string) {
  const names = readdirSync(path)
  expect(names).toEqual([expect.stringMatching(/^events\.out\.tfevents\.\d{10}\./)])
  const bytes = readFileSync(join(path, names[0]!))
  const events: { seconds: number; step: number; version?: string; scalars: Record<string, number> }[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at))
    expect(unmasked(bytes.readUInt32LE(at + 8))).toBe(crc32c(bytes.subarray(at, at + 8)))
    const data = bytes.subarray(at + 12, at + 12 + length)
    expect(unmasked(bytes.readUInt32LE(at + 12 + length))).toBe(crc32c(data))
    at += 16 + length
    const event = messageOf(data)
    const text = (field: unknown) => Buffer.from(field as Uint8Array).toString()
    const values = (event.get(5) ?? []).flatMap(summary => messageOf(summary as Uint8Array).get(1) ?? [])
    events.push({
      seconds: event.get(1)![0] as number,
      step: Number(event.get(2)![0]),
      ...(event.has(3) && { version: text(event.get(3)![0]) }),
      scalars: Object.fromEntries(
        values.map(value => {
          const fields = messageOf(value as Uint8Array)
          return [text(fields.get(1)![0]), fields.get(2)![0] as number]
        }),
      ),
    })
  }
  return events
}

test('the CRC of the test is that of RFC 3720', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43)
})

test('event files hold what the history says', async () => {
  const logDir = join(folder, 'runs', 'one')
  const { history } = await fit(ls.callbacks.tensorBoard({ logDir }))
  const [training, validation] = ['train', 'validation'].map(name => eventsIn(join(logDir, name)))
  for (const events of [training!, validation!]) {
    expect(events[0]).toMatchObject({ version: 'brain.Event:2', step: 0, scalars: {} })
    expect(events.slice(1).map(({ step }) => step)).toEqual([0, 1, 2, 3])
    for (const { seconds } of events) expect(Math.abs(seconds - Date.now() / 1000)).toBeLessThan(600)
  }
  const scalars = (events: typeof training, tag: string) => events!.slice(1).map(event => event.scalars[tag])
  const float = (values: number[]) => values.map(Math.fround)
  expect(scalars(training, 'epoch_loss')).toEqual(float(history.loss!))
  expect(scalars(training, 'epoch_meanAbsoluteError')).toEqual(float(history.meanAbsoluteError!))
  expect(scalars(training, 'epoch_learning_rate')).toEqual(float([0.1, 0.1, 0.1, 0.1]))
  expect(scalars(training, 'epoch_samples_per_second').every(speed => speed! > 0)).toBe(true)
  expect(scalars(validation, 'epoch_loss')).toEqual(float(history.val_loss!))
  expect(Object.keys(validation![1]!.scalars)).toEqual(['epoch_loss', 'epoch_meanAbsoluteError'])
})

const linesOf = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))

test('jsonLogger writes an object a line, anew or behind what is there', async () => {
  const path = join(folder, 'training.jsonl')
  writeFileSync(path, '{"epoch":99}\n')
  const { history } = await fit(ls.callbacks.jsonLogger(path))
  const lines = linesOf(path)
  expect(lines.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3])
  expect(lines.map(({ loss }) => loss)).toEqual(history.loss)
  expect(lines[3]).toEqual({
    epoch: 3,
    learningRate: 0.1,
    ...Object.fromEntries(Object.entries(history).map(([name, values]) => [name, values[3]])),
    samples: 100,
    seconds: expect.any(Number),
    barrierShares: [expect.any(Number), expect.any(Number)],
  })
  await fit(ls.callbacks.jsonLogger(path, { append: true }))
  expect(linesOf(path).map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3, 0, 1, 2, 3])
})

test('a training that is resumed goes on in the file, behind its checkpoint', async () => {
  const [path, directory] = [join(folder, 'resumed.jsonl'), join(folder, 'checkpoints')]
  const whole = join(folder, 'whole.jsonl')
  const { history } = await fit(ls.callbacks.jsonLogger(whole))
  const checkpoint = () => ls.callbacks.checkpoint({ directory, every: { epochs: 2 } })
  await fit([checkpoint(), ls.callbacks.jsonLogger(path)], { epochs: 2 })
  writeFileSync(path, `${readFileSync(path, 'utf8')}{"epoch":2,"loss":7}\n{"half`)
  await fit([checkpoint(), ls.callbacks.jsonLogger(path)], { resume: directory })
  expect(linesOf(path).map(({ epoch, loss }) => [epoch, loss])).toEqual(
    history.loss!.map((loss, i) => [i, loss]),
  )
})

test.each([
  [
    () => ls.callbacks.tensorBoard({ logDir: '' }),
    'tensorBoard: logDir must be that of a folder, got ""; name one',
  ],
  [
    () => ls.callbacks.tensorBoard({ logdir: 'a' } as never),
    'tensorBoard: unknown option "logdir"; did you mean "logDir"?',
  ],
  [() => ls.callbacks.jsonLogger(''), 'jsonLogger: path must be that of a file, got ""; name one'],
  [
    () => ls.callbacks.jsonLogger('a', { append: 1 as never }),
    'jsonLogger: append must be true or false, got 1; correct it',
  ],
])('wrong options are refused: %#', (make, message) => {
  expect(make).toThrow(message)
})

test('what writes and shows is loaded by those alone who use it', async () => {
  const { stdout } = await import('node:child_process').then(({ spawnSync }) =>
    spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { registerHooks } from 'node:module'
         const loaded = []
         registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context) } })
         await import(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)})
         console.log(loaded.filter(url => url.includes('/dist/report/')).length, loaded.length > 100)`,
      ],
      { encoding: 'utf8' },
    ),
  )
  expect(stdout.trim()).toBe('0 true')
})
