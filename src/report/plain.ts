import type { LayerSummary } from '../model/summary.ts'
import type { EpochRecord } from '../training/recorder.ts'
import { bestEpochOf } from './curves.ts'
import { remarksOnTraining } from './remarks.ts'
import type { RunReport } from './report.ts'
import { figure } from './scales.ts'

/** What is known of any training. */
export interface PlainRun {
  readonly title: string
  readonly epochs: readonly EpochRecord[]
  readonly planned: number
  readonly network: readonly LayerSummary[]
  readonly isDone: boolean
}

/** The report of a training that nothing is known of but its epochs. */
export function plainReport({ title, epochs, planned, network, isDone }: PlainRun): RunReport {
  const training = { epochs: [...epochs], planned, plan: {} }
  const [last, best] = [epochs.at(-1), epochs[bestEpochOf(epochs)]]
  const seconds = epochs.reduce((sum, { pace }) => sum + (pace?.seconds ?? 0), 0)
  const losses = [
    ['Loss', last?.logs.loss],
    ['Validation loss', last?.logs.val_loss],
  ] as const
  return {
    format: 'lockstep report 1',
    title,
    subtitle: isDone ? 'Training has ended.' : 'Training goes on.',
    state: isDone ? 'done' : 'training',
    facts: [
      {
        name: 'Epochs',
        value: `${epochs.length}`,
        note: best ? `best ${best.epoch}, of ${planned}` : `of ${planned}`,
      },
      ...losses.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value: figure(value) }])),
      { name: 'Training', value: `${figure(Number(seconds.toPrecision(3)))} s` },
      { name: 'Weights', value: figure(network.reduce((sum, { weights }) => sum + weights, 0)) },
    ],
    remarks: remarksOnTraining(training),
    training,
    network,
    warnings: [],
    commands: [],
  }
}
