import type { Tensor } from '../data/tensor.ts'
import type { Trainable } from '../model/trainable.ts'
import { over } from './choosing.ts'
import { learn, openFolder, type Samples, type TrainResult } from './learning.ts'
import { checkTrainOptions, type TrainOptions } from './options.ts'
import { secondsAStep } from './pacing.ts'
import { chooseFitting } from './room.ts'
import type { TextScores } from './scores.ts'
import { checkTextPlan, chooseTextNetwork, type TextPlan, textPlans } from './textNetworks.ts'
import { readParts, stride, windowsIn } from './textParts.ts'
import { windowsOf } from './texts.ts'
import { Warnings } from './warnings.ts'

/** Seconds that training a text takes unless something else is said. */
const usualSeconds = 600
/** Steps without which a larger network learns less than a smaller one. */
const fewestSteps = 1000
/** Windows that are scored. */
const scoredWindows = 20_000

/** All that text goes through before and after the network. */
export interface TextPreprocessing {
  readonly format: 'lockstep preprocessing 1'
  readonly kind: 'text'
  /** In the order of their numbers; the last stands for all others. */
  readonly characters: readonly string[]
  readonly context: number
}

/** What options leave open is chosen: the largest network that can take enough steps in the time there is. */
async function planFor(options: TrainOptions, vocabulary: number, codes: Int32Array): Promise<TextPlan> {
  const plans = textPlans(codes.length).map(plan => over(plan, options))
  for (const plan of plans) checkTextPlan(plan)
  const isSized = options.model !== undefined || options.blocks !== undefined || options.width !== undefined
  let chosen = plans[0]!
  if (isSized && options.steps !== undefined) return chosen
  const seconds = 0.85 * (options.maxSeconds ?? usualSeconds)
  const some = codes.subarray(0, 20_000)
  for (const plan of isSized ? [chosen] : plans) {
    const { context, batchSize } = plan
    const windows = windowsOf(some, context, stride)
    const about = { vocabulary, rows: codes.length, windows: windows.x.shape[0]! }
    const { model: network } = await chooseTextNetwork(options, plan, about, 0)
    const step = await secondsAStep(network, windows, batchSize, options)
    // It may fit in leaves; smaller ones come first.
    const possible = step === undefined ? plan.steps : Math.max(20, Math.floor(seconds / step))
    chosen = { ...plan, steps: options.steps ?? Math.min(plan.steps, possible) }
    if (step !== undefined && possible >= (options.steps ?? fewestSteps)) break
  }
  return chosen
}

/** Nats a character of always expecting characters as often as the training part has them. */
function frequencyScores(training: Int32Array, scored: Int32Array, vocabulary: number): TextScores {
  const counts = new Float64Array(vocabulary).fill(1)
  for (const code of training) counts[code]!++
  const total = training.length + vocabulary
  const nats = scored.reduce((sum, code) => sum - Math.log(counts[code]! / total), 0) / scored.length
  return textScores(scored.length, nats)
}

const textScores = (rows: number, nats: number): TextScores => ({
  task: 'text',
  rows,
  nats,
  bits: nats / Math.LN2,
  perplexity: Math.exp(nats),
})

export async function scoreText(
  model: Trainable,
  { x, y }: Samples<Tensor>,
  workers: number | 'auto',
): Promise<TextScores> {
  const { loss, sparseCategoricalCrossentropy = loss } = (await model.evaluateAsync(x, y, {
    workers,
  })) as Record<'loss' | 'sparseCategoricalCrossentropy', number>
  return textScores(x.size, sparseCategoricalCrossentropy)
}

/** `train` for a text: a network that expects each character from those before it. */
export async function trainText(options: TrainOptions): Promise<TrainResult> {
  checkTrainOptions(options, 'text')
  const { seed = 7, workers = 'auto' } = options
  const folder = await openFolder(options)
  const warnings = new Warnings()
  const parts = await readParts(options, warnings)
  const { characters, training } = parts
  const asked = await planFor(options, characters.length, training)
  const { context, steps } = asked
  const ground = windowsIn(options, parts, context)
  const about = {
    vocabulary: characters.length,
    rows: training.length,
    windows: ground.training.x.shape[0]!,
  }
  const choose = (more?: object) => chooseTextNetwork(options, { ...asked, ...more }, about, seed)
  const chosen = await chooseFitting(choose, options, ground, warnings)
  const preprocessing: TextPreprocessing = {
    format: 'lockstep preprocessing 1',
    kind: 'text',
    characters,
    context,
  }
  return learn(
    folder,
    options,
    seed,
    {
      kind: 'text',
      task: 'text',
      target: 'next character',
      from: `${context} characters before it`,
      columns: [],
      inputs: context,
      rows: {
        training: training.length,
        validation: parts.validation.length,
        test: parts.test.length,
        setAside: 0,
      },
      ...chosen,
      ...ground,
      stepsPerEpoch: Math.ceil(steps / chosen.plan.epochs),
      preprocessing,
      score: part =>
        scoreText(chosen.model, windowsOf(parts[part], context, context, scoredWindows), workers),
      baseline: part => frequencyScores(training, parts[part], characters.length),
    },
    warnings,
  )
}
