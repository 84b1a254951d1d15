import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { loadLayersModel } from '../src/model/loading.ts'
import type { RunReport } from '../src/report/report.ts'
import { files, readJson } from '../src/tables/folder.ts'
import { buildNetwork, type Plan } from '../src/tables/networks.ts'
import type { TableConfiguration, TrainOptions } from '../src/tables/options.ts'
import { allButTest } from '../src/tables/splitting.ts'
import { groundOf, prepareTable } from '../src/tables/tableTrials.ts'
import { trainTable } from '../src/tables/training.ts'

const folder = mkdtempSync(join(tmpdir(), 'refit-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const options = {
  data: fileURLToPath(new URL('../examples/data/wine.csv', import.meta.url)),
  target: 'cultivar',
  seed: 3,
  workers: 1,
  epochs: 12,
}
let count = 0
const train = (more: Partial<TableConfiguration & TrainOptions> = {}) =>
  trainTable({ ...options, out: join(folder, `${++count}`), ...more })
const weightsOf = async (where: string) =>
  (await loadLayersModel(`file://${where}/model.json`)).getWeights().map(weight => [...weight.dataSync()])
const configurationOf = async (where: string) =>
  (await readJson(join(where, files.configuration), '')) as Plan & { refit?: boolean }

/** What a training on all rows but the test's leads to that follows the first. */
async function byHand(plan: Plan, epochs: number, rates?: readonly number[]) {
  const prepared = await prepareTable(options)
  const { parts } = prepared
  const whole = groundOf(prepared, options, { training: allButTest(parts), validation: parts.validation })
  const model = buildNetwork(plan, whole.problem, options.seed)
  await model.fit(whole.training.x, whole.training.y, {
    batchSize: plan.batchSize,
    epochs,
    seed: options.seed,
    workers: 1,
    callbacks: { onEpochBegin: epoch => void (rates && (model.optimizer.learningRate = rates[epoch]!)) },
  })
  return model.getWeights().map(weight => [...weight.dataSync()])
}

test('the model is trained on all rows but those of the test, for as long as was good', async () => {
  const { folder: where, refit, rows, scores } = await train()
  expect(rows).toMatchObject({ training: 124, validation: 27, test: 27 })
  expect(refit).toEqual({ rows: 151, epochs: 12 })
  const plan = await configurationOf(where)
  expect(plan.refit).toBe(true)
  expect(await weightsOf(where)).toEqual(await byHand(plan, 12))
  // Scores of the validation part are of the network that does not know it.
  const alone = await train({ refit: false })
  expect(alone.refit).toBeUndefined()
  expect((await configurationOf(alone.folder)).refit).toBe(false)
  expect(scores!.validation).toEqual(alone.scores!.validation)
  expect(scores!.model).not.toEqual(alone.scores!.model)
})

test('where standing still ends training, the best epoch is the last, at the rates of the plateaus', async () => {
  const still = { schedule: 'plateau', patience: 3 } as const
  const more = { ...still, epochs: 60, learningRate: 0.02, hidden: [128, 64] }
  const { folder: where, refit, stopReason, epochs } = await train(more)
  expect(stopReason).toBe('earlyStopping')
  expect(refit!.epochs).toBe(epochs - 3)
  const plan = await configurationOf(where)
  const { training } = (await readJson(join(where, files.report), '')) as RunReport
  const rates = training!.epochs.map(({ learningRate }) => learningRate)
  expect(new Set(rates).size).toBeGreaterThan(1)
  expect(await weightsOf(where)).toEqual(await byHand(plan, refit!.epochs, rates))
})

test('where a rate that does not fall is trained with to the end, too, the best epoch is the last', async () => {
  const wild = { schedule: 'constant', learningRate: 0.1, l2: 0.05, epochs: 20 } as const
  const { folder: where, refit, stopReason } = await train(wild)
  expect(stopReason).toBe('epochs')
  const { training } = (await readJson(join(where, files.report), '')) as RunReport
  const losses = training!.epochs.map(({ logs }) => logs.val_loss!)
  expect(refit!.epochs).toBe(losses.indexOf(Math.min(...losses)) + 1)
  expect(refit!.epochs).toBeLessThan(20)
})

test('interrupted while it is trained again, it goes on to the same bits', async () => {
  const { folder: whole } = await train({ epochs: 30 })
  const halves = join(folder, 'halves')
  const control = new AbortController()
  const progress = { refit: () => setTimeout(() => control.abort(), 5) }
  const first = await train({ epochs: 30, out: halves, signal: control.signal, progress })
  expect(first.interrupted).toBe(true)
  await expect(weightsOf(halves)).rejects.toThrow('model.json')
  const second = await train({ epochs: 30, out: halves, resume: true, workers: 2 })
  expect(second).toMatchObject({ interrupted: false, refit: { rows: 151, epochs: 30 } })
  expect(await weightsOf(halves)).toEqual(await weightsOf(whole))
})

test('there is no second training without a test part, or without time', async () => {
  expect((await train({ test: 0 })).refit).toBeUndefined()
  const { refit, warnings } = await train({ maxSeconds: 0.001, epochs: 10_000 })
  expect(refit).toBeUndefined()
  expect(warnings).toContain('the validation part is not trained on: there is no time left')
})
