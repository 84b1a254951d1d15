import { describe, expect, test } from 'vitest'
import * as ls from '../../src/index.ts'
import { noise } from '../bed.ts'
import { caught } from '../caught.ts'
import { withFolder } from './folder.ts'
import { bitsOf, interrupted, network, type Trial, undisturbed, x, y } from './small.ts'

const { array, zip } = ls.data

const rows = zip({
  xs: array(x.arraySync() as number[][]),
  ys: array(y.arraySync() as number[]),
})
/** Seven batches, the last of 6 samples. */
const batches = () => rows.take(48).shuffle(20, 5).batch(7)

/** `fitDataset` on datasets that are made anew, as by a process that is started again. */
const trial = (options: () => ls.FitDatasetOptions, dataset: () => ls.Batches = batches): Trial => ({
  options: { epochs: 4 },
  fit: (model, { batchSize: _, ...given }) =>
    model.fitDataset(dataset(), { ...given, ...options() } as ls.FitDatasetOptions),
})

describe('fitDataset, resumed', () => {
  test.each<[string, Trial]>([
    ['shuffled in each pass', trial(() => ({}))],
    [
      'one pass through all epochs',
      trial(
        () => ({ batchesPerEpoch: 5 }),
        () => batches().repeat(),
      ),
    ],
    ['validated on a dataset', trial(() => ({ validationData: batches() }))],
    [
      'trained and validated on the same one',
      (() => {
        let shared = batches()
        const dataset = () => (shared = batches())
        return trial(() => ({ validationData: shared }), dataset)
      })(),
    ],
    [
      'batches of sizes that grow',
      trial(
        () => ({}),
        () => () =>
          [3, 9, 4, 12, 5]
            .map(n => ({ xs: x.slice([0, 0], [n, 8]), ys: y.slice([0], [n]) }))
            [Symbol.iterator](),
      ),
    ],
  ])('%s, ends with the same bits', async (_, each) => {
    const expected = await undisturbed(each)
    for (const steps of [2, 5, 7, 12, 17]) {
      const { cut, again } = await withFolder(directory => interrupted(each, steps, directory))
      expect(cut.history.stopReason).toBe('aborted')
      expect({ steps, ended: again.ended }).toEqual({ steps, ended: expected })
    }
  })

  test('sequences of other lengths, plan by plan, too', async () => {
    const make = () => {
      const { dense, lstm } = ls.layers
      const layers = [lstm({ units: 4, inputShape: [null, 2] }), dense({ units: 3, activation: 'softmax' })]
      const model = ls.sequential({ seed: 7, layers })
      model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
      return model
    }
    const given = [3, 4, 4, 2, 3, 3].map((length, i) => {
      const xs = x.slice([0, 0], [6 + (i % 3), 2 * length]).reshape([6 + (i % 3), length, 2])
      return { xs, ys: y.slice([0], [6 + (i % 3)]) }
    })
    const each = {
      ...trial(
        () => ({}),
        () => given,
      ),
      make,
    }
    const expected = await undisturbed(each)
    for (const steps of [1, 3, 6, 10]) {
      const { again } = await withFolder(directory => interrupted(each, steps, directory))
      expect({ steps, ended: again.ended }).toEqual({ steps, ended: expected })
    }
  })

  test('a large batch long ago decides how later ones are summed', async () => {
    const make = () => {
      const { batchNormalization, dense, flatten } = ls.layers
      const layers = [
        batchNormalization({ inputShape: [32, 3] }),
        flatten({}),
        dense({ units: 3, activation: 'softmax' }),
      ]
      const model = ls.sequential({ seed: 7, layers })
      model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' })
      return model
    }
    const given = [100, 20, 21, 22].map(n => ({
      xs: ls.tensor(noise(n * 96, n), [n, 32, 3]),
      ys: ls.tensor(
        Int32Array.from({ length: n }, (_, i) => i % 3),
        [n],
      ),
    }))
    const first = given[0]!
    // The large one comes in the first pass alone.
    const dataset = () => {
      let passes = 0
      return () => (passes++ === 0 ? given : given.filter(batch => batch !== first))[Symbol.iterator]()
    }
    const each = { ...trial(() => ({}), dataset), make }
    const expected = await undisturbed(each)
    for (const steps of [2, 4, 6]) {
      const { again } = await withFolder(directory => interrupted(each, steps, directory))
      expect({ steps, ended: again.ended }).toEqual({ steps, ended: expected })
    }
  })

  test('refuses a pass that goes on in another way', () =>
    withFolder(async directory => {
      const given = [0, 8, 16, 24].map(from => ({ xs: x.slice([from, 0], [8, 8]), ys: y.slice([from], [8]) }))
      await interrupted(
        trial(
          () => ({}),
          () => given,
        ),
        3,
        directory,
      )
      const other = given.toSpliced(1, 1, { xs: x.slice([32, 0], [8, 8]), ys: y.slice([32], [8]) })
      expect(await caught(() => network().fitDataset(other, { epochs: 4, resume: directory }))).toMatch(
        /^RangeError: fitDataset: the dataset must give the batches that it gave before, got others in its first 3 batches; /,
      )
    }))

  test('refuses other batches, unless that is allowed', () =>
    withFolder(async directory => {
      const each = trial(() => ({}))
      await interrupted(each, 10, directory)
      for (const other of [rows.batch(7), rows.shuffle(20, 6).batch(7)]) {
        const settings = { epochs: 4, resume: directory, workers: 1 }
        const model = network()
        expect(await caught(() => model.fitDataset(other, settings))).toMatch(
          /^RangeError: fitDataset: the dataset must give the batches that it gave before, got others after 1 passes; /,
        )
        const history = await model.fitDataset(other, { ...settings, allowChange: ['data'] })
        expect(history.epoch).toEqual([0, 1, 2, 3])
      }
      const model = network()
      const fewer = () => rows.shuffle(20, 5).batch(7).take(2)
      expect(await caught(() => model.fitDataset(fewer(), { epochs: 4, resume: directory }))).toMatch(
        /^RangeError: fitDataset .*the dataset must have 3 batches an epoch, got only 2; /,
      )
      expect(await caught(() => model.fit(x, y, { epochs: 4, resume: directory }))).toContain(
        'configuration.method was "fitDataset", is "fit"',
      )
    }))

  test('saves every so many seconds although a batch does not come', () =>
    withFolder(async directory => {
      const controller = new AbortController()
      const stuck = async function* () {
        yield* [{ xs: x, ys: y }]
        await new Promise(() => {})
      }
      const callbacks = ls.callbacks.checkpoint({ directory, every: { seconds: 0.1 } })
      setTimeout(() => controller.abort(), 500)
      const model = network()
      const history = await model.fitDataset(stuck, { signal: controller.signal, callbacks, workers: 2 })
      expect(history.checkpoint).toContain('step-000000000001-save-000001')
      expect(model.optimizer.iterations).toBe(1)
      const again = network()
      const whole = async function* () {
        yield* [{ xs: x, ys: y }]
      }
      const { seed } = history
      await again.fitDataset(whole, { resume: directory })
      const reference = network()
      await reference.fitDataset(whole, { seed })
      expect(bitsOf(again)).toBe(bitsOf(reference))
    }))
})
