import { show } from '../errors.ts'
import { isTypedArray, type Nested, type TypedArray } from './nested.ts'
import { Tensor, tensor } from './tensor.ts'

/** A batch of elements of this type. */
export type Batched<T> = T extends Tensor | number | boolean | TypedArray | readonly unknown[]
  ? Tensor
  : T extends object
    ? { [K in keyof T]: Batched<T[K]> }
    : Tensor

const where = 'Dataset.batch'

/** Typed arrays and tensors keep their kind: they are copied one behind the other. */
function joined<A extends TypedArray>(rows: readonly A[]): A {
  const [first] = rows as [A]
  const wrong = rows.find(row => row.length !== first.length || row.constructor !== first.constructor)
  if (wrong) throw new RangeError(`${where}: elements must be alike, got ${show(first)} and ${show(wrong)}`)
  const all = new (first.constructor as new (length: number) => A)(first.length * rows.length)
  for (const [i, row] of rows.entries()) all.set(row as never, i * first.length)
  return all
}

function stacked(rows: readonly Tensor[]): Tensor {
  const [{ shape, dtype, scale }] = rows as [Tensor]
  const wrong = rows.find(
    row =>
      !(row instanceof Tensor) ||
      String(row.shape) !== String(shape) ||
      row.dtype !== dtype ||
      row.scale !== scale,
  )
  if (wrong) {
    const kind = (t: Tensor) => (t instanceof Tensor ? `${t.dtype} ${show(t.shape)}` : show(t))
    throw new RangeError(
      `${where}: tensors must have one shape, dtype and scale, got ${kind(rows[0]!)} and ${kind(wrong)}`,
    )
  }
  return new Tensor(joined(rows.map(({ values }) => values)), [rows.length, ...shape], dtype, scale)
}

/** One element of the rows' kind, with a first axis of rows; objects are taken apart. */
export function collate<T>(rows: readonly T[]): Batched<T> {
  const [first] = rows as [T]
  if (first instanceof Tensor) return stacked(rows as readonly Tensor[] as Tensor[]) as Batched<T>
  if (isTypedArray(first)) {
    return tensor(joined(rows as unknown as TypedArray[]), [rows.length, first.length]) as Batched<T>
  }
  if (typeof first !== 'object' || first === null || Array.isArray(first))
    return tensor(rows as unknown as Nested) as Batched<T>
  const columns = Object.keys(first).map(key => {
    const column = rows.map(row => (row as Record<string, unknown>)[key])
    return [key, collate(column)]
  })
  return Object.fromEntries(columns) as Batched<T>
}
