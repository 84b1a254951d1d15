import { readFile } from 'node:fs/promises'
import { Tensor } from '../data/tensor.ts'
import { show } from '../errors.ts'
import type { Samples } from './learning.ts'
import type { Warnings } from './warnings.ts'

/** Most characters that have a number of their own; all others share one. */
const mostCharacters = 4096
/** What stands for characters that are rare, or new. */
export const other = '\ufffd'
/** Most windows that are trained on. */
const mostWindows = 300_000

/** The text of a file. @throws RangeError for bytes that are no UTF-8 */
export async function readText(path: string): Promise<string> {
  const bytes = await readFile(path)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replaceAll('\r\n', '\n')
  } catch {
    throw new RangeError(
      `${path}: must be UTF-8, got other bytes; convert the file, as by iconv -f latin1 -t utf-8`,
    )
  }
}

/** The characters of a text in their order, and the one that stands for all others at the end. */
export function charactersOf(text: string): string[] {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  counts.delete(other)
  const commonest = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, mostCharacters)
  return [...commonest.map(([character]) => character).sort(), other]
}

/** Numbers of characters; those without one are counted in the warnings. */
export function codesOf(
  where: string,
  text: string,
  characters: readonly string[],
  warnings: Warnings,
): Int32Array {
  const places = new Map(characters.map((character, code) => [character, code]))
  const last = characters.length - 1
  const codes: number[] = []
  for (const character of text) {
    const code = places.get(character)
    if (code === undefined)
      warnings.add(`${where}: characters that are not known, and count as others`, show(character))
    codes.push(code ?? last)
  }
  return Int32Array.from(codes)
}

/**
 * Windows of `context` characters, one at every `stride` or rarer, so that there are at most `most`: x the characters, y those
 * that follow each of them.
 */
export function windowsOf(
  codes: Int32Array,
  context: number,
  stride: number,
  most = mostWindows,
): Samples<Tensor> {
  const places = codes.length - context - 1
  const step = Math.max(stride, Math.ceil(places / most))
  const count = Math.floor(places / step) + 1
  const cut = (shift: number) => {
    const values = new Int32Array(count * context)
    for (let i = 0; i < count; i++)
      values.set(codes.subarray(i * step + shift, i * step + shift + context), i * context)
    return values
  }
  return {
    x: new Tensor(cut(0), [count, context], 'int32'),
    y: new Tensor(cut(1), [count, context, 1], 'int32'),
  }
}
