// Prints a hash of the weights of small networks, trained through the built package: run by every Node at hand.
import { createHash } from 'node:crypto'
import * as ls from 'lockstep'

const { conv2d, batchNormalization, maxPooling2d, flatten, dropout, dense } = ls.layers

const networks = {
  mlp: [
    flatten({ inputShape: [8, 8, 1] }),
    dense({ units: 40, activation: 'gelu' }),
    dense({ units: 3, activation: 'softmax' }),
  ],
  cnn: [
    conv2d({ filters: 6, kernelSize: 3, activation: 'relu', inputShape: [8, 8, 1] }),
    batchNormalization({}),
    maxPooling2d({}),
    flatten({}),
    dropout({ rate: 0.3 }),
    dense({ units: 3, activation: 'softmax' }),
  ],
}

const count = 83
const x = Float32Array.from({ length: count * 64 }, (_, i) => ((i * 7919) % 1000) / 500 - 1)
const y = Float32Array.from({ length: count }, (_, i) => (i * 7) % 3)
for (const [name, layers] of Object.entries(networks)) {
  const model = ls.sequential({ layers, seed: 5 })
  const optimizer = ls.train.adam(ls.schedules.cosine({ initialLearningRate: 0.01, decaySteps: 20 }))
  model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', leaves: 2 })
  await model.fit(x, y, { epochs: 3, batchSize: 16, seed: 11, workers: name === 'mlp' ? 2 : 3 })
  const hash = createHash('sha256')
  for (const weight of model.getWeights()) hash.update(weight.dataSync())
  console.log(name, hash.digest('hex').slice(0, 16))
}
console.error(JSON.stringify(ls.engine()))
