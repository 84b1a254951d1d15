import { createHash } from 'node:crypto'
import * as ls from '../../src/index.ts'
import type { BaseCallback, Hooks } from '../../src/training/callback.ts'
import { noise } from '../bed.ts'

export const x = ls.tensor(noise(48 * 8, 3), [48, 8])
export const y = ls.tensor(
  Int32Array.from({ length: 48 }, (_, i) => i % 3),
  [48],
)
/** Six steps an epoch. */
export const options = { batchSize: 8, seed: 1, workers: 2 } as const

interface Given {
  readonly units?: number
  readonly optimizer?: ls.CompileOptions['optimizer']
  readonly engine?: ConstructorParameters<typeof ls.Sequential>[1]
}

export function network({ units = 12, optimizer = ls.train.adam(0.01), engine }: Given = {}): ls.Sequential {
  const { dense, dropout } = ls.layers
  const layers = [
    dense({ units, activation: 'relu', inputShape: [8] }),
    dropout({ rate: 0.2 }),
    dense({ units: 3, activation: 'softmax' }),
  ]
  const model = new ls.Sequential({ seed: 7, layers }, engine)
  model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] })
  return model
}

/** Of weights, states and slots. */
export const bitsOf = (model: ls.Sequential): string => {
  const hash = createHash('sha256')
  const parameters = [...model.weights, ...model.states, ...[...model.compiled.slots.values()].flat()]
  for (const parameter of parameters) hash.update(new Uint8Array(model.state.read(parameter).buffer))
  return hash.digest('hex')
}

/** How a training is begun: with callbacks that are new each time. */
export interface Trial {
  readonly make?: () => ls.Sequential
  readonly callbacks?: () => (BaseCallback | Hooks)[]
  readonly fit?: (model: ls.Sequential, options: ls.FitOptions) => Promise<ls.History>
  readonly options?: ls.FitOptions
}

/** What a training came to. */
export const ended = (model: ls.Sequential, { history, epoch, stopReason, seed }: ls.History) => ({
  ...{ bits: bitsOf(model), history, epoch, stopReason, seed },
  iterations: model.optimizer.iterations,
  learningRate: model.learningRate,
})

async function run({ make = network, callbacks, fit, options: own }: Trial, more: ls.FitOptions) {
  const model = make()
  const given = {
    ...options,
    ...own,
    ...more,
    callbacks: [...(callbacks?.() ?? []), ...[more.callbacks ?? []].flat()],
  }
  const history = await (fit ?? ((model, given) => model.fit(x, y, given)))(model, given)
  const outcome = { model, history, ended: ended(model, history) }
  return outcome
}

export const undisturbed = async (trial: Trial) => (await run(trial, {})).ended

/** Aborts a training after so many steps, and goes on from the folder with another model. */
export async function interrupted(trial: Trial, steps: number, directory: string) {
  const controller = new AbortController()
  let made = 0
  const onBatchEnd = () => {
    if (++made === steps) controller.abort()
  }
  const saving = ls.callbacks.checkpoint({ directory, every: { epochs: 1000 } })
  const cut = await run(trial, { callbacks: [{ onBatchEnd }, saving], signal: controller.signal })
  const again = await run(trial, { resume: directory, workers: 1 })
  return { cut, again }
}
