import { sizeOf } from '../data/nested.ts'
import { show } from '../errors.ts'

// How each kind of layer makes its weights of what PyTorch calls them. Shapes of PyTorch's tensors follow from ours.

/** A layer, or one within another: what rules know of it. */
export interface PlainLayer {
  readonly name: string
  readonly className: string
  readonly config: Readonly<Record<string, unknown>>
  readonly weights: readonly { readonly name: string; readonly shape: readonly number[] }[]
}

/** Tensors of a state_dict. */
export interface Source {
  has(name: string): boolean
  take(name: string, shape: readonly number[]): ArrayLike<number>
}

/** Where a layer's tensors are. */
export interface Where {
  readonly modules: readonly string[]
  readonly layer: number
  readonly flattened?: readonly number[] | undefined
}

/** Values by the names of the weights. */
type Values = Map<string, Float32Array>
type Rule = (layer: PlainLayer, source: Source, where: Where) => Values

/** y[i0, i1, …] = x[j], where axis a of y is axis axes[a] of x. */
function transposed(x: ArrayLike<number>, shape: readonly number[], axes: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))
  const [sizes, steps] = [axes.map(axis => shape[axis]!), axes.map(axis => strides[axis]!)]
  const y = new Float32Array(x.length)
  const place = sizes.map(() => 0)
  for (let i = 0, from = 0; i < y.length; i++) {
    y[i] = x[from]!
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      from += steps[axis]!
      if (++place[axis]! < sizes[axis]!) break
      from -= steps[axis]! * sizes[axis]!
      place[axis] = 0
    }
  }
  return y
}

/**
 * A kernel (…sizes, in, out) of a weight (out, in, …sizes); of a transposed convolution (…sizes, out, in) of (in, out,
 * …sizes).
 */
function kernel(source: Source, name: string, shape: readonly number[]): Float32Array {
  const theirs = [...shape.slice(-2).reverse(), ...shape.slice(0, -2)]
  const axes = [...theirs.keys()].slice(2)
  return transposed(source.take(name, theirs), theirs, [...axes, 1, 0])
}

const added = (a: ArrayLike<number>, b: ArrayLike<number>): Float32Array =>
  Float32Array.from(a, (value, i) => value + b[i]!)

function joined(a: Float32Array, b: Float32Array): Float32Array {
  const y = new Float32Array(a.length + b.length)
  y.set(a)
  y.set(b, a.length)
  return y
}

/** The kernel of a dense layer behind a flattened image (height, width, channels); PyTorch has the channels first. */
function flattenedKernel(source: Source, name: string, [m, n]: readonly number[], image: readonly number[]) {
  if (!Array.isArray(image) || sizeOf(image) !== m)
    throw new RangeError(
      `fromPyTorch: flattened must be [channels, ...sizes] of ${m} numbers, got ${show(image)}; correct it`,
    )
  const axes = [...image.keys()].slice(1).map(axis => axis + 1)
  return transposed(source.take(name, [n!, m!]), [n!, ...image], [...axes, 1, 0])
}

/** A rule for layers whose weights are made one by one. */
function eachWeight(
  make: Record<string, (source: Source, at: Where, shape: readonly number[]) => ArrayLike<number>>,
): Rule {
  return (layer, source, at) =>
    new Map(
      layer.weights.map(({ name, shape }) => {
        const own = name.slice(name.lastIndexOf('/') + 1)
        return [name, Float32Array.from(make[own]!(source, at, shape))]
      }),
    )
}

/** A tensor as it is. */
const same =
  (name: string) =>
  (source: Source, { modules }: Where, shape: readonly number[]) =>
    source.take(`${modules[0]}.${name}`, [sizeOf(shape)])

const kernels = eachWeight({
  kernel: (source, { modules, flattened }, shape) =>
    flattened
      ? flattenedKernel(source, `${modules[0]}.weight`, shape, flattened)
      : kernel(source, `${modules[0]}.weight`, shape),
  bias: same('bias'),
})

/** (height, width, in, multiplier) of (in · multiplier, 1, height, width), the outputs of an input side by side. */
function depthwiseKernel(source: Source, name: string, shape: readonly number[]): Float32Array {
  const [height, width, channels, multiplier] = shape as [number, number, number, number]
  const x = source.take(name, [channels * multiplier, 1, height, width])
  return transposed(x, [channels, multiplier, height, width], [2, 3, 0, 1])
}

const depthwise = eachWeight({
  depthwise_kernel: (source, { modules }, shape) => depthwiseKernel(source, `${modules[0]}.weight`, shape),
  bias: same('bias'),
})

const partsOf = ({ modules: [first, second] }: Where) =>
  second === undefined ? [`${first}.depthwise`, `${first}.pointwise`] : [first, second]

const separable = eachWeight({
  depthwise_kernel: (source, at, shape) => depthwiseKernel(source, `${partsOf(at)[0]}.weight`, shape),
  pointwise_kernel: (source, at, shape) => kernel(source, `${partsOf(at)[1]}.weight`, shape),
  bias: (source, at, shape) => source.take(`${partsOf(at)[1]}.bias`, shape),
})

const table = eachWeight({
  embeddings: (source, { modules }, shape) => source.take(`${modules[0]}.weight`, shape),
})

const normalization = eachWeight({
  gamma: same('weight'),
  beta: same('bias'),
  moving_mean: same('running_mean'),
  moving_variance: same('running_var'),
})

/** @throws RangeError where the layer computes something else than PyTorch's */
function checkConfig({ name, config }: PlainLayer, wanted: Readonly<Record<string, unknown>>): void {
  for (const [option, value] of Object.entries(wanted)) {
    if (config[option] === value) continue
    throw new RangeError(
      `fromPyTorch: ${option} of layer "${name}" must be ${show(value)}, as PyTorch computes it, ` +
        `got ${show(config[option])}; make the layer with it`,
    )
  }
}

/** Puts gates of `units` rows each into another order. */
function gates(x: ArrayLike<number>, order: readonly number[]): Float32Array {
  const all = Float32Array.from(x)
  const size = all.length / order.length
  const y = new Float32Array(all.length)
  for (const [to, from] of order.entries()) y.set(all.subarray(from * size, (from + 1) * size), to * size)
  return y
}

/**
 * Weights (in, gates · units) of (gates · units, in), gates in our `order`. PyTorch has two biases: they are added,
 * but for the GRU's, whose recurrent one belongs within the reset gate.
 */
const recurrent =
  (order: readonly number[], wanted: Readonly<Record<string, unknown>>, ending = ''): Rule =>
  (layer, source, { modules, layer: number }) => {
    checkConfig(layer, wanted)
    const take = (what: string, shape: readonly number[]) =>
      gates(source.take(`${modules[0]}.${what}_l${number}${ending}`, shape), order)
    const made: Record<string, (shape: readonly number[]) => Float32Array> = {
      kernel: ([m, n]) => transposed(take('weight_ih', [n!, m!]), [n!, m!], [1, 0]),
      recurrent_kernel: ([m, n]) => transposed(take('weight_hh', [n!, m!]), [n!, m!], [1, 0]),
      bias: shape => {
        const [ih, hh] = [take('bias_ih', [shape.at(-1)!]), take('bias_hh', [shape.at(-1)!])]
        return shape.length === 2 ? joined(ih, hh) : added(ih, hh)
      },
    }
    return new Map(
      layer.weights.map(({ name, shape }) => [name, made[name.slice(name.lastIndexOf('/') + 1)]!(shape)]),
    )
  }

const recurrentRules: Readonly<Record<string, (ending?: string) => Rule>> = {
  // Both have input, forget, cell, output.
  LSTM: ending => recurrent([0, 1, 2, 3], { activation: 'tanh', recurrentActivation: 'sigmoid' }, ending),
  // PyTorch has reset, update, new; here it is update, reset, new.
  GRU: ending =>
    recurrent([1, 0, 2], { activation: 'tanh', recurrentActivation: 'sigmoid', resetAfter: true }, ending),
  SimpleRNN: ending => recurrent([0], {}, ending),
}

/** One direction after the other: those of the layer within, named forward_… and backward_…. */
const bidirectional: Rule = (layer, source, at) => {
  const { className, config } = layer.config.layer as PlainLayer
  const make = Object.hasOwn(recurrentRules, className) ? recurrentRules[className]! : undefined
  if (!make) throw refusal('fromPyTorch', layer.name, `Bidirectional of ${className}`)
  const direction = (name: string) => name.slice(layer.name.length + 1).startsWith('forward_')
  const part = (forward: boolean) => {
    const weights = layer.weights.filter(({ name }) => direction(name) === forward)
    return make(forward ? '' : '_reverse')({ name: layer.name, className, config, weights }, source, at)
  }
  return new Map([...part(true), ...part(false)])
}

const projections = { query: 'q', key: 'k', value: 'v' } as const

/** Rows of PyTorch's in_proj are the queries', keys' and values', heads one after the other in each, as here. */
const attention: Rule = (layer, source, { modules: [module] }) => {
  const made = ({ name, shape }: PlainLayer['weights'][number]): Float32Array => {
    const [part, what] = name.split('/').slice(-2) as [string, string]
    const isKernel = what === 'kernel'
    if (part === 'attention_output')
      return isKernel
        ? kernel(source, `${module}.out_proj.weight`, shape)
        : Float32Array.from(source.take(`${module}.out_proj.bias`, shape))
    const [m, n] = shape as [number, number]
    const own = `${module}.${projections[part as 'query']}_proj_weight`
    if (isKernel && source.has(own)) return kernel(source, own, shape)
    const index = Object.keys(projections).indexOf(part)
    const size = isKernel ? m * n : m
    const whole = isKernel
      ? source.take(`${module}.in_proj_weight`, [3 * n, m])
      : source.take(`${module}.in_proj_bias`, [3 * m])
    const rows = Float32Array.from(whole).subarray(index * size, (index + 1) * size)
    return isKernel ? transposed(rows, [n, m], [1, 0]) : rows
  }
  return new Map(layer.weights.map(weight => [weight.name, made(weight)]))
}

const rules: Readonly<Record<string, Rule>> = {
  Dense: kernels,
  Conv1D: kernels,
  Conv2D: kernels,
  Conv3D: kernels,
  Conv2DTranspose: kernels,
  Conv3DTranspose: kernels,
  DepthwiseConv2D: depthwise,
  SeparableConv2D: separable,
  Embedding: table,
  PositionEmbedding: table,
  BatchNormalization: normalization,
  LayerNormalization: normalization,
  PReLU: eachWeight({ alpha: same('weight') }),
  LSTM: recurrentRules.LSTM!(),
  GRU: recurrentRules.GRU!(),
  SimpleRNN: recurrentRules.SimpleRNN!(),
  Bidirectional: bidirectional,
  MultiHeadAttention: attention,
}

const refusal = (where: string, name: string, className: string) =>
  new RangeError(
    `${where}: layer "${name}" must be of ${Object.keys(rules).join(', ')}, got ${className}; ` +
      'map it to null and set its weights by itself',
  )

/** How a layer is filled. @throws RangeError for a kind that PyTorch does not have */
export function ruleOf(where: string, layer: PlainLayer): Rule {
  if (Object.hasOwn(rules, layer.className)) return rules[layer.className]!
  const inner = layer.config.layer as PlainLayer | undefined
  if (layer.className !== 'TimeDistributed' || !inner) throw refusal(where, layer.name, layer.className)
  const rule = ruleOf(where, inner)
  const { className, config } = inner
  return ({ name, weights }, source, at) => rule({ name, className, config, weights }, source, at)
}
