import type { Tensor } from '../data/tensor.ts'
import { show } from '../errors.ts'
import { mostIntegerClasses } from './planning.ts'

/** Most classes of labels that run from 0 on. */
const mostClasses = 1000

/**
 * One number a sample: of labels (n) or (n, 1) the number itself, of one-hot vectors (n, k) the place of the 1.
 * @throws RangeError for other shapes, another number of samples, and numbers that are not finite
 */
export function labelsOf(where: string, { values, shape }: Tensor, samples: number): Float64Array {
  const [count, width = 1] = shape
  if (shape.length === 0 || shape.length > 2 || count !== samples)
    throw new RangeError(
      `${where}: must have shape [${samples}] or [${samples}, k], got ${show(shape)}; correct it`,
    )
  const labels = Float64Array.from({ length: samples }, (_, i) => {
    if (width === 1) return values[i]!
    const vector = values.subarray(i * width, (i + 1) * width)
    const place = vector.indexOf(1)
    if (place >= 0 && vector.every((value, k) => value === (k === place ? 1 : 0))) return place
    throw new RangeError(
      `${where}: must be one number a sample, or vectors with one 1 and 0 elsewhere, got others in sample ${i}; ` +
        `give one number`,
    )
  })
  const wrong = labels.findIndex(value => !Number.isFinite(value))
  if (wrong < 0) return labels
  throw new RangeError(
    `${where}: must hold finite numbers, got ${labels[wrong]} in sample ${wrong}; correct it`,
  )
}

/**
 * Names of the classes that labels are: of integers from 0 on, or of at most ten different ones; undefined for numbers.
 * @throws RangeError for labels that are all the same, and more than 1000 classes
 */
export function classesIn(
  where: string,
  labels: Float64Array,
  task: 'class' | 'regression' | undefined,
): string[] | undefined {
  const different = [...new Set(labels)].sort((a, b) => a - b)
  if (different.length < 2)
    throw new RangeError(`${where}: must have two values or more, got ${show(different)}; give other labels`)
  const run = different.every((value, i) => value === i) && different.length <= labels.length / 2
  const few = different.every(Number.isInteger) && different.length <= mostIntegerClasses
  const chosen = task ?? ((run && different.length <= mostClasses) || few ? 'class' : 'regression')
  if (chosen === 'regression') return undefined
  if (different.length > mostClasses)
    throw new RangeError(
      `${where}: must have at most ${mostClasses} classes, got ${different.length}; choose regression`,
    )
  return different.map(String)
}

/**
 * Labels as scores take them: numbers of classes, or the numbers themselves.
 * @throws RangeError for a class that training has not seen
 */
export function truthOf(
  where: string,
  labels: Float64Array,
  classes: readonly string[] | undefined,
): Float64Array {
  if (!classes) return labels
  const places = new Map(classes.map((name, i) => [name, i]))
  return labels.map((label, i) => {
    const place = places.get(String(label))
    if (place !== undefined) return place
    throw new RangeError(
      `${where}: must be one of the ${classes.length} classes of the training, got ${label} in sample ${i}; correct it`,
    )
  })
}
