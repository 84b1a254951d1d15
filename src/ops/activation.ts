import type { Graph } from '../graph/graph.ts'
import { samples, sizeOf, type Value, write } from '../graph/value.ts'
import { alike, elementsOf } from './elements.ts'
import { permute } from './moves.ts'

/**
 * Elementwise kernels and whether the gradient kernel takes the output y or the input x beside dy, or whether the slope
 * is made with the output and kept.
 */
const elementwise = {
  selu: { kernel: 'selu', from: 'y' },
  relu: { kernel: 'relu', from: 'y' },
  relu6: { kernel: 'relu6', from: 'y' },
  sigmoid: { kernel: 'sigmoid', from: 'y' },
  hardSigmoid: { kernel: 'hardSigmoid', from: 'y' },
  softplus: { kernel: 'softplus', from: 'y' },
  softsign: { kernel: 'softsign', from: 'x' },
  tanh: { kernel: 'tanh', from: 'y' },
  swish: { kernel: 'swish', from: 'slope' },
  mish: { kernel: 'mish', from: 'slope' },
  gelu: { kernel: 'gelu', from: 'slope' },
  gelu_new: { kernel: 'geluNew', from: 'slope' },
} as const

const overRows = { softmax: 'softmax', logSoftmax: 'logSoftmax' } as const

/** Names of all activations, TensorFlow.js' own. */
export type ActivationName = keyof typeof elementwise | keyof typeof overRows | 'elu' | 'linear'
export const activationNames: readonly ActivationName[] = [
  'elu',
  ...(Object.keys(elementwise) as (keyof typeof elementwise)[]),
  ...(Object.keys(overRows) as (keyof typeof overRows)[]),
  'linear',
]

/** dx = dy where the relu's output y is positive, else 0. */
export function reluBackward(g: Graph, y: Value, dy: Value): Value {
  const dx = g.batch(`d ${y.storage.label}`, y.shape)
  g.call('reluGradient', samples(sizeOf(y.shape)), y, dy, write(dx))
  return dx
}

/** y = activation(x), elementwise or, for softmax and logSoftmax, over the last axis. */
export function activate(g: Graph, x: Value, name: ActivationName): Value {
  if (name === 'linear') return x
  if (name === 'elu') return parametric(g, x, 'elu', 1)
  const y = alike(g, name, x)
  if (name === 'softmax' || name === 'logSoftmax') {
    const n = x.shape.at(-1) ?? 1
    const rows = samples(sizeOf(x.shape) / n)
    g.call(overRows[name], rows, x, write(y), n)
    g.onBackward(y, dy => g.contribute(x, dx => g.call(`${name}Gradient`, rows, y, dy, dx, n)))
    if (name === 'softmax') g.logits.set(y, { activation: name, logits: x })
    return y
  }
  const { kernel, from } = elementwise[name]
  const elements = elementsOf(x)
  if (from === 'slope') {
    withSlope(g, x, y, kernel)
    return y
  }
  const saved = from === 'y' ? y : x
  g.call(kernel, elements, x, write(y))
  g.onBackward(y, dy => g.contribute(x, dx => g.call(`${kernel}Gradient`, elements, saved, dy, dx)))
  if (name === 'sigmoid') g.logits.set(y, { activation: name, logits: x })
  return y
}

/** Records y = x·gate(x); in training the slope is kept instead of x. */
function withSlope(g: Graph, x: Value, y: Value, kernel: 'swish' | 'mish' | 'gelu' | 'geluNew'): void {
  const elements = elementsOf(x)
  if (!g.training || !y.differentiable) {
    g.call(kernel, elements, x, write(y))
    return
  }
  const slope = { ...alike(g, `slope of ${kernel}`, x), differentiable: false }
  g.call(`${kernel}WithSlope`, elements, x, write(y), write(slope))
  g.onBackward(y, dy => g.contribute(x, dx => g.call('multiply', elements, slope, dy, dx)))
}

/** Elementwise kernels with a parameter, and what their gradient kernel takes beside dy. */
const parameters = { leakyRelu: 'x', elu: 'y', clippedRelu: 'y', thresholdedRelu: 'x' } as const

/**
 * y = x where x > 0, else alpha·x (leakyRelu) or alpha·(exp(x) − 1) (elu, alpha > 0); min(max(x, 0), limit)
 * (clippedRelu); x where x > theta, else 0 (thresholdedRelu).
 */
export function parametric(g: Graph, x: Value, kernel: keyof typeof parameters, parameter: number): Value {
  const y = alike(g, kernel, x)
  const elements = elementsOf(x)
  const saved = parameters[kernel] === 'y' ? y : x
  g.call(kernel, elements, x, write(y), parameter)
  g.onBackward(y, dy =>
    g.contribute(x, dx => g.call(`${kernel}Gradient`, elements, saved, dy, dx, parameter)),
  )
  return y
}

/** y = exp(x) / Σ exp(x), the sum over the given axes, counted from 0 in the sample. */
export function softmaxOver(g: Graph, x: Value, axes: readonly number[]): Value {
  const all = x.shape.map((_, axis) => axis)
  const order = [...all.filter(axis => !axes.includes(axis)), ...all.filter(axis => axes.includes(axis))]
  const inPlace = order.every((axis, i) => axis === i)
  const moved = inPlace ? x : permute(g, x, order)
  const rows = moved.shape.slice(0, order.length - axes.length)
  const y = activate(g, g.view(moved, [...rows, sizeOf(moved.shape) / sizeOf(rows)]), 'softmax')
  const back = g.view(y, moved.shape)
  const inverse = all.map(axis => order.indexOf(axis))
  return inPlace ? back : permute(g, back, inverse)
}
