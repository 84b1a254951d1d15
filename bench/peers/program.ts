// node bench/peers/program.ts cpu|wasm|accelerated|imported: answers questions; see serve.ts.
import * as tf from '@tensorflow/tfjs'
import * as ls from 'lockstep'
import { accelerate } from 'lockstep/tfjs'
import { programs } from '../../test/programs/all.ts'
import type { Shared } from '../../test/programs/shared.ts'
import { useBackend } from './backend.ts'
import { EpochClock } from './epochs.ts'
import { type Question, serve } from './serve.ts'

const way = process.argv[2]!
await useBackend(way === 'cpu' ? way : 'wasm')
const library = way === 'imported' ? (ls as unknown as Shared) : tf

/** Epochs/s of a program, shuffled and with dropout. */
await serve(async ({ workload, ms }: Question<{ name: string }>) => {
  let model: tf.LayersModel | undefined
  const clock = new EpochClock(ms, () => {
    model!.stopTraining = true
  })
  const options = {
    prepare: <M extends tf.LayersModel>(made: M): M => {
      model = made
      return way === 'accelerated' ? accelerate(made, { seed: 1 }) : made
    },
    callbacks: clock.callbacks,
    epochs: 1e6,
  }
  await programs[workload.name]!(library, options)
  model!.dispose()
  return clock.epochsPerSecond
})
