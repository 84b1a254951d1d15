import { linkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import * as ls from '../../src/index.ts'
import { caught } from '../caught.ts'
import { proveHostile } from './hostile.ts'
import { placeFor } from './mutations.ts'
import { formatOf } from './sound.ts'

const model = ls.sequential({
  layers: [ls.layers.dense({ units: 2, inputShape: [3], name: 'd' })],
  name: 'm',
  seed: 1,
})
model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
const format = await formatOf('model.json', model)
const text = format.sound.toString()
const { folder, path } = placeFor(format)
afterAll(() => rmSync(folder, { recursive: true }))

/** The file with one part of its text replaced by another. */
function swapped(from: string, to: string): Buffer {
  if (!text.includes(from)) throw new Error(`no ${from} in ${text}`)
  return Buffer.from(text.replace(from, () => to))
}

const units = '"units":2'
const withUnits = (more: string) => swapped(units, `${units},${more}`)
const rate = '"learningRate":0.01'
const load = 'RangeError: loadLayersModel: file://FILE'
const read = 'RangeError: readLayersModel: FILE'
const aLayer = `${load} a layer must be an object with class_name and config, got`
const made = (why: string) =>
  `${load} modelTopology must describe a model, got one that cannot be made: ${why}`
const config = (why: string) =>
  `${load} trainingConfig must be one to compile with, got another: ${why}; give compile: false to leave it out`
const ofShape = (wanted: string, got: string) =>
  `${load} weight "d/kernel" must have shape ${wanted}, got ${got}; save the model again`
const specs = `${read} weightsManifest[0].weights`
const optimizers = 'SGD, Momentum, RMSProp, Adagrad, Adadelta, Adam, Adamax, AdamW, Nadam, Lion'

proveHostile(format, {
  'no bytes': [Buffer.alloc(0), `${read} must be JSON, got Unexpected end of JSON input`],
  'a list': [Buffer.from('[1]'), 'TypeError: readLayersModel: FILE must hold a JSON object, got [1]'],
  'a class that is not there': [
    swapped('"Dense"', '"Dens"'),
    `${load} layers must be of a known class, got "Dens"; if it is your own, give it to ` +
      'ls.serialization.registerClass first; did you mean "Dense"?',
  ],
  'a class that is a number': [
    swapped('"class_name":"Dense"', '"class_name":3'),
    `${aLayer} { className, config }`,
  ],
  'another kind of model': [
    swapped('"Sequential"', '"Evil"'),
    `${load} the model must be a Sequential or a Model, got "Evil"; rebuild it here`,
  ],
  'a layer that is a number': [swapped('"layers":[', '"layers":[7,'), `${aLayer} 7`],
  'layers that are no list': [
    swapped('"layers":[', '"layers":{},"more":['),
    `${load} layers must be a list, got {}`,
  ],
  'no layers': [
    swapped('"layers":[', '"more":['),
    `${load} must hold weights of the model only, got "d/kernel"; give strict: false to leave it out`,
  ],
  'units beyond memory': [swapped(units, '"units":4294967296'), ofShape('[3,4294967296]', '[3,2]')],
  'more units than weights': [swapped(units, '"units":65536'), ofShape('[3,65536]', '[3,2]')],
  'inputs beyond memory': [
    swapped('[null,3]', '[null,1099511627776]'),
    ofShape('[1099511627776,2]', '[3,2]'),
  ],
  'units that are a word': [
    swapped(units, '"units":"two"'),
    made('Dense: units must be a positive integer, got "two"'),
  ],
  'negative units': [swapped(units, '"units":-2'), made('Dense: units must be a positive integer, got -2')],
  'a shape that is no list': [
    swapped('[null,3]', '{"length":1000000000}'),
    `${load} batch_input_shape must be a list, got { length }`,
  ],
  'an option that is not there': [
    withUnits('"strength":5'),
    `${load} Dense must not have option "strength", got 5; it is not supported`,
  ],
  'a key of prototypes': [
    withUnits('"__proto__":{"a":1}'),
    `${read} must have keys of their own, got "__proto__"`,
  ],
  'a key twice': [withUnits(units), `${read} must have keys of their own, got "units" twice`],
  'lists within lists': [
    withUnits(`"a":${'['.repeat(300)}${']'.repeat(300)}`),
    `${read} must be JSON nested at most 200 deep, got more`,
  ],
  'lists and lists': [
    withUnits(`"a":[${'[],'.repeat(200_000)}[]]`),
    `${read} must be JSON of fewer objects and lists for its ${text.length + 600_009} characters, got more`,
  ],
  'a weight of another name': [
    swapped('"d/kernel"', '"d/kernels"'),
    `${load} must hold the weight "d/kernel", got none of that name; save the model again`,
  ],
  'a weight twice': [
    swapped('"d/bias"', '"d/kernel"'),
    `${specs}[1].name must be a name of its own, got "d/kernel"`,
  ],
  'a weight turned': [swapped('"shape":[3,2]', '"shape":[2,3]'), ofShape('[3,2]', '[2,3]')],
  'a weight beyond memory': [
    swapped('"shape":[3,2]', '"shape":[4294967296,4294967296]'),
    `${specs}[0].shape must be sizes of an array that fits memory, got [4294967296, 4294967296]`,
  ],
  'a weight of a terabyte': [
    swapped('"shape":[3,2]', '"shape":[274877906944]'),
    `${read} weights must have ${2 ** 40 + 12} bytes in weights.bin, got 36`,
  ],
  'a path out': [
    swapped('"weights.bin"', '"../weights.bin"'),
    `${read} weightsManifest[0].paths[0] must be a path inside the model's folder, got "../weights.bin"`,
  ],
  'a file that is not there': [
    swapped('"weights.bin"', '"weights.bi"'),
    `${read} weights.bi must be there, got ENOENT`,
  ],
  'a file as a folder': [
    swapped('"weights.bin"', '"model.json/x"'),
    `${read} model.json/x must be there, got ENOTDIR`,
  ],
  'a file twice': [
    swapped('"weights.bin"', '"weights.bin","weights.bin"'),
    `${read} weightsManifest[0].paths must name each file once, got "weights.bin" again`,
  ],
  'the file itself as weights': [
    swapped('"weights.bin"', '"model.json"'),
    `${read} weights must have 36 bytes in model.json, got ${text.length - 1}`,
  ],
  'another format': [
    swapped('"layers-model"', '"graph-model"'),
    `${read} format must be "layers-model", got "graph-model"`,
  ],
  'a loss that is a number': [swapped('"mean_squared_error"', '5'), config('a loss must be a word, got 5')],
  'an optimizer of prototypes': [
    swapped('"SGD"', '"hasOwnProperty"'),
    config(`unknown optimizer "hasOwnProperty"; known are ${optimizers}`),
  ],
  'a negative rate': [
    swapped(rate, '"learningRate":-1'),
    config('SGD: learningRate must be a number >= 0, got -1'),
  ],
  'an option that the optimizer has not': [
    swapped(rate, `${rate},"evil":1`),
    config('SGD: unknown option "evil"; known are learningRate'),
  ],
  'leaves without an end': [
    swapped('"leaves":1', '"leaves":1e999'),
    config('compile: leaves must be a positive integer, got Infinity'),
  ],
  'epochs before the first': [
    swapped('"epochsTrained":0', '"epochsTrained":-5'),
    config('epochsTrained must be a count, got -5'),
  ],
  'metadata that is a list': [
    swapped('"format"', '"userDefinedMetadata":[1],"format"'),
    'TypeError: loadLayersModel: file://FILE: metadata must be an object of what JSON can hold, got [1]; change it',
  ],
  'no count of updates': [
    swapped('"iter"', '"it"'),
    `${load} must begin the optimizer's state with the count "iter", got "it"`,
  ],
})

test('a loss, a metric and a layer of prototypes are unknown, no more', async () => {
  for (const name of ['constructor', '__proto__', 'to_string']) {
    writeFileSync(path, swapped('"mean_squared_error"', `"${name}"`))
    expect(await caught(() => format.read(path))).toContain('loss must be a known name, got "')
    writeFileSync(path, swapped('"metrics":[]', `"metrics":["${name}"]`))
    expect(await caught(() => format.read(path))).toContain('metric must be a known name, got "')
    writeFileSync(path, swapped('"Dense"', `"${name}"`))
    expect(await caught(() => format.read(path))).toContain('layers must be of a known class, got "')
  }
})

test('neither links nor other names lead out of the folder', async () => {
  const other = placeFor(format)
  const at = `readLayersModel: ${path}`
  writeFileSync(path, text)
  rmSync(join(folder, 'weights.bin'))
  linkSync(join(other.folder, 'weights.bin'), join(folder, 'weights.bin'))
  expect(await caught(() => format.read(path))).toBe(
    `RangeError: ${at} weights.bin must be no hard link, got a file of 2 names; copy it`,
  )
  rmSync(join(folder, 'weights.bin'))
  symlinkSync(join(other.folder, 'weights.bin'), join(folder, 'weights.bin'))
  expect(await caught(() => format.read(path))).toBe(
    `RangeError: ${at} weights.bin must lie inside the model's folder, got "${other.folder}/weights.bin"`,
  )
  rmSync(other.folder, { recursive: true })
})
