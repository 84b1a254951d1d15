import { expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import type { EpochPace } from '../src/training/callback.ts'

const x = Float32Array.from({ length: 3 * 100 }, (_, i) => ((i * 7919) % 101) / 101)
const y = Float32Array.from({ length: 100 }, (_, i) => x[3 * i]! - x[3 * i + 1]! + 0.1)

function modelOf(options: Partial<ls.CompileOptions>, ...kernelRegularizer: object[]) {
  const dense = ls.layers.dense({
    units: 1,
    inputShape: [3],
    ...(kernelRegularizer[0] && { kernelRegularizer: 'l2' }),
  })
  const model = ls.sequential({ layers: [dense], seed: 3 })
  model.compile({ optimizer: ls.train.sgd(0.1), loss: 'meanSquaredError', ...options })
  return model
}

/** Root mean square over the steps of the gradient's norm, in float64, while the weights follow. */
function expectedNorm(weights: readonly ls.Tensor[], batchSize: number): number {
  const [w, [b]] = weights.map(weight => [...weight.dataSync()]) as [number[], [number]]
  let [bias, squares] = [b, 0]
  for (let from = 0; from < 100; from += batchSize) {
    const rows = Array.from({ length: Math.min(batchSize, 100 - from) }, (_, i) => from + i)
    const dw = [0, 0, 0, 0]
    for (const row of rows) {
      const inputs = [...x.subarray(3 * row, 3 * row + 3), 1]
      const error = inputs.reduce((sum, input, i) => sum + input * [...w, bias][i]!, 0) - y[row]!
      for (const [i, input] of inputs.entries()) dw[i]! += (2 * error * input) / rows.length
    }
    squares += rows.length * dw.reduce((sum, d) => sum + d * d, 0)
    for (let i = 0; i < 3; i++) w[i]! -= 0.1 * dw[i]!
    bias -= 0.1 * dw[3]!
  }
  return Math.sqrt(squares / 100)
}

test.each([1, 2])('gradientNorm is that of the formula, on %i workers', async workers => {
  const model = modelOf({ gradientNorm: true, metrics: ['meanAbsoluteError'] })
  const expected = expectedNorm(model.getWeights(), 32)
  const options = { batchSize: 32, epochs: 2, shuffle: false, workers, validationData: [x, y] as const }
  const { history } = await model.fit(x, y, options)
  expect(history.gradientNorm![0]).toBeCloseTo(expected, 6)
  expect(history.gradientNorm![1]).toBeLessThan(expected)
  expect(Object.keys(history)).toEqual([
    'loss',
    'meanAbsoluteError',
    'gradientNorm',
    'val_loss',
    'val_meanAbsoluteError',
  ])
})

test('gradientNorm changes no bit of the training, counts regularizers, and is refused unless it is a boolean', async () => {
  const weightsOf = async (gradientNorm: boolean) => {
    const model = modelOf({ gradientNorm })
    await model.fit(x, y, { batchSize: 8, epochs: 3, seed: 1 })
    return model.getWeights().map(weight => [...weight.dataSync()])
  }
  expect(await weightsOf(true)).toEqual(await weightsOf(false))
  expect(() => modelOf({ gradientNorm: 1 as unknown as boolean })).toThrow(
    'compile: gradientNorm must be true or false, got 1; correct it',
  )
})

test.each(['fit', 'fitDataset'] as const)('callbacks of %s are told what the epoch took', async way => {
  const paces: (EpochPace | undefined)[] = []
  class Listener extends ls.Callback {
    override onTrainBegin() {
      paces.push(this.model.pace)
    }
    override onEpochEnd() {
      paces.push(this.model.pace)
    }
  }
  const model = modelOf({})
  const common = { epochs: 3, workers: 2, callbacks: new Listener() }
  if (way === 'fit') await model.fit(x, y, { ...common, batchSize: 10 })
  else {
    const rows = ls.data.zip({
      xs: ls.data.array(ls.tensor(x, [100, 3]).arraySync() as number[][]),
      ys: ls.data.array([...y].map(value => [value])),
    })
    await model.fitDataset(rows.batch(10), common)
  }
  expect(paces[0]).toBeUndefined()
  for (const pace of paces.slice(1)) {
    expect(pace!.samples).toBe(100)
    expect(pace!.seconds).toBeGreaterThan(0)
    expect(pace!.barrierShares).toHaveLength(2)
    for (const share of pace!.barrierShares) expect(share >= 0 && share < 1).toBe(true)
  }
})
