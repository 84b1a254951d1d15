import type { ActivationName } from '../../src/ops/activation.ts'
import { erf, sigmoid, softplus } from '../float64.ts'
import { type Array64, type Context, mapRows } from './arrays.ts'

type Elementwise = (x: number) => number

const seluScale = 1.0507009873554805
const seluAlpha = 1.6732632423543772

export function softmax(row: Float64Array): Float64Array {
  const top = Math.max(...row)
  const exponentials = row.map(x => Math.exp(x - top))
  const sum = exponentials.reduce((a, b) => a + b, 0)
  return exponentials.map(x => x / sum)
}

export function logSoftmax(row: Float64Array): Float64Array {
  const top = Math.max(...row)
  const sum = row.reduce((total, x) => total + Math.exp(x - top), 0)
  return row.map(x => x - top - Math.log(sum))
}

const elementwise: Record<Exclude<ActivationName, 'softmax' | 'logSoftmax'>, Elementwise> = {
  linear: x => x,
  elu: x => (x > 0 ? x : Math.expm1(x)),
  selu: x => seluScale * (x > 0 ? x : seluAlpha * Math.expm1(x)),
  relu: x => Math.max(x, 0),
  relu6: x => Math.min(Math.max(x, 0), 6),
  sigmoid,
  hardSigmoid: x => Math.min(Math.max(0.2 * x + 0.5, 0), 1),
  softplus,
  softsign: x => x / (1 + Math.abs(x)),
  tanh: Math.tanh,
  swish: x => x * sigmoid(x),
  mish: x => x * Math.tanh(softplus(x)),
  gelu: x => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  gelu_new: x => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
}

/** Places without derivative. */
const kinks: Partial<Record<ActivationName, readonly number[]>> = {
  selu: [0],
  relu: [0],
  relu6: [0, 6],
  hardSigmoid: [-2.5, 2.5],
}

export function activate(x: Array64, name: ActivationName | null, { near }: Context): Array64 {
  if (name === null) return x
  if (name === 'softmax') return mapRows(x, softmax)
  if (name === 'logSoftmax') return mapRows(x, logSoftmax)
  for (const kink of kinks[name] ?? []) for (const value of x.values) near(Math.abs(value - kink))
  return { shape: x.shape, values: x.values.map(elementwise[name]) }
}
