import { over } from './choosing.ts'
import type { TrainOptions } from './options.ts'
import { roomFor } from './room.ts'
import { pick } from './scaling.ts'
import { checkTextPlan, chooseTextNetwork, type TextPlan, textPlans } from './textNetworks.ts'
import { readParts, windowsIn } from './textParts.ts'
import type { Ground, TrialData } from './trying.ts'
import { Warnings } from './warnings.ts'

/**
 * A text to try networks on; its rows are windows, in their order. The standard network is the largest for a text of that
 * length, whatever time it takes: what is tried must not depend on how fast a machine is.
 */
export async function textTrials(options: TrainOptions): Promise<TrialData> {
  const warnings = new Warnings()
  const read = await readParts(options, warnings)
  const { characters, training: codes } = read
  const standard = over(textPlans(codes.length)[0]!, options)
  checkTextPlan(standard)
  const { context } = standard
  const { training, validation, held } = windowsIn(options, read, context)
  const problem = { shape: [context], classes: characters.length, isText: true, rows: codes.length }
  const target = { name: 'next character', task: 'class', type: 'category', classes: characters } as const
  const all = training.x.shape[0]!
  const choose = (plan: object, seed: number, windows = all) => {
    const about = { vocabulary: characters.length, rows: codes.length, windows }
    return chooseTextNetwork({ ...options, ...plan }, { ...standard, ...plan } as TextPlan, about, seed)
  }
  const { model, plan } = await choose({}, options.seed ?? 7)
  model.dispose()
  const own: Ground = {
    target,
    problem,
    training,
    validation,
    held,
    room: roomFor(options.maxMemory, held),
    classWeight: undefined,
    choose,
  }
  const rowsOf = ({ x }: typeof training) => Uint32Array.from({ length: x.shape[0]! }, (_, row) => row)
  return {
    target,
    problem,
    parts: { training: rowsOf(training), validation: rowsOf(validation), test: new Uint32Array(0) },
    standard: plan,
    warnings,
    ground(some) {
      if (!some || some.training.length === all) return own
      const { x, y } = training
      return {
        ...own,
        training: { x: pick(x, some.training), y: pick(y, some.training) },
        choose: (plan, seed) => choose({ ...plan, epochs: options.epochs }, seed, some.training.length),
      }
    },
  }
}
