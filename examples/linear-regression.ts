// node examples/linear-regression.ts: gradient descent on y = 2x + 1 plus noise, and what the learning rate does to it.
import * as ls from 'lockstep'

const samples = 256
const noise = 0.1
/** Training ends when the loss has not fallen by more than this for five epochs. */
const tolerance = 1e-6

const uniform = ls.initializers.randomUniform({ minval: -1, maxval: 1, seed: 1 })
const normal = ls.initializers.randomNormal({ stddev: noise, seed: 2 })

/** Arrays of random numbers, the same on every machine: an initializer fills the weights of a layer that is never trained. */
function draw(initializer: ls.Initializer): Float32Array {
  const layer = ls.layers.dense({
    units: samples,
    inputShape: [1],
    useBias: false,
    kernelInitializer: initializer,
  })
  const source = ls.sequential({ layers: [layer] })
  const values = source.getWeights()[0]!.dataSync() as Float32Array
  source.dispose()
  return values
}

const x = draw(uniform)
const e = draw(normal)
const y = x.map((value, i) => 2 * value + 1 + e[i]!)
// What even the true line leaves over: no fit of two parameters can be much better.
const floor = e.reduce((sum, value) => sum + value * value, 0) / samples
console.log(
  `y = 2x + 1 + noise, ${samples} samples; mean squared error of the true line: ${floor.toFixed(5)}\n`,
)

for (const [what, rate] of [
  ['far too small', 0.0003],
  ['small', 0.003],
  ['good', 0.1],
  ['too large', 1.2],
] as const) {
  const model = ls.sequential({ layers: [ls.layers.dense({ units: 1, inputShape: [1] })], seed: 3 })
  model.compile({ optimizer: ls.train.sgd(rate), loss: 'meanSquaredError' })
  console.log(`learning rate ${rate} (${what})`)
  try {
    const { epoch, history } = await model.fit(x, y, {
      epochs: 500,
      batchSize: samples,
      seed: 3,
      workers: 1,
      callbacks: ls.callbacks.earlyStopping({ monitor: 'loss', minDelta: tolerance, patience: 5 }),
    })
    const losses = history.loss!
    const shown = [0, 1, 3, 10, 30, 100, 300].filter(i => i < losses.length - 1)
    for (const i of shown) console.log(`  epoch ${String(i).padStart(3)}  loss ${losses[i]!.toPrecision(4)}`)
    const last = epoch.at(-1)!
    const why =
      last === 499 ? 'ran out of epochs' : last < 20 && losses.at(-1)! > 1 ? 'diverges' : 'no longer improves'
    console.log(`  epoch ${String(last).padStart(3)}  loss ${losses.at(-1)!.toPrecision(4)}  ${why}`)
  } catch (error) {
    console.log(`  ${(error as Error).message}`)
  }
  const [w, b] = model.getWeights().map(weight => weight.dataSync()[0]!)
  console.log(`  y = ${w!.toFixed(3)}·x + ${b!.toFixed(3)}\n`)
  model.dispose()
}
