import { join, resolve } from 'node:path'
import { randomNumbers } from '../data/random.ts'
import { Tensor } from '../data/tensor.ts'
import { checkOptions, inRange, nonNegativeInteger, show } from '../errors.ts'
import { loadLayersModel } from '../model/loading.ts'
import type { Trainable } from '../model/trainable.ts'
import { exp, log } from '../training/elementary.ts'
import { files, modelUrl, readJson } from './folder.ts'
import type { Evaluation, ModelOptions } from './kinds.ts'
import { largest } from './scores.ts'
import { codesOf, readText, windowsOf } from './texts.ts'
import { scoreText, type TextPreprocessing } from './textTraining.ts'
import { Warnings } from './warnings.ts'

interface TrainedOnText extends TextPreprocessing {
  readonly model: Trainable
}

/** @throws RangeError for what was not written by `train` with a text */
export function checkTextPreprocessing(where: string, value: unknown): TextPreprocessing {
  const { kind, characters, context } = (value ?? {}) as TextPreprocessing
  if (kind !== 'text')
    throw new RangeError(
      `${where}: must be of a model of text, got one of ${show(kind ?? 'table')}; give another folder`,
    )
  const areCharacters = Array.isArray(characters) && characters.every(one => typeof one === 'string')
  if (!areCharacters || characters.length < 2 || !(Number.isSafeInteger(context) && context > 0))
    throw new RangeError(
      `${where}: must hold characters and a context, got ${show(characters)}, ${show(context)}; train again`,
    )
  return value as TextPreprocessing
}

async function load(where: string, folder: string): Promise<TrainedOnText> {
  const path = join(folder, files.preprocessing)
  const preprocessing = checkTextPreprocessing(path, await readJson(path, 'give the folder that train wrote'))
  const { context, characters } = preprocessing
  const model = (await loadLayersModel(modelUrl(resolve(folder)))) as unknown as Trainable
  const shapes = JSON.stringify([model.inputShapes, model.outputShapes])
  const expected = JSON.stringify([[[context]], [[context, characters.length]]])
  if (shapes !== expected)
    throw new RangeError(
      `${where}: the model must fit ${files.preprocessing}, ${expected}, got ${shapes}; train again`,
    )
  return { ...preprocessing, model }
}

/** `evaluate` for a text: nats a character, each expected from those before it. */
export async function evaluateText(folder: string, data: string, options: ModelOptions): Promise<Evaluation> {
  checkOptions('evaluate', options, ['workers', 'progress'])
  const { model, characters, context } = await load('evaluate', folder)
  const loss = 'sparseCategoricalCrossentropy'
  model.compile({ optimizer: 'sgd', loss, metrics: [loss] })
  const warnings = new Warnings()
  const codes = codesOf(data, await readText(data), characters, warnings)
  if (codes.length <= context)
    throw new RangeError(
      `${data}: must have more than ${context} characters, got ${codes.length}; give a longer text`,
    )
  const scores = await scoreText(model, windowsOf(codes, context, context), options.workers ?? 'auto')
  return { scores, warnings: warnings.lines() }
}

export interface WritingOptions {
  /** Characters that are written. Default 400. */
  length?: number
  /** Each is drawn from softmax(log p / temperature): lower ones prefer what is likely, 0 takes it. Default 0.8. */
  temperature?: number
  /** Default 1. */
  seed?: number
}

/**
 * Continues a text with a model that `train` made of one, a character at a time.
 * @throws RangeError for characters that the text did not have
 */
export async function* write(
  folder: string,
  prompt: string,
  options: WritingOptions = {},
): AsyncGenerator<string, void, undefined> {
  const where = 'predict'
  checkOptions(where, options, ['length', 'temperature', 'seed'])
  const { length = 400, temperature = 0.8, seed = 1 } = options
  nonNegativeInteger(where, 'length', length)
  inRange(where, 'temperature', temperature, '[0, Infinity)')
  nonNegativeInteger(where, 'seed', seed)
  const { model, characters, context } = await load(where, folder)
  const known = characters.slice(0, -1)
  const stranger = [...prompt].find(character => !known.includes(character))
  if (stranger !== undefined)
    throw new RangeError(
      `${where}: prompt must be of characters of the training, got ${show(stranger)}; leave it out`,
    )
  const codes =
    prompt === '' ? [Math.max(0, known.indexOf('\n'))] : [...prompt].map(one => known.indexOf(one))
  const draw = randomNumbers(seed)
  for (let i = 0; i < length; i++) {
    const seen = codes.slice(-context)
    const x = new Int32Array(context)
    x.set(seen)
    // Of what is not written yet nothing is seen: attention looks back.
    const all = (model.predict(new Tensor(x, [1, context], 'int32')) as Tensor).dataSync()
    const from = (seen.length - 1) * characters.length
    const next = drawn(all.subarray(from, from + known.length), temperature, draw)
    codes.push(next)
    yield known[next]!
  }
}

/** A place drawn from softmax(log p / temperature). */
function drawn(p: ArrayLike<number>, temperature: number, draw: () => number): number {
  const best = largest(p, 0, p.length)
  if (temperature === 0) return best
  const weights = Array.from(p, value => exp((log(value) - log(p[best]!)) / temperature))
  let left = draw() * weights.reduce((sum, weight) => sum + weight, 0)
  const found = weights.findIndex(weight => (left -= weight) < 0)
  return found < 0 ? best : found
}
