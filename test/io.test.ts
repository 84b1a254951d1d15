import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise } from './bed.ts'
import { caught } from './caught.ts'
import { close, predictionsOf } from './reference/tfjs.ts'

const folder = mkdtempSync(join(tmpdir(), 'io-'))
const x = noise(4 * 5, 1)
const theirX = tf.tensor2d(x, [4, 5])
const ourX = ls.tensor(x, [4, 5])
const predicted = (model: ls.Sequential | ls.Model) => (model.predict(ourX) as ls.Tensor).dataSync()

const layersOf = (layers: typeof ls.layers) => [
  layers.dense({ units: 6, activation: 'tanh', inputShape: [5], name: 'first' }),
  layers.batchNormalization({ name: 'norm' }),
  layers.dense({ units: 3, name: 'second' }),
]
const ours = ls.sequential({ layers: layersOf(ls.layers), seed: 3 })
const theirs = tf.sequential({ layers: layersOf(tf.layers as never) as never })
const bytes = (6 * 5 + 6 + 4 * 6 + 6 * 3 + 3) * 4

/** What ours gives a handler. */
async function saved(model: ls.Sequential = ours, options?: ls.SaveOptions): Promise<ls.SavedArtifacts> {
  let given: ls.SavedArtifacts | undefined
  const modelArtifactsInfo = { dateSaved: new Date(7), modelTopologyType: 'JSON' as const }
  const handler = ls.io.withSaveHandler(artifacts => {
    given = artifacts
    return { modelArtifactsInfo, more: 1 }
  })
  expect(await model.save(handler, options)).toEqual({ modelArtifactsInfo, more: 1 })
  return given!
}

beforeAll(async () => void (await ours.save(`file://${folder}`)))
afterAll(() => rmSync(folder, { recursive: true }))

describe('handlers', () => {
  test('TensorFlow.js reads what ours saves, by its own handlers', async () => {
    let given: tf.io.ModelArtifacts | undefined
    const handler = tf.io.withSaveHandler(async artifacts => {
      given = artifacts
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
    })
    await ours.save(handler)
    const read = await tf.loadLayersModel(tf.io.fromMemory(given!))
    close(predicted(ours), predictionsOf(read, theirX), 'predictions')
    expect(given!.weightSpecs!.map(({ name }) => name)).toEqual(ours.weights.map(({ name }) => name))
    expect((given!.weightData as ArrayBuffer).byteLength).toBe(bytes)
  })

  test('ours reads what TensorFlow.js saves, in one piece or several', async () => {
    theirs.setUserDefinedMetadata({ about: ['x', 1] })
    let given: tf.io.ModelArtifacts | undefined
    const save = async (artifacts: tf.io.ModelArtifacts) => {
      given = artifacts
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' as const } }
    }
    await theirs.save(ls.io.withSaveHandler(save as never) as tf.io.IOHandler)
    const whole = given!.weightData as ArrayBuffer
    const parts = [whole.slice(0, 7), whole.slice(7, 7), whole.slice(7)]
    for (const weightData of [whole, parts]) {
      for (const { fromMemory } of [tf.io, ls.io] as { fromMemory: (a: object) => ls.IOHandler }[]) {
        const read = await ls.loadLayersModel(fromMemory({ ...given!, weightData }))
        close(predicted(read), predictionsOf(theirs, theirX), 'predictions')
        expect(read.getUserDefinedMetadata()).toEqual({ about: ['x', 1] })
        const again = await saved(read as ls.Sequential)
        expect(JSON.stringify(again.weightSpecs)).toBe(JSON.stringify(given!.weightSpecs))
        expect(Buffer.from(again.weightData as ArrayBuffer).equals(Buffer.from(whole))).toBe(true)
      }
    }
  })

  test('without weights the model has new ones', async () => {
    const { weightData: _, weightSpecs: __, ...rest } = await saved()
    expect((await ls.loadLayersModel(ls.io.fromMemory(rest))).countParams()).toBe(bytes / 4)
  })

  test('only what learns is saved, and read where not strict', async () => {
    const artifacts = await saved(ours, { trainableOnly: true })
    const names = artifacts.weightSpecs.map(({ name }) => name)
    expect(names).toEqual(ours.trainableWeights.map(({ name }) => name))
    expect(artifacts.weightData.byteLength).toBe(bytes - 2 * 6 * 4)
    const handler = ls.io.fromMemory(artifacts)
    expect(await caught(() => ls.loadLayersModel(handler))).toBe(
      'RangeError: loadLayersModel: the handler\'s model must hold the weight "norm/moving_mean", got none of that name; save the model again',
    )
    expect(predicted(await ls.loadLayersModel(handler, { strict: false }))).toEqual(predicted(ours))
    const read = await tf.loadLayersModel(tf.io.fromMemory(artifacts as tf.io.ModelArtifacts), {
      strict: false,
    })
    close(predicted(ours), predictionsOf(read, theirX), 'predictions')
  })

  test('weights too many are refused where strict', async () => {
    const { weightSpecs, weightData, ...rest } = await saved()
    const more = { name: 'third/bias', shape: [1], dtype: 'float32' }
    const longer = { weightSpecs: [...weightSpecs, more], weightData: [weightData, new ArrayBuffer(4)] }
    const handler = ls.io.fromMemory({ ...rest, ...longer })
    expect(await caught(() => ls.loadLayersModel(handler))).toBe(
      'RangeError: loadLayersModel: the handler\'s model must hold weights of the model only, got "third/bias"; ' +
        'give strict: false to leave it out',
    )
    expect(predicted(await ls.loadLayersModel(handler, { strict: false }))).toEqual(predicted(ours))
  })

  test.each([
    [{ modelTopology: undefined }, 'TypeError', 'modelTopology must be an object, got undefined'],
    [{ format: 'graph-model' }, 'RangeError', 'format must be "layers-model", got "graph-model"'],
    [{ weightSpecs: undefined }, 'TypeError', 'weightSpecs must be an array, got undefined'],
    [{ weightSpecs: [3] }, 'TypeError', 'weightSpecs[0] must be an object, got 3'],
    [{ weightSpecs: [] }, 'RangeError', `weights must have 0 bytes in weightData, got ${bytes}`],
    [
      { weightData: new ArrayBuffer(8) },
      'RangeError',
      `weights must have ${bytes} bytes in weightData, got 8`,
    ],
    [
      { weightData: [new ArrayBuffer(bytes), new ArrayBuffer(1)] },
      'RangeError',
      `weights must have ${bytes} bytes in weightData, got ${bytes + 1}`,
    ],
    [
      { weightSpecs: [{ name: 'w', shape: [2 ** 40], dtype: 'float32' }] },
      'RangeError',
      `weights must have ${2 ** 42} bytes in weightData, got ${bytes}`,
    ],
    [{ weightData: 'abc' }, 'TypeError', 'weightData must be an ArrayBuffer or a list of them, got "abc"'],
  ] as [object, string, string][])('a handler that gives something wrong %#', async (changes, kind, text) => {
    const handler = ls.io.fromMemory({ ...(await saved()), ...changes })
    expect(await caught(() => ls.loadLayersModel(handler))).toBe(
      `${kind}: loadLayersModel: the handler's model ${text}`,
    )
  })

  test('what cannot be meant', async () => {
    const url = 'save: URL must start with file://, got "indexeddb://x"'
    const cyclic: Record<string, unknown> = {}
    cyclic.self = cyclic
    const wrong: [() => unknown, string][] = [
      [() => ours.save('indexeddb://x'), `RangeError: ${url}`],
      [
        () => ls.loadLayersModel('indexeddb://x'),
        'RangeError: loadLayersModel: URL must start with file://, http:// or https://, got "indexeddb://x"',
      ],
      [
        () => ours.save({} as ls.IOHandler),
        'TypeError: save: handlerOrURL must be a URL or have a function save, got {}',
      ],
      [
        () => ls.loadLayersModel({}),
        'TypeError: loadLayersModel: pathOrIOHandler must be a URL or have a function load, got {}',
      ],
      [
        () => ls.loadLayersModel({ load: () => null as never }),
        "TypeError: loadLayersModel: the handler's model must be an object with modelTopology, got null",
      ],
      [
        () => ls.io.withSaveHandler(3 as never),
        'TypeError: withSaveHandler: handler must be a function, got 3',
      ],
      [
        () => ls.io.fromMemory(3 as never),
        'TypeError: fromMemory: artifacts must be an object with modelTopology, got 3; give what save gave',
      ],
    ]
    for (const [run, text] of wrong) expect(await caught(run)).toBe(text)
    expect(await caught(() => ls.loadLayersModel({ load: () => ({ modelTopology: cyclic }) }))).toContain(
      "RangeError: loadLayersModel: the handler's model must be JSON, got one that is not: ",
    )
    const own = new Error('mine')
    const fail = () => Promise.reject(own)
    await expect(ls.loadLayersModel({ load: fail })).rejects.toBe(own)
    await expect(ours.save({ save: fail })).rejects.toBe(own)
  })
})

test('save tells what it wrote, as TensorFlow.js does', async () => {
  const { modelArtifactsInfo: info } = await ours.save(`file://${folder}`)
  const { dateSaved, ...sizes } = info
  expect(Math.abs(Date.now() - dateSaved.getTime())).toBeLessThan(60_000)
  const artifacts = (await saved()) as tf.io.ModelArtifacts
  const { dateSaved: _, ...expected } = tf.io.getModelArtifactsInfoForJSON(artifacts)
  expect(sizes).toEqual(expected)
})

test('metadata of the user is kept', async () => {
  const model = ls.sequential({ layers: [ls.layers.dense({ units: 1, inputShape: [2] })] })
  expect(model.getUserDefinedMetadata()).toBe(undefined)
  expect('userDefinedMetadata' in (await saved(model))).toBe(false)
  const metadata = { snake_case: [1, 'twoWords', null, true], a: { camelCase: 1 } }
  model.setUserDefinedMetadata(metadata)
  const artifacts = await saved(model)
  expect((await ls.loadLayersModel(ls.io.fromMemory(artifacts))).getUserDefinedMetadata()).toEqual(metadata)
  const theirs = await tf.loadLayersModel(tf.io.fromMemory(artifacts as tf.io.ModelArtifacts))
  expect(theirs.getUserDefinedMetadata()).toEqual(metadata)
  const cyclic: Record<string, unknown> = {}
  cyclic.self = cyclic
  for (const wrong of [null, 'x', [1], { a: new Date() }, { a: () => 1 }, { a: Number.NaN }, cyclic]) {
    expect(await caught(() => model.setUserDefinedMetadata(wrong as never))).toContain(
      'TypeError: setUserDefinedMetadata: metadata must be an object of what JSON can hold, got ',
    )
  }
  expect(model.getUserDefinedMetadata()).toBe(metadata)
  const handler = ls.io.fromMemory({ ...artifacts, userDefinedMetadata: [1] })
  expect(await caught(() => ls.loadLayersModel(handler))).toContain('metadata must be an object')
})

describe('by http', () => {
  type Answer = (response: ServerResponse, request: IncomingMessage) => unknown
  let answers: Record<string, Answer>
  let heard: string[]
  const server = createServer((request, response) => {
    heard.push(request.url!)
    const answer = answers[request.url!]
    if (answer) answer(response, request)
    else response.writeHead(404).end()
  })
  let host: string
  beforeAll(async () => {
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  let json: { weightsManifest: { paths: string[]; weights: unknown[] }[] }
  let weights: Buffer
  const gives =
    (data: string | Buffer): Answer =>
    response =>
      response.end(data)
  const givesJson = () => gives(JSON.stringify(json))
  beforeEach(() => {
    json = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'))
    weights = readFileSync(join(folder, json.weightsManifest[0]!.paths[0]!))
    json.weightsManifest[0]!.paths = ['one', 'sub/two']
    heard = []
    answers = {
      '/a/model.json': gives(JSON.stringify(json)),
      '/a/one': gives(weights.subarray(0, 30)),
      '/a/sub/two': gives(weights.subarray(30)),
    }
  })
  const load = (options?: ls.LoadOptions, path = '/a/model.json') => ls.loadLayersModel(host + path, options)

  test('a model in shards, with what has come so far', async () => {
    const parts: number[] = []
    const model = await load({ onProgress: part => void parts.push(part) })
    expect(predicted(model)).toEqual(predicted(ours))
    expect(heard).toEqual(['/a/model.json', '/a/one', '/a/sub/two'])
    expect(parts[0]).toBe(30 / bytes)
    expect(parts.at(-1)).toBe(1)
    expect(parts).toEqual(parts.toSorted((a, b) => a - b))
  })

  test('as TensorFlow.js fetches it: query, prefix, converter, request and function of the caller', async () => {
    answers['/a/model.json?v=1'] = givesJson()
    answers['/a/one?v=1'] = answers['/a/one']!
    answers['/a/sub/two?v=1'] = answers['/a/sub/two']!
    answers['/b/get?file=one'] = answers['/a/one']!
    answers['/b/get?file=sub/two'] = answers['/a/sub/two']!
    const trials: [string, ls.LoadOptions][] = [
      ['/a/model.json?v=1', {}],
      ['/a/model.json', { weightPathPrefix: `${host}/b/get?file=` }],
      ['/a/model.json', { weightUrlConverter: async path => `${host}/a/${path}?v=1` }],
    ]
    for (const [path, options] of trials) {
      heard = []
      expect(predicted(await load(options, path))).toEqual(predicted(ours))
      const byOurs = heard
      heard = []
      await tf.loadLayersModel(host + path, options as tf.io.LoadOptions)
      expect(byOurs).toEqual(heard)
    }
    const seen: (string | string[] | undefined)[] = []
    for (const [path, answer] of Object.entries(answers)) {
      answers[path] = (response, request) => {
        seen.push(request.headers.authorization)
        return answer(response, request)
      }
    }
    const urls: string[] = []
    const fetchFunc = ((url: string, init: RequestInit) => {
      urls.push(url)
      return fetch(url, init)
    }) as typeof fetch
    await load({ fetchFunc, requestInit: { headers: { authorization: 'me' } } })
    expect(seen).toEqual(['me', 'me', 'me'])
    expect(urls).toEqual(['/a/model.json', '/a/one', '/a/sub/two'].map(path => host + path))
  })

  test('an answer without a stream', async () => {
    const fetchFunc = (async (url: string) => {
      const bytes = await (await fetch(url)).arrayBuffer()
      return { ok: true, arrayBuffer: async () => bytes }
    }) as unknown as typeof fetch
    expect(predicted(await load({ fetchFunc }))).toEqual(predicted(ours))
  })

  const where = () => `loadLayersModel: ${host}/a/model.json`
  const missing: Answer = response => response.writeHead(503).end('busy')
  const longer = (response: ServerResponse) => {
    // For ever, as long as anybody listens.
    const timer = setInterval(() => response.write(Buffer.alloc(1000)), 1)
    response.on('close', () => clearInterval(timer))
  }
  const short: Answer = response => {
    response.writeHead(200, { 'content-length': 1000 })
    response.write(Buffer.alloc(10))
    setTimeout(() => response.destroy(), 20)
  }
  const sizes = `weights must have ${bytes} bytes in one, sub/two, got`

  test.each([
    ['/a/model.json', missing, 'Error', ' must be found, got status 503; check the URL and the server'],
    ['/a/sub/two', missing, 'Error', ' sub/two must be found, got status 503; check the URL and the server'],
    ['/a/one', gives(''), 'RangeError', ` ${sizes} ${bytes - 30}`],
    ['/a/sub/two', gives('abc'), 'RangeError', ` ${sizes} 33`],
    ['/a/one', longer, 'RangeError', ` one must have at most ${bytes} bytes, got more`],
    ['/a/sub/two', longer, 'RangeError', ` sub/two must have at most ${bytes - 30} bytes, got more`],
    ['/a/model.json', gives('[1]'), 'TypeError', ' must hold a JSON object, got [1]'],
    ['/a/model.json', gives('{}'), 'TypeError', ' modelTopology must be an object, got undefined'],
  ] as [string, Answer, string, string][])('a wrong answer %#', async (path, answer, kind, text) => {
    answers[path] = answer
    expect(await caught(() => load())).toBe(`${kind}: ${where()}${text}`)
  })

  test('an answer that is cut off, nobody there, text that is no JSON', async () => {
    answers['/a/one'] = short
    expect(await caught(() => load())).toContain('TypeError: terminated')
    expect(await caught(() => ls.loadLayersModel('http://127.0.0.1:1/model.json'))).toContain('TypeError: ')
    answers['/a/model.json'] = gives('<html>')
    expect(await caught(() => load())).toContain(`RangeError: ${where()} must be JSON, got `)
  })

  test('weights are fetched from below the prefix only', async () => {
    for (const path of ['../secret', '/etc/passwd']) {
      json.weightsManifest[0]!.paths = [path]
      answers['/a/model.json'] = givesJson()
      expect(await caught(() => load())).toContain("must be a path inside the model's folder, got")
    }
    const out: [string, string | undefined][] = [
      ['%2e%2e/secret', undefined],
      ['.example.com/one', 'http://127.0.0.1'],
    ]
    for (const [path, weightPathPrefix] of out) {
      json.weightsManifest[0]!.paths = [path]
      answers['/a/model.json'] = givesJson()
      const prefix = weightPathPrefix ?? `${host}/a/`
      expect(await caught(() => load({ weightPathPrefix: prefix }))).toBe(
        `RangeError: ${where()} ${path} must lie below ${prefix}, got "${prefix}${path}"`,
      )
    }
    expect(heard).toEqual(heard.map(() => '/a/model.json'))
    expect(await caught(() => load({ weightPathPrefix: 'a/b' }))).toBe(
      'RangeError: loadLayersModel: weightPathPrefix must be a whole URL, got "a/b"',
    )
    expect(await caught(() => ls.loadLayersModel('http://'))).toBe(
      'RangeError: loadLayersModel: URL must be whole, got "http://"',
    )
    expect(await caught(() => load({ prefix: 'x' } as never))).toContain('loadLayersModel: ')
  })
})
