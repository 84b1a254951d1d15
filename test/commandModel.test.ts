import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { chooseNetwork } from '../src/tables/choosing.ts'
import { prepareTable } from '../src/tables/tableTrials.ts'
import { commandBed } from './commandBed.ts'
import { pngOf } from './formats/pngFile.ts'

const { folder, run, done, refused, signalled, program } = commandBed('model')
const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
const read = (...names: string[]) => JSON.parse(readFileSync(join(folder, ...names), 'utf8'))

/** 400 flowers of three kinds, told by two of three measures. */
const flowers = Array.from({ length: 400 }, (_, i) => {
  const kind = i % 3
  const jitter = (n: number) => ((i * n) % 29) / 29 - 0.5
  return [kind + jitter(7), 2 - kind + jitter(11), jitter(13), 'abc'[kind], 3 * kind + jitter(7)].join()
})

const stack = (units: string, more = '') => `
export default ({ shape, lockstep: { layers, sequential, train } }) => {
  const hidden = layers.dense({ units: 12, activation: 'tanh', inputShape: shape })
  const model = sequential({ layers: [hidden, layers.dense({ ${units} })] })
  ${more}
  return model
}
`
const softmax = "units: 3, activation: 'softmax'"

beforeAll(() => {
  write('flowers.csv', ['long,wide,thick,kind,weight', ...flowers].join('\n'))
  write('rare.csv', ['long,wide,thick,kind,weight,word', ...rare].join('\n'))
  write('net.mjs', stack(softmax))
})

/** The same with a word that stands in one row only. */
const rare = flowers.map((line, i) => `${line},${i === 7 ? 'rare' : 'often'}`)

const kinds = ['flowers.csv', '--target', 'kind', '--ignore', 'weight', '--workers', '1']
const own = (file: string, out: string, ...more: string[]) => [
  'train',
  ...kinds,
  '--model',
  file,
  '--out',
  out,
  '--json',
  ...more,
]

test('a module: trained, scored, predicted with, told of, and repeated to the bit', {
  timeout: 90_000,
}, () => {
  const trained = JSON.parse(done(...own('net.mjs', 'net', '--epochs', '20', '--learning-rate', '0.02')))
  expect(trained.network).toMatchObject({ inputs: 3, weights: 87, shape: '3-net.mjs-3', learningRate: 0.02 })
  expect(trained.scores.model.accuracy).toBeGreaterThan(0.9)
  const evaluated = JSON.parse(done('evaluate', 'net', 'flowers.csv', '--json'))
  expect(evaluated.accuracy).toBeGreaterThan(0.9)
  expect(done('predict', 'net', 'flowers.csv').split('\n')).toHaveLength(402)
  expect(JSON.parse(done('report', 'net', '--json')).commands[0]).toMatch(/ --model net\.mjs( |$)/)
  const saved = read('net', 'configuration.json')
  expect(saved).toMatchObject({
    model: join(folder, 'net.mjs'),
    modelSha256: expect.stringMatching(/^\w{64}$/),
  })
  expect(saved).not.toHaveProperty('hidden')

  const repeat = (out: string, ...more: string[]) => [
    'train',
    '--config',
    'net/configuration.json',
    '--out',
    out,
    '--json',
    ...more,
  ]
  const again = JSON.parse(done(...repeat('again', '--workers', '2')))
  expect(again.scores).toEqual(trained.scores)
  write(
    'net.mjs',
    stack(softmax.replace('softmax', 'softmax /* another */').replace(' /* another */', "', name: 'x")),
  )
  expect(refused(1, ...repeat('other'))).toMatch(
    /net\.mjs: must be the network of the configuration, net\.mjs with SHA-256 \w+, got \w+; restore it/,
  )
  expect(run(...repeat('other', '--model', 'net.mjs', '--epochs', '1')).status).toBe(0)
  write('net.mjs', stack(softmax))
})

test('--resume goes on with the same network alone', { timeout: 60_000 }, async () => {
  const long = own('net.mjs', 'resumed', '--epochs', '100000', '--patience', '100000')
  const { code } = await signalled(/epoch \d+\/1/, ['SIGTERM'], ...long)
  expect(code).toBe(143)
  const resume = ['train', '--resume', '--out', 'resumed', '--json']
  write('net.mjs', `${stack(softmax)}// changed`)
  expect(refused(1, ...resume)).toMatch('must be the network of the configuration')
  write('net.mjs', stack(softmax))
  expect(JSON.parse(done(...resume, '--max-seconds', '1')).epochs).toBeGreaterThan(0)
})

test('a layers model: with weights it goes on from them, without it begins anew', { timeout: 90_000 }, () => {
  done(...own('net.mjs', 'first', '--epochs', '20', '--learning-rate', '0.02'))
  const firstLoss = (out: string) => read(out, 'metrics.json').history.loss[0]
  const { modelTopology } = read('first', 'model.json')
  write('bare.json', JSON.stringify({ modelTopology }))
  done(...own('bare.json', 'bare', '--epochs', '2'))
  done(...own('first/model.json', 'tuned', '--epochs', '2'))
  expect(firstLoss('tuned')).toBeLessThan(firstLoss('bare') / 2)
  // Keras' to_json() has no wrapping.
  write('keras.json', JSON.stringify(modelTopology.model_config ?? modelTopology))
  done(...own('keras.json', 'keras', '--epochs', '2'))
  expect(firstLoss('keras')).toBe(firstLoss('bare'))
  // Other weights are another network.
  cpSync(join(folder, 'first'), join(folder, 'copied'), { recursive: true })
  const configuration = { ...read('tuned', 'configuration.json'), model: join(folder, 'copied/model.json') }
  write('copied.json', JSON.stringify(configuration))
  expect(run('train', '--config', 'copied.json', '--out', 'third').status).toBe(0)
  const { paths } = read('copied', 'model.json').weightsManifest[0]
  const bytes = readFileSync(join(folder, 'copied', paths[0]))
  bytes.writeFloatLE(0.25, 0)
  writeFileSync(join(folder, 'copied', paths[0]), bytes)
  expect(refused(1, 'train', '--config', 'copied.json', '--out', 'fourth')).toMatch('with SHA-256')
})

test('a network that is compiled is trained as it says', { timeout: 60_000 }, () => {
  const compile = "model.compile({ optimizer: train.sgd(0.1), loss: 'sparseCategoricalCrossentropy' })"
  write('compiled.mjs', stack(softmax, compile))
  const trained = JSON.parse(done(...own('compiled.mjs', 'compiled', '--epochs', '3')))
  expect(trained.network).not.toHaveProperty('optimizer')
  expect(trained.network.schedule).toBe('constant')
  expect(refused(1, ...own('compiled.mjs', 'no', '--learning-rate', '1'))).toMatch(
    'learningRate must not be given for a network that is compiled, got 1; leave it out',
  )
  const found = JSON.parse(done('lr', ...kinds, '--model', 'compiled.mjs', '--json'))
  expect(found.suggested).toBeGreaterThan(1e-4)
  expect(run('lr', ...kinds, '--model', 'net.mjs').stderr).toMatch('3-net.mjs-3, adam')
})

test('numbers, images, and an exported model', { timeout: 90_000 }, () => {
  write('number.mjs', stack('units: 1'))
  const weigh = ['flowers.csv', '--target', 'weight', '--workers', '1', '--ignore', 'kind', '--json']
  const trained = JSON.parse(done('train', ...weigh, '--model', 'number.mjs', '--out', 'weight'))
  expect(trained.scores.model.r2).toBeGreaterThan(0.8)
  write(
    'exported.mjs',
    `
    import * as ls from '${join(program(), '../../index.js')}'
    const layers = [ls.layers.flatten({ inputShape: [8, 8, 1] }), ls.layers.dense({ ${softmax} })]
    export default ls.sequential({ layers, seed: 1 })
  `,
  )
  for (const [k, kind] of ['low', 'middle', 'high'].entries()) {
    mkdirSync(join(folder, 'shades', kind), { recursive: true })
    for (let i = 0; i < 20; i++) {
      const values = new Uint8Array(64).fill(40 + 80 * k + i)
      writeFileSync(
        join(folder, 'shades', kind, `${i}.png`),
        pngOf({ height: 8, width: 8, channels: 1, values }, 0),
      )
    }
  }
  const shades = ['train', 'shades', '--size', '8', '--epochs', '2', '--json', '--model', 'exported.mjs']
  const images = JSON.parse(done(...shades, '--augment', '--out', 'shades.model'))
  expect(images.network).toMatchObject({ weights: 195, shape: '8×8×1-exported.mjs-3' })
  expect(JSON.parse(done('evaluate', 'shades.model', 'shades', '--json')).rows).toBe(60)
  expect(refused(1, ...shades, '--filters', '8', '--out', 'no')).toMatch(
    'filters must not be given for a network of a file, got [8]; leave it out',
  )
})

test('what does not fit, or means nothing, is refused by name', { timeout: 90_000 }, () => {
  const says = (file: string, text: string, ...more: string[]) => {
    write(file, text)
    return refused(1, ...own(file, 'no', ...more))
  }
  expect(says('wide.mjs', stack(softmax).replace('shape }', 'shape: [5] }'))).toMatch(
    'must make a network, got an error',
  )
  const wide = stack(softmax).replace('inputShape: shape', 'inputShape: [5]')
  expect(says('wide.mjs', wide)).toMatch('wide.mjs: must take samples of [3], got [5]; change its inputShape')
  expect(says('one.mjs', stack("units: 1, activation: 'sigmoid'"))).toMatch(
    'one.mjs: must give [3], the probabilities of 3 classes (softmax), got [1]; change its last layer',
  )
  expect(says('linear.mjs', stack('units: 3'))).toMatch(
    /numbers that add up to \S+; give its last layer activation/,
  )
  expect(says('none.mjs', 'export default 7')).toMatch('must export a function that returns a model')
  expect(says('throws.mjs', "export default () => { throw new Error('no idea') }")).toMatch(
    'an error: no idea',
  )
  expect(says('bad.json', '{"layers": 3}')).toMatch(/bad\.json: must make a network, got an error: /)
  expect(refused(1, ...own('gone.mjs', 'no'))).toMatch('gone.mjs: must be there, got no file')
  expect(refused(1, ...own('flowers.csv', 'no'))).toMatch('model must end in .js, .mjs, .cjs, .ts or .json')
  for (const option of ['--hidden=8', '--dropout=0.1', '--l2=0.1', '--noise=0.1'])
    expect(refused(1, ...own('net.mjs', 'no', option))).toMatch(
      /train: \w+ must not be given for a network of a file, got .*; leave it out/,
    )
  const wrong = "model.compile({ optimizer: 'sgd', loss: 'categoricalCrossentropy' })"
  expect(says('oneHot.mjs', stack(softmax, wrong))).toMatch(
    'oneHot.mjs: must be compiled with a loss that takes one number a sample, got',
  )
})

test('words that are looked up are a second input', async () => {
  const file = join(folder, 'two.mjs')
  const two = `
    export default ({ inputs: [numbers, words], outputs, lockstep: { input, layers, model } }) => {
      const [x, w] = [input({ shape: numbers.shape }), input({ shape: words.shape, dtype: 'int32' })]
      const looked = layers.flatten({}).apply(layers.embedding({ inputDim: words.words, outputDim: 2 }).apply(w))
      const y = layers.dense({ units: outputs, activation: 'softmax' }).apply(layers.concatenate({}).apply([x, looked]))
      return model({ inputs: [x, w], outputs: y })
    }
  `
  write('two.mjs', two)
  const problem = { shape: [4], lookups: { columns: 2, words: 30 }, classes: 3, rows: 250_000 }
  const { model, plan } = await chooseNetwork({ data: '', model: file }, problem, 5)
  expect([model.inputShapes, model.outputShapes, plan.batchSize]).toEqual([[[4], [2]], [[3]], 4096])
  const again = await chooseNetwork({ data: '', model: file }, problem, 5)
  expect(again.model.getWeights().map(w => [...w.dataSync()])).toEqual(
    model.getWeights().map(w => [...w.dataSync()]),
  )
  expect(again.plan).toEqual(plan)
  write(
    'one.json',
    JSON.stringify(
      ls.sequential({ layers: [ls.layers.dense({ units: 3, inputShape: [4] })] }).toJSON(undefined, false),
    ),
  )
  await expect(chooseNetwork({ data: '', model: join(folder, 'one.json') }, problem, 5)).rejects.toThrow(
    'one.json: must take samples of [4] and [2], input 2 integers below 30, got [4]; change its inputShape',
  )
})

test('trained again, a module may make another network of more rows', { timeout: 60_000 }, () => {
  write(
    'penalised.mjs',
    `export default ({ shape, rows, lockstep: { layers, regularizers, sequential } }) => {
      const kernelRegularizer = regularizers.l2({ l2: 1 / rows })
      return sequential({ layers: [layers.dense({ ${softmax}, inputShape: shape, kernelRegularizer })] })
    }`,
  )
  const once = JSON.parse(done(...own('penalised.mjs', 'penalised', '--epochs', '2')))
  expect(once.refit).toEqual({ rows: 340, epochs: 2 })
  const again = ['train', '--config', 'penalised/configuration.json', '--out', 'penalised-again', '--json']
  expect(JSON.parse(done(...again)).scores).toEqual(once.scores)
})

test('a layers model that does not fit the words of more rows is kept as it was', {
  timeout: 60_000,
}, async () => {
  const options = { data: join(folder, 'rare.csv'), target: 'kind', types: { word: 'category' as const } }
  const isHeldBack = async (seed: number) =>
    (await prepareTable({ ...options, seed })).parts.validation.includes(7)
  let seed = 1
  while (!(await isHeldBack(seed))) seed++
  const args = ['rare.csv', '--target', 'kind', '--types', 'word=category', '--workers', '1', '--json']
  const train = (...more: string[]) => run('train', ...args, '--epochs', '2', '--seed', `${seed}`, ...more)
  train('--no-refit', '--l2', '0', '--out', 'rare-first')
  const result = JSON.parse(train('--model', 'rare-first/model.json', '--out', 'rare-kept').stdout)
  expect(result.refit).toBeUndefined()
  expect(result.warnings.at(-1)).toMatch(
    /^the validation part is not trained on: .*model\.json: must take samples of \[\d\], got/,
  )
  expect(read('rare-kept', 'metrics.json').scores).toEqual(result.scores)
})
