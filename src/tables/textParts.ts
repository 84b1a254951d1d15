import type { Tensor } from '../data/tensor.ts'
import type { Samples } from './learning.ts'
import type { TrainOptions } from './options.ts'
import { bytesOf, type Held } from './room.ts'
import { charactersOf, codesOf, readText, windowsOf } from './texts.ts'
import type { Warnings } from './warnings.ts'

/** Between two windows that are trained on. */
export const stride = 8
/** Windows that decide when to stop: each epoch waits for them. */
const validationWindows = 1000
const leastCharacters = 1000

/** A text as numbers of its characters: the beginning is trained on, the end is the test. */
export interface TextParts {
  readonly characters: readonly string[]
  readonly length: number
  readonly training: Int32Array
  readonly validation: Int32Array
  readonly test: Int32Array
}

/** @throws RangeError for a text that is too short, or no UTF-8 */
export async function readParts(
  { data, validation = 0.05, test = 0.05 }: TrainOptions,
  warnings: Warnings,
): Promise<TextParts> {
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
  return {
    characters,
    length: text.length,
    training: encode(0, cut(validation + test)),
    validation: encode(cut(validation + test), cut(test)),
    test: encode(cut(test), text.length),
  }
}

/** Windows of so many characters that are trained on, and that decide. @throws RangeError for parts without one */
export function windowsIn(
  { data, test: share }: TrainOptions,
  { length, training, validation, test }: TextParts,
  context: number,
): { training: Samples<Tensor>; validation: Samples<Tensor>; held: Held } {
  const short = Math.min(validation.length, share === 0 ? Infinity : test.length)
  if (short < context + 1)
    throw new RangeError(
      `${data}: must have parts of more than ${context} characters, the context, got ${short}; give a smaller context`,
    )
  const windows = windowsOf(training, context, stride)
  const some = windowsOf(validation, context, context, validationWindows)
  return {
    training: windows,
    validation: some,
    held: { characters: 2 * length + bytesOf(windows.x, windows.y, some.x) },
  }
}
