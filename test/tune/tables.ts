import { fileURLToPath } from 'node:url'
import * as ls from '../../src/index.ts'
import { kFold, type ParametersOf, takeRows } from '../../src/tune/tune.ts'
import { maxEpochs } from './curves.ts'

export const networks = {
  learningRate: { float: [1e-4, 1], log: true },
  width: { int: [2, 64], log: true },
  activation: { choice: ['relu', 'tanh', 'sigmoid'] },
  optimizer: { choice: ['adam', 'momentum'] },
  momentum: { float: [0, 0.95], when: { optimizer: 'momentum' } },
  l2: { float: [1e-6, 0.1], log: true },
} as const

const targets = { wine: 'cultivar', 'breast-cancer': 'diagnosis' } as const
export type Table = keyof typeof targets

interface Part {
  readonly x: ls.Tensor
  readonly y: ls.Tensor
}

/** Two thirds of a table to train on and a third to test, columns of mean 0 and deviation 1 in the first. */
export async function readTable(table: Table): Promise<{ train: Part; test: Part; classes: number }> {
  const path = fileURLToPath(new URL(`../../examples/data/${table}.csv`, import.meta.url))
  const rows = (await ls.data.csv(path).toArray()) as Record<string, number | string>[]
  const labels = rows.map(row => String(row[targets[table]]))
  const kinds = [...new Set(labels)].sort()
  const columns = Object.keys(rows[0]!).filter(name => name !== targets[table])
  const [fold] = kFold(rows.length, { folds: 3, stratify: labels, seed: 1 })
  const scaled = columns.map(name => {
    const values = rows.map(row => Number(row[name]))
    const known = takeRows(values, fold!.train)
    const mean = known.reduce((sum, value) => sum + value, 0) / known.length
    const deviation = Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / known.length)
    return values.map(value => (value - mean) / deviation)
  })
  const x = ls.tensor2d(rows.map((_, i) => scaled.map(column => column[i]!)))
  const y = ls.tensor1d(labels.map(label => kinds.indexOf(label)))
  const part = (indices: Int32Array): Part => ({ x: takeRows(x, indices), y: takeRows(y, indices) })
  return { train: part(fold!.train), test: part(fold!.test), classes: kinds.length }
}

/** Losses on the test part after each epoch. */
export async function lossesOf(
  { train, test, classes }: Awaited<ReturnType<typeof readTable>>,
  { learningRate, width, activation, momentum, l2 }: ParametersOf<typeof networks>,
  seed: number,
  epochs = maxEpochs,
): Promise<number[]> {
  const kernelRegularizer = ls.regularizers.l2({ l2 })
  const inputShape = [train.x.shape[1]!]
  const layers = [
    ls.layers.dense({ units: width, activation, kernelRegularizer, inputShape }),
    ls.layers.dense({ units: classes, activation: 'softmax' }),
  ]
  const model = ls.sequential({ layers, seed })
  const optimizer =
    momentum === undefined ? ls.train.adam(learningRate) : ls.train.momentum(learningRate, momentum)
  model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy' })
  const { history } = await model.fit(train.x, train.y, {
    epochs,
    validationData: [test.x, test.y],
    workers: 1,
    seed,
  })
  model.dispose()
  return history.val_loss as number[]
}
