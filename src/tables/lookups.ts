import type { Layer } from '../layers/define.ts'
import { input } from '../layers/input.ts'
import type { SymbolicTensor } from '../layers/symbolic.ts'
import * as layers from '../layers/table.ts'
import { type Model, model } from '../model/functional.ts'

/** Words that the network looks up, of all columns in one list: each column's words, one for others, one for none. */
export interface Lookups {
  readonly columns: number
  readonly words: number
}

/** Numbers that a word is learned as. */
const size = 16

/** Layers after inputs (width) and words (columns), each of which becomes numbers that are learned. */
export function withLookups(
  stack: readonly Layer[],
  { columns, words }: Lookups,
  width: number,
  seed: number,
): Model {
  const places = input({ shape: [columns], dtype: 'int32' })
  const embedding = layers.embedding({ inputDim: words, outputDim: size })
  const looked = layers.flatten({}).apply(embedding.apply(places))
  const numbers = width > 0 ? [input({ shape: [width] })] : []
  const joined = width > 0 ? layers.concatenate({}).apply([...numbers, looked]) : looked
  const outputs = stack.reduce((x, layer) => layer.apply(x as SymbolicTensor), joined)
  return model({ inputs: [...numbers, places], outputs, seed })
}
