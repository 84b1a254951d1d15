import { chooseNetwork } from './choosing.ts'
import { Encoder } from './encoder.ts'
import { classWeightsOf } from './learning.ts'
import type { Problem } from './networks.ts'
import type { TableConfiguration, TrainConfiguration, TrainOptions } from './options.ts'
import { checkColumn } from './planning.ts'
import { type Prepared, prepare, samplesOfParts, withParts } from './preparing.ts'
import { roomFor } from './room.ts'
import { openTable } from './source.ts'
import type { Divided, Ground, TrialData } from './trying.ts'
import { Warnings } from './warnings.ts'

/** A table's columns in memory, their types and roles, and what the training part says of them. */
export async function prepareTable(options: TrainOptions, warnings = new Warnings()): Promise<Prepared> {
  const table = await openTable(options.data, options)
  const given = options as TableConfiguration & TrainOptions
  checkColumn(table, 'target', given.target)
  return prepare(table, given, warnings)
}

/** What a network is chosen for. */
function problemOf({ parts, target, preprocessing }: Prepared): Problem {
  const { width, lookups } = new Encoder(preprocessing.columns)
  const classes = target.task === 'class' ? target.classes.length : undefined
  return { rows: parts.training.length, classes, shape: [width], lookups }
}

/** A table's parts, or other ones of it, encoded by what the rows say that are trained on. */
export function groundOf(
  prepared: Prepared,
  options: TrainConfiguration,
  parts: Divided = prepared.parts,
): Ground {
  const own = parts === prepared.parts ? prepared : withParts(prepared, options, parts)
  const { training, validation, held } = samplesOfParts(own)
  const problem = problemOf(own)
  const { classes } = problem
  return {
    target: own.target,
    problem,
    training,
    validation,
    held,
    room: roomFor(prepared.maxMemory, held),
    classWeight: options.balance && classes ? classWeightsOf(training.truth, classes) : undefined,
    choose(plan, seed) {
      // Other parts may have other words, and a module's network then other inputs.
      const { modelSha256: _, ...asked } = { ...options, ...plan }
      return chooseNetwork(asked, problem, seed)
    },
  }
}

/** A table to try networks on. */
export function trialsOf(prepared: Prepared, options: TrainOptions, warnings: Warnings): TrialData {
  const { parts, truthAt, target, roles } = prepared
  return {
    target,
    problem: problemOf(prepared),
    parts,
    truthAt,
    ...(options.group !== undefined && { groupAt: row => roles.divider!.values[row]! }),
    warnings,
    ground: parts => groundOf(prepared, options, parts),
  }
}

/** The same, read. */
export async function tableTrials(options: TrainOptions): Promise<TrialData> {
  const warnings = new Warnings()
  return trialsOf(await prepareTable(options, warnings), options, warnings)
}
