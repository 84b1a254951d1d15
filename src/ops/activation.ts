import type { Graph } from '../graph/graph.ts'
import { samples, sizeOf, type Value, write } from '../graph/value.ts'

/** Elementwise kernels and whether the gradient kernel takes the output y or the input x beside dy. */
const elementwise = {
  elu: { kernel: 'elu', from: 'y' },
  selu: { kernel: 'selu', from: 'y' },
  relu: { kernel: 'relu', from: 'y' },
  relu6: { kernel: 'relu6', from: 'y' },
  sigmoid: { kernel: 'sigmoid', from: 'y' },
  hardSigmoid: { kernel: 'hardSigmoid', from: 'y' },
  softplus: { kernel: 'softplus', from: 'y' },
  softsign: { kernel: 'softsign', from: 'x' },
  tanh: { kernel: 'tanh', from: 'y' },
  swish: { kernel: 'swish', from: 'x' },
  mish: { kernel: 'mish', from: 'x' },
  gelu: { kernel: 'gelu', from: 'x' },
  gelu_new: { kernel: 'geluNew', from: 'x' },
} as const

const overRows = { softmax: 'softmax', logSoftmax: 'logSoftmax' } as const

/** Names of all activations, TensorFlow.js' own. */
export type ActivationName = keyof typeof elementwise | keyof typeof overRows | 'linear'
export const activationNames: readonly ActivationName[] = [
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
  const y = g.batch(name, x.shape, x)
  if (name === 'softmax' || name === 'logSoftmax') {
    const n = x.shape.at(-1) ?? 1
    const rows = samples(sizeOf(x.shape) / n)
    g.call(overRows[name], rows, x, write(y), n)
    g.onBackward(y, dy => g.contribute(x, dx => g.call(`${name}Gradient`, rows, y, dy, dx, n)))
    if (name === 'softmax') g.nameLogits(y, name, x)
    return y
  }
  const { kernel, from } = elementwise[name]
  const elements = samples(sizeOf(x.shape))
  const saved = from === 'y' ? y : x
  if (kernel === 'elu') {
    g.call(kernel, elements, x, write(y), 1)
    g.onBackward(y, dy => g.contribute(x, dx => g.call('eluGradient', elements, saved, dy, dx, 1)))
    return y
  }
  g.call(kernel, elements, x, write(y))
  g.onBackward(y, dy => g.contribute(x, dx => g.call(`${kernel}Gradient`, elements, saved, dy, dx)))
  if (name === 'sigmoid') g.nameLogits(y, name, x)
  return y
}

/** y = x where x > 0, else alpha·x. */
export function leakyRelu(g: Graph, x: Value, alpha: number): Value {
  const y = g.batch('leakyRelu', x.shape, x)
  const elements = samples(sizeOf(x.shape))
  g.call('leakyRelu', elements, x, write(y), alpha)
  g.onBackward(y, dy => g.contribute(x, dx => g.call('leakyReluGradient', elements, x, dy, dx, alpha)))
  return y
}
