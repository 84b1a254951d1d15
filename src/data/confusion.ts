import { positiveInteger, show } from '../errors.ts'
import { type Input, toRows } from './inputs.ts'
import { type Nested, shapeOf, sizeOf } from './nested.ts'
import { Tensor } from './tensor.ts'

const where = 'confusionMatrix'

/** Class numbers: those given, or the places of the largest elements of rows. */
function classesOf(name: string, given: Input, classes: number): number[] {
  const shape = (given as { shape?: readonly number[] } | null)?.shape ?? shapeOf(given as Nested)
  const sample = shape.slice(1)
  const width = sizeOf(sample)
  if (sample.length > 1 || (width !== 1 && width !== classes)) {
    const wanted = `[*] or [*, ${classes}]`
    throw new RangeError(`${where}: ${name} must have shape ${wanted}, got ${show([...shape])}; correct it`)
  }
  const { values, count } = toRows(where, name, given, sample)
  return Array.from({ length: count }, (_, i) => {
    const row = [...values.subarray(i * width, i * width + width)] as number[]
    const number = width === 1 ? row[0]! : row.indexOf(Math.max(...row))
    if (Number.isInteger(number) && number >= 0 && number < classes) return number
    throw new RangeError(
      `${where}: ${name} must be class numbers below ${classes}, got ${show(number)} at ${i}; correct it`,
    )
  })
}

/**
 * How often each class (row) was taken for each (column): int32 [numClasses, numClasses]. Labels and
 * predictions are class numbers [n], or rows [n, numClasses] whose largest element counts.
 * @throws TypeError or RangeError for what is no class number, or another number of predictions than labels
 */
function confusionMatrix(labels: Input, predictions: Input, numClasses: number): Tensor {
  positiveInteger(where, 'numClasses', numClasses)
  const actual = classesOf('labels', labels, numClasses)
  const predicted = classesOf('predictions', predictions, numClasses)
  if (predicted.length !== actual.length) {
    throw new RangeError(
      `${where}: predictions must have ${actual.length} rows as the labels, got ${predicted.length}; correct them`,
    )
  }
  const counts = new Int32Array(numClasses * numClasses)
  for (const [i, label] of actual.entries()) counts[label * numClasses + predicted[i]!]!++
  return new Tensor(counts, [numClasses, numClasses], 'int32')
}

/** Functions of TensorFlow.js' tf.math. */
export const math = { confusionMatrix }
