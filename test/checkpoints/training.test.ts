import { readdir, readFile, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import * as ls from '../../src/index.ts'
import { Engine } from '../../src/runtime/engine.ts'
import { caught } from '../caught.ts'
import { withFolder } from './folder.ts'
import { bitsOf, ended, interrupted, network, options, type Trial, undisturbed, x, y } from './small.ts'

const { checkpoint, convergence, csvLogger, earlyStopping, learningRateScheduler } = ls.callbacks

/** Saves after epochs of the model, in the folder. */
async function saved(directory: string, more: ls.FitOptions = {}, model = network()): Promise<ls.Sequential> {
  await model.fit(x, y, { ...options, epochs: 2, callbacks: checkpoint({ directory }), ...more })
  return model
}

describe('a training that is resumed', () => {
  test.each<[string, Trial]>([
    [
      'early stopping and its best weights',
      {
        callbacks: () => [
          earlyStopping({ monitor: 'loss', patience: 0, minDelta: 0.02, restoreBestWeights: true }),
        ],
      },
    ],
    [
      'a schedule that depends on the rate before',
      { callbacks: () => [learningRateScheduler((_, rate) => rate * 0.7)] },
    ],
    ['streamed data without shuffling', { options: { stream: true, shuffle: false } }],
    [
      'weights of samples and classes',
      {
        options: {
          classWeight: { 0: 1, 1: 2, 2: 3 },
          sampleWeight: x.slice([0, 0], [48, 1]).square().reshape([48]),
        },
      },
    ],
  ])('keeps %s', async (_, trial) => {
    const whole = { ...trial, options: { epochs: 6, validationSplit: 0.1, ...trial.options } }
    const expected = await undisturbed(whole)
    for (const steps of [3, 6, 15]) {
      const { cut, again } = await withFolder(directory => interrupted(whole, steps, directory))
      expect(cut.history.stopReason).toBe('aborted')
      expect(again.ended).toEqual(expected)
    }
  })

  test('keeps the states of recurrent layers', async () => {
    const make = () => {
      const { dense, lstm } = ls.layers
      const layers = [
        lstm({ units: 5, stateful: true, batchInputShape: [8, 4, 2] }),
        dense({ units: 3, activation: 'softmax' }),
      ]
      const model = ls.sequential({ seed: 7, layers })
      model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy' })
      return model
    }
    const fit = (model: ls.Sequential, given: ls.FitOptions) => model.fit(x.reshape([48, 4, 2]), y, given)
    const trial = {
      make,
      fit,
      options: { epochs: 3, shuffle: false, validationData: [x.reshape([48, 4, 2]), y] as const },
    }
    const { again } = await withFolder(directory => interrupted(trial, 8, directory))
    expect(again.ended).toEqual(await undisturbed(trial))
  })

  test('keeps what callbacks say that they must remember, of every kind', async () => {
    class Own extends ls.Callback {
      seen = {
        epochs: 0,
        last: Number.NaN,
        least: Number.POSITIVE_INFINITY,
        zero: -0,
        all: new Float64Array(3),
        w: [] as ls.Tensor[],
      }
      override onEpochEnd(epoch: number, logs?: ls.Logs): void {
        const { epochs, least, all } = this.seen
        all[epoch % 3] = logs!.loss!
        const w = this.model.getWeights()
        this.seen = {
          ...this.seen,
          epochs: epochs + 1,
          last: logs!.loss!,
          least: Math.min(least, logs!.loss!),
          w,
        }
      }
      override getState() {
        return { ...this.seen, $number: 'a key like ours' }
      }
      override setState({ $number, ...seen }: ls.CallbackState): void {
        expect($number).toBe('a key like ours')
        this.seen = seen as typeof this.seen
      }
    }
    const whole = new Own()
    await undisturbed({ options: { epochs: 4 }, callbacks: () => [whole] })
    for (const steps of [2, 10]) {
      const made: Own[] = []
      const callbacks = () => {
        made.push(new Own())
        return [made.at(-1)!]
      }
      await withFolder(directory => interrupted({ options: { epochs: 4 }, callbacks }, steps, directory))
      expect(made[1]!.seen).toEqual(whole.seen)
    }
  })

  test('goes on in the file of csvLogger, without the lines that came after the checkpoint', () =>
    withFolder(async folder => {
      const [path, directory] = [join(folder, 'log.csv'), join(folder, 'checkpoints')]
      const callbacks = () => [csvLogger(path)]
      await undisturbed({ callbacks, options: { epochs: 4 } })
      const whole = await readFile(path, 'utf8')
      const every = { epochs: 2 }
      await network().fit(x, y, {
        ...options,
        epochs: 3,
        callbacks: [csvLogger(path), checkpoint({ directory, every })],
      })
      const [last] = (await readdir(directory))
        .filter(name => name.endsWith('.ckpt'))
        .sort()
        .slice(-1)
      await rm(join(directory, last!))
      await network().fit(x, y, { ...options, epochs: 4, callbacks: csvLogger(path), resume: directory })
      expect(await readFile(path, 'utf8')).toBe(whole)
    }))

  test('may have more epochs: it is then as if it had had them from the beginning', () =>
    withFolder(async directory => {
      const optimizer = () => ls.train.adam({ learningRate: 0.01, useEma: true })
      const make = () => network({ optimizer: optimizer() })
      const short = await saved(directory, {}, make())
      const model = make()
      const history = await model.fit(x, y, { ...options, epochs: 4, resume: directory })
      expect(history.resumed).toMatchObject({ step: 12, skipped: [] })
      expect(ended(model, history)).toEqual(await undisturbed({ make, options: { epochs: 4 } }))
      const same = make()
      await same.fit(x, y, { ...options, epochs: 2, resume: directory })
      expect(bitsOf(same)).toBe(bitsOf(short))
    }))

  test('has ended, if a callback ended it', () =>
    withFolder(async directory => {
      const stop = () => convergence({ tolerance: 1, patience: 2 })
      const model = network()
      const callbacks = [stop(), checkpoint({ directory })]
      const history = await model.fit(x, y, { ...options, epochs: 9, callbacks })
      expect(history).toMatchObject({ stopReason: 'converged', epoch: [0, 1, 2] })
      const again = network()
      const same = await again.fit(x, y, { ...options, epochs: 9, callbacks: stop(), resume: directory })
      expect(ended(again, same)).toEqual(ended(model, history))
    }))

  test('takes the seed that was drawn, and weights of layers with other names', () =>
    withFolder(async directory => {
      const { seed: _, ...unseeded } = options
      const model = network()
      const { seed } = await model.fit(x, y, { ...unseeded, epochs: 2, callbacks: checkpoint({ directory }) })
      const again = await network().fit(x, y, { ...unseeded, epochs: 3, resume: directory })
      expect(again.seed).toBe(seed)
    }))

  test('falls back to the newest checkpoint that is sound, and says so', () =>
    withFolder(async directory => {
      await saved(directory)
      const last = (await readdir(directory))
        .filter(name => name.endsWith('.ckpt'))
        .sort()
        .at(-1)!
      await truncate(join(directory, last), 1000)
      const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
      const model = network()
      const history = await model.fit(x, y, { ...options, epochs: 2, resume: directory })
      expect(warned.mock.calls[0]![0]).toMatch(
        new RegExp(`^fit: .*${last} is damaged .* goes on from .*step-0+6-`),
      )
      warned.mockRestore()
      expect(history.resumed).toMatchObject({ step: 6, skipped: [{ path: join(directory, last) }] })
      expect(ended(model, history)).toEqual(await undisturbed({ options: { epochs: 2 } }))
    }))

  test('begins where there is no checkpoint yet, but only if it will save there', () =>
    withFolder(async folder => {
      const directory = join(folder, 'new')
      const given = { ...options, epochs: 1, resume: directory }
      expect(await caught(() => network().fit(x, y, given))).toBe(
        `Error: fit: resume must be a folder with checkpoints, got none in ${directory}; ` +
          'leave resume out, or give the same folder to callbacks.checkpoint to begin there',
      )
      const model = network()
      const history = await model.fit(x, y, { ...given, callbacks: checkpoint({ directory }) })
      expect(history.resumed).toBeUndefined()
      expect(history.checkpoint).toMatch(/new\/step-0+6-save-0+1\.ckpt$/)
    }))
})

describe('a difference', () => {
  const other = x.square()
  const portable = () => new Engine({ numerics: 'portable', tier: 'simd128' })
  const cases: [string, () => ls.Sequential, ls.FitOptions, string, ls.Tensor?][] = [
    ['of data', network, {}, 'data.training.x0 was "float32 [48, 8], SHA-256', other],
    ['of the part for validation', network, { validationSplit: 0.5 }, 'data.training.samples was 48, is 24'],
    ['of the batch size', network, { batchSize: 16 }, 'configuration.batchSize was 8, is 16'],
    [
      'of an optimizer',
      () => network({ optimizer: ls.train.adam({ learningRate: 0.01, beta1: 0.8 }) }),
      {},
      'configuration.optimizer.beta1 was 0.9, is 0.8',
    ],
    ['of the seed', network, { seed: 2 }, 'configuration.seed was 1, is 2'],
    [
      'of callbacks with a state',
      network,
      { callbacks: earlyStopping() },
      'configuration.callbacks[0] was null, is {',
    ],
    [
      'of numerics',
      () => network({ engine: portable() }),
      {},
      'numerics.numerics was "fused", is "portable"',
    ],
  ]
  test.each(cases)('%s is named', (_, make, given, message, data = x) =>
    withFolder(async directory => {
      await saved(directory)
      const model = make()
      const before = bitsOf(model)
      const found = await caught(() =>
        model.fit(data, y, { ...options, epochs: 3, resume: directory, ...given }),
      )
      expect(found).toContain('RangeError: fit: what is resumed must be as it was saved in ')
      expect(found).toContain(message)
      expect(bitsOf(model)).toBe(before)
      await model.engine.close()
    }),
  )

  test('is allowed, if asked for', () =>
    withFolder(async directory => {
      await interrupted({ options: { epochs: 2 } }, 8, directory)
      const model = network({ optimizer: ls.train.momentum(0.05, 0.9) })
      const settings = { ...options, epochs: 3, resume: directory }
      const refused = await caught(() => model.fit(other, y, { ...settings, allowChange: ['configuration'] }))
      expect(refused).toMatch(/set allowChange: \['data'\]$/)
      const { epoch, resumed } = await model.fit(other, y, {
        ...settings,
        allowChange: ['data', 'configuration'],
      })
      expect({ epoch, step: resumed?.step }).toEqual({ epoch: [0, 1, 2], step: 8 })
      // The epoch in progress was begun anew.
      expect(model.optimizer.iterations).toBe(8 + 12)
      expect(model.learningRate).toBe(0.05)
    }))

  test('of the weights never is', () =>
    withFolder(async directory => {
      await saved(directory)
      const settings = { ...options, resume: directory, allowChange: true }
      expect(await caught(() => network({ units: 13 }).fit(x, y, settings))).toMatch(
        /^RangeError: fit: the checkpoint must have weights of the shapes \[8,13\] .*, got \[8,12\] /,
      )
    }))
})

describe('a checkpoint is saved', () => {
  const names = async (directory: string) =>
    (await readdir(directory)).filter(name => name.endsWith('.ckpt')).sort()

  test('at multiples of steps, and at the end; as many are kept as was asked for', () =>
    withFolder(async directory => {
      const callbacks = checkpoint({ directory, every: { steps: 5 }, keep: 2 })
      const slow = { onBatchEnd: () => sleep(20) }
      const history = await network().fit(x, y, { ...options, epochs: 3, callbacks: [callbacks, slow] })
      expect((await names(directory)).map(name => Number(name.slice(5, 17)))).toEqual([15, 18])
      expect(history.checkpoint).toBe(join(directory, (await names(directory)).at(-1)!))
    }))

  test('every so many seconds, in the middle of an epoch, while the workers train', () =>
    withFolder(async directory => {
      const controller = new AbortController()
      const callbacks = checkpoint({ directory, every: { seconds: 0.05 }, keep: 1000 })
      setTimeout(() => controller.abort(), 600)
      const settings = { ...options, batchSize: 1, epochs: 100_000, signal: controller.signal }
      await network().fit(x, y, { ...settings, callbacks })
      expect((await names(directory)).length).toBeGreaterThan(2)
    }))

  test('as the best, which stays', () =>
    withFolder(async directory => {
      const rates = [0, 0, 0.5, 0, 0]
      const scheduler = learningRateScheduler(epoch => rates[epoch]!)
      const logs: number[] = []
      const note = { onEpochEnd: (_: number, found?: ls.Logs) => void logs.push(found!.val_loss!) }
      const saving = checkpoint({ directory, keep: 1, best: { monitor: 'val_loss', mode: 'max' } })
      const callbacks = [scheduler, note, saving]
      await network().fit(x, y, { ...options, epochs: 5, validationSplit: 0.2, callbacks })
      const best = (await names(directory)).filter(name => name.includes('best'))
      const epoch = logs.indexOf(Math.max(...logs))
      expect(best.map(name => Number(name.slice(5, 17)))).toEqual([5 * (epoch + 1)])
      expect(await caught(() => saved(directory, { callbacks: saving }))).toMatch(
        /^Error: checkpoint: best: monitor "val_loss" must be among the logs, got "loss", "acc"/,
      )
    }))

  test('or fit rejects after the step, and the model keeps what it has learnt', () =>
    withFolder(async folder => {
      const directory = join(folder, 'gone')
      const model = network()
      let steps = 0
      const onBatchEnd = async () => {
        if (++steps === 9) await rm(directory, { recursive: true })
        if (steps > 9) await sleep(20)
      }
      const callbacks = [{ onBatchEnd }, checkpoint({ directory, every: { steps: 10 } })]
      const message = await caught(() => model.fit(x, y, { ...options, epochs: 100, callbacks }))
      expect(message).toMatch(
        /^SaveError: fit: the checkpoint of step 10 must be saved in .*gone, got .*; the model is as after/,
      )
      expect(model.optimizer.iterations).toBe(steps)
      expect(steps).toBeLessThan(30)
      const reference = network()
      const controller = new AbortController()
      let made = 0
      const stop = { onBatchEnd: () => void (++made === steps && controller.abort()) }
      await reference.fit(x, y, { ...options, epochs: 100, callbacks: stop, signal: controller.signal })
      expect(bitsOf(model)).toBe(bitsOf(reference))
    }))

  test('by one training in one folder', () =>
    withFolder(async directory => {
      const callbacks = [checkpoint({ directory }), checkpoint({ directory })]
      expect(await caught(() => network().fit(x, y, { ...options, callbacks }))).toBe(
        'RangeError: fit: callbacks must have one checkpoint, got another one; leave one of them out',
      )
      const onEpochEnd = async () => {
        const message = await caught(() => saved(directory))
        expect(message).toContain(`${directory} must have one writer, got this process`)
      }
      await network().fit(x, y, { ...options, callbacks: [checkpoint({ directory }), { onEpochEnd }] })
      await saved(directory)
    }))

  test.each([
    [{}, "TypeError: checkpoint: directory must be a folder, got undefined; write 'checkpoints'"],
    [
      { directory: 'a', every: {} },
      'TypeError: checkpoint: every must have steps, epochs or seconds, got none; try { epochs: 1 }',
    ],
    [
      { directory: 'a', every: { steps: 0 } },
      'RangeError: checkpoint: every.steps must be a positive integer, got 0',
    ],
    [{ directory: 'a', best: {} }, 'TypeError: checkpoint: best: monitor must be a string, got undefined'],
    [{ directory: 'a', kep: 3 }, 'TypeError: checkpoint: unknown option "kep"; did you mean "keep"?'],
  ])('not with wrong options: %o', async (given, message) => {
    expect(await caught(() => checkpoint(given as never))).toBe(message)
  })
})

describe('training ends', () => {
  test('when there is no time left, and goes on later', () =>
    withFolder(async directory => {
      const settings = { ...options, epochs: 2000, batchSize: 2 }
      const saving = checkpoint({ directory, every: { epochs: 1e6 } })
      const history = await network().fit(x, y, { ...settings, maxSeconds: 0.2, callbacks: saving })
      expect(history.stopReason).toBe('maxSeconds')
      expect(history.epoch.length).toBeLessThan(2000)
      const again = await network().fit(x, y, {
        ...settings,
        epochs: history.epoch.length + 2,
        resume: directory,
      })
      expect(again.resumed!.path).toBe(history.checkpoint)
      expect(again.epoch).toEqual([...history.epoch, history.epoch.length, history.epoch.length + 1])
    }))

  test('for the reason that a callback gives', async () => {
    const model = network()
    const onEpochEnd = () => void (model.stopTraining = 'as good as it gets')
    const { stopReason } = await model.fit(x, y, { ...options, epochs: 3, callbacks: { onEpochEnd } })
    expect(stopReason).toBe('as good as it gets')
    expect(model.stopTraining).toBe(true)
  })

  test('by a signal without a word to callbacks that wait for a validation', async () => {
    const controller = new AbortController()
    const told: number[] = []
    const hooks = {
      onBatchEnd: (batch: number) => void (batch === 3 && controller.abort()),
      onEpochEnd: (epoch: number) => void told.push(epoch),
    }
    const callbacks = [hooks, earlyStopping()]
    const given = { ...options, epochs: 2, validationSplit: 0.2, callbacks, signal: controller.signal }
    const { stopReason, epoch } = await network().fit(x, y, given)
    expect({ stopReason, epoch, told }).toEqual({ stopReason: 'aborted', epoch: [], told: [] })
  })

  test.each([
    [{ maxSeconds: 0 }, 'RangeError: fit: maxSeconds must be in (0, 2000000], got 0'],
    [{ resume: '' }, 'TypeError: fit: resume must be a folder with checkpoints, got ""; correct it'],
    [
      { allowChange: 'data' },
      `TypeError: fit: allowChange must be true, false or a list, got "data"; try ['data']`,
    ],
    [
      { allowChange: ['date'] },
      'RangeError: fit: allowChange must be one of "data", "configuration", "numerics", got "date"; did you mean "data"?',
    ],
  ])('at once with wrong options: %o', async (given, message) => {
    expect(await caught(() => network().fit(x, y, given as never))).toBe(message)
  })
})
