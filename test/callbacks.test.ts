import { expect, test, vi } from 'vitest'
import { type Tensor, tensor } from '../src/data/tensor.ts'
import {
  BaseCallback,
  Callback,
  hasHook,
  hookNames,
  type Logs,
  type TrainingModel,
} from '../src/training/callback.ts'
import { callbacks, toCallbacks } from '../src/training/callbacks.ts'
import { caught } from './caught.ts'

/** A model whose only weight is the number of the epoch just trained. */
class FakeModel implements TrainingModel {
  stopTraining = false
  learningRate = 1
  weight = tensor([-1])

  getWeights(): Tensor[] {
    return [this.weight]
  }

  setWeights([weight]: Tensor[]): void {
    this.weight = weight!
  }
}

/** Runs epochs with these values of `name`; returns the model and the last epoch. */
async function train(callback: Callback, values: number[], name = 'val_loss', model = new FakeModel()) {
  callback.setModel(model)
  await callback.onTrainBegin()
  let epoch = 0
  const rates: number[] = []
  for (; epoch < values.length && !model.stopTraining; epoch++) {
    // In place, so that only a callback that copies keeps an earlier epoch's weights.
    model.weight.values[0] = epoch
    await callback.onEpochEnd(epoch, { loss: 1, [name]: values[epoch]! })
    rates.push(model.learningRate)
  }
  await callback.onTrainEnd()
  return { model, epochs: epoch, rates, weight: model.weight.values[0] }
}

const { NaN: nan } = Number

test.each([
  ['patience 0 stops at the first rise', {}, [3, 2, 2.5, 1], 3],
  ['patience 1 stops at the first rise too', { patience: 1 }, [3, 2, 2.5, 1], 3],
  ['patience 2', { patience: 2 }, [3, 2, 2.5, 1, 1, 1, 1], 6],
  ['an equal value is no improvement', { patience: 1 }, [2, 2, 1], 2],
  ['minDelta', { minDelta: 0.5, patience: 1 }, [3, 2.6, 1], 2],
  ['a negative minDelta counts as its size', { minDelta: -0.5, patience: 1 }, [3, 2.6, 1], 2],
  ['NaN is no improvement', { patience: 2 }, [3, nan, nan, 1], 3],
  ['baseline not beaten', { baseline: 1, patience: 2 }, [3, 2, 1.5], 2],
  ['baseline beaten', { baseline: 1, patience: 2 }, [3, 0.5, 0.6, 0.4], 4],
  ['mode max', { mode: 'max', patience: 1 }, [1, 2, 1.5, 3], 3],
  ['never', { patience: 10 }, [1, 2, 3, 4], 4],
] as const)('earlyStopping: %s', async (_, options, values, epochs) => {
  expect((await train(callbacks.earlyStopping(options), [...values])).epochs).toBe(epochs)
})

test.each([
  ['val_acc', [0.1, 0.2, 0.15], 3],
  ['val_precision', [0.1, 0.2, 0.15], 3],
  ['val_meanSquaredError', [2, 1, 1.5], 3],
])('mode auto for %s', async (monitor, values, epochs) => {
  expect((await train(callbacks.earlyStopping({ monitor }), [...values, 0], monitor)).epochs).toBe(epochs)
})

test.each([
  ['stopped early', { patience: 2 }, [3, 1, 2, 2, 9], 1],
  ['ran to the end', { patience: 9 }, [3, 1, 2, 2], 1],
  ['the last is the best', { patience: 9 }, [3, 2, 1], 2],
  ['no epoch is better than NaN', { patience: 9 }, [nan, nan], 1],
  ['baseline never beaten', { patience: 2, baseline: 0 }, [1, 2], 0],
])('restoreBestWeights: %s', async (_, options, values, best) => {
  const stopping = callbacks.earlyStopping({ ...options, restoreBestWeights: true })
  expect((await train(stopping, values)).weight).toBe(best)
  // A second fit starts anew.
  expect((await train(stopping, [5, 6])).weight).toBe(0)
})

test('without restoreBestWeights the weights stay', async () => {
  expect((await train(callbacks.earlyStopping({ patience: 2 }), [3, 1, 2, 2])).weight).toBe(3)
})

test.each([
  ['factor and patience', { factor: 0.5, patience: 2 }, [1, 1, 1, 1, 1], [1, 1, 0.5, 0.5, 0.25]],
  ['improvement resets', { factor: 0.5, patience: 2 }, [3, 3, 2, 2, 2], [1, 1, 1, 1, 0.5]],
  ['minDelta', { factor: 0.5, patience: 1, minDelta: 0.1 }, [1, 0.95], [1, 0.5]],
  ['cooldown', { factor: 0.5, patience: 1, cooldown: 2 }, [1, 1, 1, 1, 1], [1, 0.5, 0.5, 0.25, 0.25]],
  ['minLR', { factor: 0.1, patience: 1, minLR: 0.05 }, [1, 1, 1, 1], [1, 0.1, 0.05, 0.05]],
  ['mode max', { factor: 0.5, patience: 1, mode: 'max' }, [1, 2, 2], [1, 1, 0.5]],
] as const)('reduceLROnPlateau: %s', async (_, options, values, rates) => {
  expect((await train(callbacks.reduceLROnPlateau(options), [...values])).rates).toEqual(rates)
})

test('verbose tells', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  await train(callbacks.earlyStopping({ verbose: 1 }), [1, 2])
  await train(callbacks.reduceLROnPlateau({ patience: 1, factor: 0.5, verbose: 1 }), [1, 2])
  expect(log.mock.calls).toEqual([['Epoch 1: early stopping.'], ['Epoch 1: learning rate reduced to 0.5.']])
  log.mockRestore()
})

test('hooks are seen, awaited and called with what training gives', async () => {
  const seen: unknown[] = []
  const lambda = callbacks.lambda({
    onEpochEnd: async (epoch, logs) => {
      await null
      seen.push(epoch, logs)
    },
  })
  await lambda.onEpochEnd(3, { loss: 1 })
  await lambda.onEpochBegin(3)
  expect(seen).toEqual([3, { loss: 1 }])
  expect([hasHook(lambda, 'onEpochEnd'), hasHook(lambda, 'onBatchEnd')]).toEqual([true, false])

  class Mine extends Callback {
    override onBatchEnd(batch: number, logs?: Logs): void {
      seen.push(batch, logs, this.params.epochs)
    }
  }
  const mine = new Mine()
  mine.setParams({ epochs: 7 })
  mine.onBatchEnd(1, { size: 2 })
  expect(seen.slice(2)).toEqual([1, { size: 2 }, 7])
  expect([hasHook(mine, 'onBatchEnd'), hasHook(mine, 'onTrainEnd')]).toEqual([true, false])
})

test('what fit takes as callbacks', () => {
  const base = new BaseCallback()
  expect(toCallbacks(undefined)).toEqual([])
  expect(toCallbacks(base)).toEqual([base])
  const [first, second] = toCallbacks([base, { onTrainEnd: () => {} }])
  expect(first).toBe(base)
  expect(hasHook(second!, 'onTrainEnd')).toBe(true)
  // One that extends the class of TF.js has the methods, not the class.
  const foreign = { setParams: () => {}, setModel: () => {}, onEpochEnd: () => {} } as unknown as BaseCallback
  expect(toCallbacks(foreign)).toEqual([foreign])
  expect([hasHook(foreign, 'onEpochEnd'), hasHook(foreign, 'onYield')]).toEqual([true, false])
})

const stopping = callbacks.earlyStopping()
const validationFix = 'give fit validationData or validationSplit'
test.each([
  [
    () => stopping.onEpochEnd(0, { loss: 1, acc: 0.5 }),
    `Error: earlyStopping: monitor "val_loss" must be among the logs, got "loss", "acc"; ${validationFix}`,
  ],
  [
    () => callbacks.reduceLROnPlateau({ monitor: 'los' }).onEpochEnd(0, {}),
    'Error: reduceLROnPlateau: monitor "los" must be among the logs, got nothing',
  ],
  [
    () => callbacks.earlyStopping({ patiense: 1 } as never),
    'TypeError: earlyStopping: unknown option "patiense"; did you mean "patience"?',
  ],
  [
    () => callbacks.earlyStopping({ mode: 'maximum' as never }),
    'RangeError: earlyStopping: mode must be one of "auto", "min", "max", got "maximum"',
  ],
  [
    () => callbacks.earlyStopping({ monitor: 3 as never }),
    'TypeError: earlyStopping: monitor must be a string, got 3',
  ],
  [
    () => callbacks.earlyStopping({ patience: -1 }),
    'RangeError: earlyStopping: patience must be a non-negative integer, got -1',
  ],
  [
    () => callbacks.reduceLROnPlateau({ factor: 1 }),
    'RangeError: reduceLROnPlateau: factor must be in (0, 1), got 1',
  ],
  [
    () => callbacks.lambda({ onEpochStart: () => {} } as never),
    `TypeError: lambda: unknown option "onEpochStart"; known are ${hookNames.join(', ')}, getState, setState`,
  ],
  [
    () => callbacks.lambda({ onEpochEnd: 5 } as never),
    'TypeError: lambda: onEpochEnd must be a function, got 5',
  ],
  [
    () => toCallbacks([5] as never),
    'TypeError: callbacks: each must be a callback or an object with hooks, got 5',
  ],
])('message %#', async (run, text) => {
  expect(await caught(run)).toBe(text)
})
