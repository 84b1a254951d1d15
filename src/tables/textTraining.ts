import { basename } from 'node:path'
import type { Tensor } from '../data/tensor.ts'
import { positiveInteger } from '../errors.ts'
import type { Trainable } from '../model/trainable.ts'
import { type Chosen, over, refuse } from './choosing.ts'
import { learn, openFolder, type Samples, type TrainResult } from './learning.ts'
import { readNetwork } from './networkFiles.ts'
import { stoppingOf } from './networks.ts'
import { checkTrainOptions, type TrainOptions } from './options.ts'
import { secondsAStep } from './pacing.ts'
import { bytesOf, chooseFitting } from './room.ts'
import type { TextScores } from './scores.ts'
import { buildTextNetwork, checkTextPlan, compileForText, type TextPlan, textPlans } from './textNetworks.ts'
import { charactersOf, codesOf, readText, windowsOf } from './texts.ts'
import { Warnings } from './warnings.ts'

/** Seconds that training a text takes unless something else is said. */
const usualSeconds = 600
/** Steps without which a larger network learns less than a smaller one. */
const fewestSteps = 1000
/** Between two windows that are trained on. */
const stride = 8
/** Windows that decide when to stop: each epoch waits for them. */
const validationWindows = 1000
/** Windows that are scored. */
const scoredWindows = 20_000
const leastCharacters = 1000

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
    const { model: network } = await networkFor(options, plan, { vocabulary, rows: codes.length }, 0)
    const step = await secondsAStep(network, windowsOf(some, context, stride), batchSize, options)
    // It may fit in leaves; smaller ones come first.
    const possible = step === undefined ? plan.steps : Math.max(20, Math.floor(seconds / step))
    chosen = { ...plan, steps: options.steps ?? Math.min(plan.steps, possible) }
    if (step !== undefined && possible >= (options.steps ?? fewestSteps)) break
  }
  return chosen
}

/** The network of a plan and what is said of it: a GPT, or that of a file. */
async function networkFor(
  options: TrainOptions,
  plan: TextPlan,
  { vocabulary, rows }: { readonly vocabulary: number; readonly rows: number },
  seed: number,
): Promise<Pick<Chosen, 'model' | 'plan' | 'shape'>> {
  const { blocks, width, dropout, ...open } = plan
  const from = `${plan.context} characters of ${vocabulary}`
  const epochs = epochsOf(options, plan)
  if (options.model === undefined)
    return {
      model: buildTextNetwork(plan, vocabulary, seed),
      plan: { ...plan, epochs },
      shape: `${from}-${blocks} blocks of ${width}`,
    }
  refuse(options, ['blocks', 'width', 'dropout'], 'a network of a file')
  const problem = { shape: [plan.context], classes: vocabulary, isText: true, rows }
  const { model, path, sha256 } = await readNetwork(options.model, problem, seed, options.modelSha256)
  // Penalties are in the loss, but no nats.
  compileForText(model, plan, ['sparseCategoricalCrossentropy'])
  return {
    model,
    plan: { ...open, epochs, model: path, modelSha256: sha256 },
    shape: `${from}-${basename(path)}`,
  }
}

function epochsOf({ epochs }: TrainOptions, { steps }: TextPlan): number {
  return epochs ?? Math.max(1, Math.min(20, Math.floor(steps / 50)))
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
  const { data, seed = 7, workers = 'auto', validation = 0.05, test = 0.05 } = options
  const folder = await openFolder(options)
  const warnings = new Warnings()
  const text = await readText(data)
  if (text.length < leastCharacters)
    throw new RangeError(
      `${data}: must have ${leastCharacters} characters or more, got ${text.length}; give a longer text`,
    )
  /** Where a share of the text begins, never within a character. */
  const cut = (share: number) => {
    const at = Math.round((1 - share) * text.length)
    return /[\udc00-\udfff]/.test(text.charAt(at)) ? at + 1 : at
  }
  // What follows the training part must not tell which characters there are.
  const characters = charactersOf(text.slice(0, cut(validation + test)))
  const encode = (from: number, to: number) => codesOf(data, text.slice(from, to), characters, warnings)
  const training = encode(0, cut(validation + test))
  const parts = {
    validation: encode(cut(validation + test), cut(test)),
    test: encode(cut(test), text.length),
  }
  const asked = await planFor(options, characters.length, training)
  const { context, steps } = asked
  const short = Math.min(parts.validation.length, test > 0 ? parts.test.length : Infinity)
  if (short < context + 1)
    throw new RangeError(
      `${data}: must have parts of more than ${context} characters, the context, got ${short}; give a smaller context`,
    )
  const epochs = epochsOf(options, asked)
  positiveInteger('train', 'epochs', epochs)
  const windows = windowsOf(training, context, stride)
  const validationSamples = windowsOf(parts.validation, context, context, validationWindows)
  const held = { characters: 2 * text.length + bytesOf(windows.x, windows.y, validationSamples.x) }
  const choose = async (more?: object): Promise<Chosen> => {
    const about = { vocabulary: characters.length, rows: training.length }
    return {
      ...(await networkFor(options, { ...asked, ...more }, about, seed)),
      ...stoppingOf({ schedule: 'cosine', patience: epochs }, 'val_loss'),
    }
  }
  const ground = { training: windows, validation: validationSamples, held }
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
      stepsPerEpoch: Math.ceil(steps / epochs),
      preprocessing,
      score: part =>
        scoreText(chosen.model, windowsOf(parts[part], context, context, scoredWindows), workers),
      baseline: part => frequencyScores(training, parts[part], characters.length),
    },
    warnings,
  )
}
