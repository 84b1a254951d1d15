// npm start [-- --model dense|cnn] [--epochs N] [--workers N] [--seed N] [--save FOLDER] [--resume]: handwritten digits on every
// core. Ctrl-C saves; --resume goes on from there.
import { constants } from 'node:os'
import { parseArgs } from 'node:util'
import { Presets, SingleBar } from 'cli-progress'
import * as ls from 'lockstep'

const { layers } = ls
const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'dense' },
    epochs: { type: 'string' },
    workers: { type: 'string', default: 'auto' },
    seed: { type: 'string', default: '7' },
    save: { type: 'string', default: 'digits' },
    resume: { type: 'boolean', default: false },
  },
})

const networks = {
  dense: {
    epochs: 8,
    batchSize: 128,
    rate: 3e-3,
    layers: () => [
      layers.flatten({ inputShape: [28, 28, 1] }),
      layers.dense({ units: 128, activation: 'relu' }),
      layers.dropout({ rate: 0.2 }),
      layers.dense({ units: 10, activation: 'softmax' }),
    ],
  },
  cnn: {
    epochs: 3,
    batchSize: 128,
    rate: 1e-3,
    layers: () => [
      layers.conv2d({ filters: 32, kernelSize: 3, activation: 'relu', inputShape: [28, 28, 1] }),
      layers.conv2d({ filters: 64, kernelSize: 3, activation: 'relu' }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten({}),
      layers.dense({ units: 128, activation: 'relu' }),
      layers.dense({ units: 10, activation: 'softmax' }),
    ],
  },
}
if (options.model !== 'dense' && options.model !== 'cnn') {
  throw new RangeError(`npm start: --model must be dense or cnn, got "${options.model}"; give one of them`)
}
const network = networks[options.model]
const seed = Number(options.seed)
const epochs = Number(options.epochs ?? network.epochs)

const { train, test } = ls.datasets.mnist()
const model = ls.sequential({ layers: network.layers(), seed })
const samples = train.x.shape[0]!
const steps = Math.ceil(samples / network.batchSize)
const decaySteps = steps * epochs
const optimizer = ls.train.adam(ls.schedules.cosine({ initialLearningRate: network.rate, decaySteps }))
model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
model.summary()

const { tier, numerics, cores, node } = ls.engine()
console.log(`Lockstep on Node ${node}: ${tier}, ${numerics}, ${cores} cores; seed ${seed}`)

const interval = 100
let started = performance.now()
const bar = new SingleBar(
  {
    format:
      'epoch {epoch}/{epochs} {bar} {value}/{total}  loss {loss}  accuracy {accuracy}  {speed} samples/s  {left} s left',
    // What is left of the line beside the text.
    barsize: Math.min(40, Math.max(1, (process.stdout.columns ?? 80) - 84)),
    hideCursor: true,
    etaBuffer: 100,
  },
  Presets.shades_classic,
)
const live = process.stdout.isTTY === true
/** What the bar or the line shows after `step` steps of epoch `epoch`. */
const shown = (epoch: number, step: number, logs: ls.Logs) => {
  const seconds = (performance.now() - started) / 1000
  const done = Math.min(step * network.batchSize, samples)
  const speed = done / seconds
  return {
    epoch: epoch + 1,
    epochs,
    loss: logs.loss!.toFixed(4),
    accuracy: `${(100 * logs.acc!).toFixed(2)} %`,
    speed: Math.round(speed).toLocaleString('en'),
    left: Math.ceil((samples * (epochs - epoch) - done) / speed),
  }
}
// The first signal ends training after the step, and what it has come to is saved; the second ends the process.
const interruption = new AbortController()
let signalled: 'SIGINT' | 'SIGTERM' | undefined
let training = true
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => {
    if (signalled || !training) process.exit(128 + constants.signals[name])
    signalled = name
    interruption.abort()
  })

const directory = `${options.save}/checkpoints`
let epochNow = 0
const history = await model.fit(train.x, train.y, {
  epochs,
  batchSize: network.batchSize,
  seed,
  workers: options.workers === 'auto' ? 'auto' : Number(options.workers),
  onProgress: {
    intervalMs: interval,
    report(step, logs) {
      if (live) bar.update(step, shown(epochNow, step, logs))
    },
  },
  signal: interruption.signal,
  ...(options.resume ? { resume: directory } : {}),
  callbacks: [
    ls.callbacks.checkpoint({ directory, every: { seconds: 30 } }),
    {
      onEpochBegin(epoch) {
        epochNow = epoch
        started = performance.now()
        if (live) bar.start(steps, 0, { ...shown(epoch, 0, { loss: 0, acc: 0 }), speed: '-', left: '-' })
      },
      onEpochEnd(epoch, logs) {
        const now = shown(epoch, steps, logs!)
        if (live) bar.update(steps, now)
        bar.stop()
        if (!live) {
          const { loss, accuracy, speed } = now
          console.log(`epoch ${epoch + 1}/${epochs}  loss ${loss}  accuracy ${accuracy}  ${speed} samples/s`)
        }
      },
    },
  ],
})
training = false
bar.stop()
if (signalled) {
  console.log(`stopped, and saved in ${history.checkpoint}; npm start -- --resume goes on from there`)
  process.exit(128 + constants.signals[signalled])
}
console.log(`workers: ${history.workers}`)

const { acc } = await model.evaluateAsync(test.x, test.y)
const predicted = await model.predictAsync(test.x)
console.log(confusion(predicted.dataSync(), test.y.dataSync()))
console.log(`test accuracy: ${(100 * acc!).toFixed(2)} %`)
await model.save(`file://${options.save}`)
console.log(`saved to ${options.save}/model.json`)

/** Rows: the digit; columns: what it was taken for. */
function confusion(probabilities: ArrayLike<number>, digits: ArrayLike<number>): string {
  const table = Array.from({ length: 10 }, () => new Array<number>(10).fill(0))
  for (let i = 0; i < digits.length; i++) {
    const row = Array.from({ length: 10 }, (_, j) => probabilities[10 * i + j]!)
    table[digits[i]!]![row.indexOf(Math.max(...row))]!++
  }
  const cells = (numbers: readonly (number | string)[]) => numbers.map(n => String(n).padStart(5)).join('')
  const heading = `digit${cells([...table.keys()])}`
  return [
    heading,
    ...table.map((row, digit) => `${String(digit).padStart(5)}${cells(row.map(n => n || '·'))}`),
  ].join('\n')
}
