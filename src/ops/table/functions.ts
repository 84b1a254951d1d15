import type { Value } from '../../graph/value.ts'
import { type ActivationName, activate, parametric } from '../activation.ts'
import { apply, sign } from '../functions.ts'
import { scaled } from '../merge.ts'
import { taken } from './operands.ts'

const elementary =
  (where: string, kernel: Parameters<typeof apply>[2]) =>
  (given: Value): Value => {
    const { g, x } = taken(where, given)
    return apply(g, x, kernel)
  }

const activation =
  (where: string, name: Exclude<ActivationName, 'softmax' | 'logSoftmax' | 'linear'>) =>
  (given: Value): Value => {
    const { g, x } = taken(where, given)
    return activate(g, x, name)
  }

/** Functions of each element. */
export const functions = {
  /** e^x. */
  exp: elementary('exp', 'exponential'),
  /** Natural logarithm: −Infinity at 0, NaN below. */
  log: elementary('log', 'logarithm'),
  /** √x. */
  sqrt: elementary('sqrt', 'squareRoot'),
  /** x². */
  square: elementary('square', 'square'),
  /** |x|; the gradient at 0 is 0. */
  abs: elementary('abs', 'absolute'),
  /** 1 / x. */
  reciprocal: elementary('reciprocal', 'reciprocal'),
  /** sin x for |x| ≤ 10,000. */
  sin: elementary('sin', 'sine'),
  /** cos x for |x| ≤ 10,000. */
  cos: elementary('cos', 'cosine'),
  /** −x. */
  neg(given: Value): Value {
    const { g, x } = taken('neg', given)
    return scaled(g, x, -1)
  },
  /** −1, 0 or 1; without gradient. */
  sign(given: Value): Value {
    const { g, x } = taken('sign', given)
    return sign(g, x)
  },
  /** Hyperbolic tangent. */
  tanh: activation('tanh', 'tanh'),
  /** 1 / (1 + e^−x). */
  sigmoid: activation('sigmoid', 'sigmoid'),
  /** min(max(0.2·x + 0.5, 0), 1). */
  hardSigmoid: activation('hardSigmoid', 'hardSigmoid'),
  /** max(x, 0). */
  relu: activation('relu', 'relu'),
  /** min(max(x, 0), 6). */
  relu6: activation('relu6', 'relu6'),
  /** x where x > 0, else alpha·x. */
  leakyRelu(given: Value, alpha = 0.2): Value {
    const { g, x } = taken('leakyRelu', given)
    return parametric(g, x, 'leakyRelu', alpha)
  },
  /** x where x > 0, else e^x − 1. */
  elu: activation('elu', 'elu'),
  /** 1.0507·x where x > 0, else 1.7581·(e^x − 1). */
  selu: activation('selu', 'selu'),
  /** log(1 + e^x). */
  softplus: activation('softplus', 'softplus'),
  /** x / (1 + |x|). */
  softsign: activation('softsign', 'softsign'),
  /** x·(1 + erf(x / √2)) / 2. */
  gelu: activation('gelu', 'gelu'),
  /** x·sigmoid(x). */
  swish: activation('swish', 'swish'),
  /** x·tanh(softplus(x)). */
  mish: activation('mish', 'mish'),
}
