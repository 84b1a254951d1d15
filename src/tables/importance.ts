import { randomBits } from '../data/random.ts'
import { Tensor } from '../data/tensor.ts'
import type { RunReport } from '../report/report.ts'
import type { Target } from './encoding.ts'

/** Rows that are shuffled, at most, and how often. */
const mostRows = 1000
const repeats = 3
/** Predictions that importance may take, at most, with `fewestRows` a column in any case. */
const mostPredictions = 300_000
const fewestRows = 100
const mostColumns = 2000

/** Rows with what a network made of them. */
export interface Examined {
  readonly x: Tensor
  readonly truth: Float64Array
  readonly outputs: Float32Array
}

/** Of each row −log p of the true class, or the squared error in the target's unit. */
export function lossesOf(target: Target, outputs: ArrayLike<number>, truth: ArrayLike<number>): Float64Array {
  if (target.task === 'class') {
    const count = target.classes.length
    return Float64Array.from(truth, (c, i) => -Math.log(Math.max(outputs[i * count + c]!, 1e-7)))
  }
  return Float64Array.from(truth, (value, i) => (target.mean + target.deviation * outputs[i]! - value) ** 2)
}

function measureOf(target: Target, outputs: ArrayLike<number>, truth: ArrayLike<number>): number {
  const losses = lossesOf(target, outputs, truth)
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length
  return target.task === 'class' ? mean : Math.sqrt(mean)
}

/**
 * How much worse predictions get when the values of a column are dealt out anew among the rows: the mean over some
 * repetitions, and their deviation. Source: L. Breiman (2001), section 10.
 */
export async function importanceOf(
  target: Target,
  columns: readonly { readonly name: string; readonly from: number; readonly to: number }[],
  { x, truth, outputs }: Examined,
  predict: (x: Tensor) => Promise<Float32Array>,
  seed: number,
): Promise<RunReport['importance']> {
  if (columns.length > mostColumns) return undefined
  const affordable = Math.max(fewestRows, Math.floor(mostPredictions / (columns.length * repeats)))
  const rows = Math.min(truth.length, mostRows, affordable)
  const step = truth.length / rows
  const width = x.shape[1]!
  const values = new Float32Array(repeats * rows * width)
  const places = Uint32Array.from({ length: rows }, (_, i) => Math.floor(i * step))
  for (let i = 0; i < repeats * rows; i++) {
    const at = places[i % rows]! * width
    values.set((x.values as Float32Array).subarray(at, at + width), i * width)
  }
  const truths = Float64Array.from(places, place => truth[place]!)
  const size = outputs.length / truth.length
  const before = measureOf(
    target,
    Float32Array.from(
      { length: rows * size },
      (_, i) => outputs[places[Math.floor(i / size)]! * size + (i % size)]!,
    ),
    truths,
  )
  const draw = randomBits(seed)
  const measured = []
  for (const { name, from, to } of columns) {
    const shuffled = values.slice()
    for (let r = 0; r < repeats; r++) {
      const order = Uint32Array.from({ length: rows }, (_, i) => i)
      for (let i = rows - 1; i > 0; i--) {
        const j = draw() % (i + 1)
        ;[order[i], order[j]] = [order[j]!, order[i]!]
      }
      for (let i = 0; i < rows; i++) {
        const source = order[i]! * width
        shuffled.set(values.subarray(source + from, source + to), (r * rows + i) * width + from)
      }
    }
    const predicted = await predict(new Tensor(shuffled, [repeats * rows, width], 'float32'))
    const increases = Array.from({ length: repeats }, (_, r) => {
      const part = predicted.subarray(r * rows * size, (r + 1) * rows * size)
      return measureOf(target, part, truths) - before
    })
    const increase = increases.reduce((sum, value) => sum + value, 0) / repeats
    const squares = increases.reduce((sum, value) => sum + (value - increase) ** 2, 0)
    measured.push({ name, increase, deviation: Math.sqrt(squares / (repeats - 1)) })
  }
  measured.sort((a, b) => b.increase - a.increase)
  const measure = target.task === 'class' ? 'log loss' : 'the root mean squared error'
  return { measure, rows, columns: measured }
}
