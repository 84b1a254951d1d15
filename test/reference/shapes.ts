/** The number of the element of a smaller shape that belongs to element i: axes of size 1 are left out. */
export function indexIn(shape: readonly number[], i: number, smaller: readonly number[]): number {
  let [index, stride, rest] = [0, 1, i]
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (smaller[axis] !== 1) index += (rest % shape[axis]!) * stride
    rest = Math.floor(rest / shape[axis]!)
    stride *= smaller[axis]!
  }
  return index
}
