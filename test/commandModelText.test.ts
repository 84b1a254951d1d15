import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { commandBed } from './commandBed.ts'

const { folder, done, refused } = commandBed('modelText')
const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
const novel = gunzipSync(
  readFileSync(fileURLToPath(new URL('../examples/data/moby-dick.txt.gz', import.meta.url))),
).toString()

const net = (between: string, more = '') => `
export default ({ shape, inputs: [{ words }], outputs, lockstep: { layers, regularizers, sequential } }) => {
  const model = sequential({ layers: [
    layers.embedding({ inputDim: words, outputDim: 16, inputShape: shape }),
    ${between},
    layers.dense({ units: outputs, activation: 'softmax', kernelRegularizer: regularizers.l2({ l2: 3e-4 }) }),
  ] })
  ${more}
  return model
}
`
const recurrent = 'layers.gru({ units: 48, returnSequences: true })'

beforeAll(() => {
  write('novel.txt', novel.slice(30_000, 60_000))
  write('net.mjs', net(recurrent))
})

const args = (model: string, ...more: string[]) => [
  ...['train', 'novel.txt', '--text', '--context', '24', '--model', model, '--steps', '300', '--json'],
  ...['--workers', '1', ...more],
]

test('a network of a file is trained on a text, continues it, and is repeated to the bit', {
  timeout: 120_000,
}, () => {
  const trained = JSON.parse(done(...args('net.mjs', '--learning-rate', '0.02')))
  expect(trained.network).toMatchObject({
    model: join(folder, 'net.mjs'),
    context: 24,
    steps: 300,
    epochs: 6,
  })
  expect(trained.network.shape).toMatch(/^24 characters of \d+-net\.mjs$/)
  for (const name of ['blocks', 'width', 'dropout']) expect(trained.network).not.toHaveProperty(name)
  const { model, baseline } = trained.scores
  expect(model.nats).toBeLessThan(baseline.nats - 0.2)
  // The penalty is in the loss alone.
  const { history } = JSON.parse(readFileSync(join(folder, 'novel.model/metrics.json'), 'utf8'))
  expect(Math.min(...history.val_loss)).toBeGreaterThan(trained.scores.validation.nats + 0.001)
  write('test.txt', novel.slice(60_000, 62_000))
  const evaluated = JSON.parse(done('evaluate', 'novel.model', 'test.txt', '--json'))
  expect(evaluated.nats).toBeLessThan(baseline.nats)
  const prompt = ['predict', 'novel.model', '--prompt', 'the whale ', '--length', '20']
  expect(done(...prompt)).toHaveLength(10 + 20 + 1)
  const again = ['train', '--config', 'novel.model/configuration.json', '--json', '--out']
  expect(JSON.parse(done(...again, 'again', '--workers', '2')).scores).toEqual(trained.scores)
  write('net.mjs', `${net(recurrent)}// another`)
  expect(refused(1, ...again, 'other')).toMatch('must be the network of the configuration')
  write('net.mjs', net(recurrent))
})

test('what a network for text must be is said', { timeout: 120_000 }, () => {
  const says = (text: string, ...more: string[]) => {
    write('wrong.mjs', text)
    return refused(1, ...args('wrong.mjs', '--out', 'no', ...more))
  }
  expect(says(net(recurrent).replace('inputShape: shape', 'inputShape: [8]'))).toMatch(
    /wrong\.mjs: must take samples of \[24\], input 1 integers below \d+, got \[8\]; change its inputShape/,
  )
  expect(says(net('layers.gru({ units: 8 })'))).toMatch(
    /wrong\.mjs: must give \[24, (\d+)\], the probabilities of \1 characters \(softmax\), got \[\1\]; change its last/,
  )
  expect(says(net(recurrent).replace("activation: 'softmax'", "activation: 'sigmoid'"))).toMatch(
    /numbers that add up to \S+; give its last layer activation/,
  )
  for (const ahead of [
    'layers.bidirectional({ layer: layers.gru({ units: 8, returnSequences: true }) })',
    "layers.conv1d({ filters: 8, kernelSize: 3, padding: 'same' })",
  ])
    expect(says(net(ahead))).toMatch(
      'wrong.mjs: must expect each character from those before it, got a network to which later ones matter; give attention',
    )
  const compiled = "model.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' })"
  expect(says(net(recurrent, compiled))).toMatch('wrong.mjs: must not be compiled for a text')
  for (const option of ['--blocks=1', '--width=32', '--dropout=0.1'])
    expect(refused(1, ...args('net.mjs', '--out', 'no', option))).toMatch(
      /train: \w+ must not be given for a network of a file, got .*; leave it out/,
    )
})
