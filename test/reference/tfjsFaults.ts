import type { Fault } from './faults/evidence.ts'
import { layerFaults } from './faults/layers.ts'
import { recurrentFaults } from './faults/recurrent.ts'
import { trainingFaults } from './faults/training.ts'

/** Where TensorFlow.js is wrong. */
export const faults: Readonly<Record<string, Fault>> = {
  ...trainingFaults,
  ...layerFaults,
  ...recurrentFaults,
}
