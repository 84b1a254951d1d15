import { finiteNumber, inRange, oneOf, show, suggestion, withDefaults } from '../errors.ts'
import { orthogonalColumns } from './orthogonal.ts'

/** Where random initial values come from: float32 arrays of `count` independent numbers. */
export interface RandomSource {
  /** Even in [low, high). */
  uniform(count: number, low: number, high: number): Float32Array
  normal(count: number, mean: number, deviation: number): Float32Array
  /** A normal distribution drawn again where a value lies more than two deviations from the mean. */
  truncatedNormal(count: number, mean: number, deviation: number): Float32Array
}

/** Fills a weight of a given shape, row-major. */
export interface Initializer {
  readonly className: string
  readonly config: Readonly<Record<string, unknown>>
  apply(shape: readonly number[], random: RandomSource): Float32Array
}

type Shape = readonly number[]
type Fill<C> = (config: C, shape: Shape, random: RandomSource) => Float32Array

const sizeOf = (shape: Shape) => shape.reduce((product, n) => product * n, 1)

type Seed = { seed: number | null }

/** Makes the function that users call, and checks what they give: numbers are finite, a seed may be null. */
function define<C extends Record<string, unknown>>(
  className: string,
  defaults: C,
  fill: Fill<C>,
  check: (config: C) => void = () => {},
) {
  const make = (options?: Partial<C> | null): Initializer => {
    const config = withDefaults(className, defaults, options)
    for (const [name, value] of Object.entries(config)) {
      if (name !== 'mode' && name !== 'distribution' && !(name === 'seed' && value === null)) {
        finiteNumber(className, name, value)
      }
    }
    check(config)
    return { className, config, apply: (shape, random) => fill(config, shape, random) }
  }
  return Object.assign(make, { className })
}

type Scaling = {
  scale: number
  mode: 'fanIn' | 'fanOut' | 'fanAvg'
  distribution: 'normal' | 'uniform' | 'truncatedNormal'
}

/**
 * Inputs and outputs of one unit: of a matrix its sizes, of a convolution (…, in, out) both times the window.
 */
function fans(shape: Shape): [fanIn: number, fanOut: number] {
  if (shape.length < 2 || shape.length > 5) {
    const root = Math.sqrt(sizeOf(shape))
    return [root, root]
  }
  const window = sizeOf(shape.slice(0, -2))
  return [shape.at(-2)! * window, shape.at(-1)! * window]
}

/** The deviation of a standard normal distribution cut at ±2; Keras divides by it, TF.js does not. */
const truncatedDeviation = 0.87962566103423978

function fillScaled(
  { scale, mode, distribution }: Scaling,
  shape: Shape,
  random: RandomSource,
): Float32Array {
  const [fanIn, fanOut] = fans(shape)
  const fan = mode === 'fanIn' ? fanIn : mode === 'fanOut' ? fanOut : (fanIn + fanOut) / 2
  const variance = scale / Math.max(1, fan)
  const count = sizeOf(shape)
  if (distribution === 'uniform') {
    const limit = Math.sqrt(3 * variance)
    return random.uniform(count, -limit, limit)
  }
  const deviation = Math.sqrt(variance)
  return random.truncatedNormal(
    count,
    0,
    distribution === 'normal' ? deviation : deviation / truncatedDeviation,
  )
}

/**
 * A variance scaling with everything fixed but the seed. Its config, and so its saved form, is the full one.
 */
function scaled(className: string, scale: number, mode: Scaling['mode'], distribution: 'normal' | 'uniform') {
  const make = (options?: Partial<Seed> | null): Initializer => {
    const { seed } = withDefaults<Seed>(className, { seed: null }, options)
    if (seed !== null) finiteNumber(className, 'seed', seed)
    const config = { scale, mode, distribution, seed }
    return { className, config, apply: (shape, random) => fillScaled(config, shape, random) }
  }
  return Object.assign(make, { className })
}

function fillIdentity(gain: number, shape: Shape): Float32Array {
  if (shape.length !== 2) throw new RangeError(`Identity: shape must have two dimensions, got ${show(shape)}`)
  const [rows, columns] = shape as [number, number]
  const values = new Float32Array(rows * columns)
  for (let i = 0; i < Math.min(rows, columns); i++) values[i * columns + i] = gain
  return values
}

function fillOrthogonal(gain: number, shape: Shape, random: RandomSource): Float32Array {
  if (shape.length < 2)
    throw new RangeError(`Orthogonal: shape must have two dimensions or more, got ${show(shape)}`)
  const columns = shape.at(-1)!
  const rows = sizeOf(shape.slice(0, -1))
  const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)]
  const q = orthogonalColumns(random.normal(long * short, 0, 1), long, short)
  const values = new Float32Array(rows * columns)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      values[i * columns + j] = gain * (rows >= columns ? q[j * long + i]! : q[i * long + j]!)
    }
  }
  return values
}

/**
 * How weights start: fifteen of TF.js Layers', with its names, options and defaults. A seed makes a weight
 * independent of the model's own seed. `fanIn` and `fanOut` are the inputs and outputs of one unit, times the
 * window of a convolution.
 * @throws TypeError for unknown options and wrong kinds, RangeError for wrong values
 */
export const initializers = {
  /** 0 */
  zeros: define('Zeros', {}, (_, shape) => new Float32Array(sizeOf(shape))),
  /** 1 */
  ones: define('Ones', {}, (_, shape) => new Float32Array(sizeOf(shape)).fill(1)),
  /** value, which must be given. */
  constant: define('Constant', { value: undefined as unknown as number }, ({ value }, shape) =>
    new Float32Array(sizeOf(shape)).fill(value),
  ),
  /** Even in [minval, maxval). Deviation: TF.js takes a bound of 0 for "not given". */
  randomUniform: define(
    'RandomUniform',
    { minval: -0.05, maxval: 0.05, seed: null } as { minval: number; maxval: number } & Seed,
    ({ minval, maxval }, shape, random) => random.uniform(sizeOf(shape), minval, maxval),
  ),
  /** Normal distribution. */
  randomNormal: define(
    'RandomNormal',
    { mean: 0, stddev: 0.05, seed: null } as { mean: number; stddev: number } & Seed,
    ({ mean, stddev }, shape, random) => random.normal(sizeOf(shape), mean, stddev),
  ),
  /** Normal distribution without what lies more than two deviations from the mean. */
  truncatedNormal: define(
    'TruncatedNormal',
    { mean: 0, stddev: 0.05, seed: null } as { mean: number; stddev: number } & Seed,
    ({ mean, stddev }, shape, random) => random.truncatedNormal(sizeOf(shape), mean, stddev),
  ),
  /**
   * gain on the diagonal of a matrix, 0 elsewhere. Deviation: the matrix need not be square (as in Keras 3).
   */
  identity: define('Identity', { gain: 1 }, ({ gain }, shape) => fillIdentity(gain, shape)),
  /**
   * Variance scale / fan, fan by `mode`. 'normal' draws from a normal distribution of that variance cut at
   * two deviations (as TF.js; the variance is then smaller), 'truncatedNormal' widens it so that the variance
   * holds (as Keras 3; TF.js draws evenly then).
   */
  varianceScaling: define(
    'VarianceScaling',
    { scale: 1, mode: 'fanIn', distribution: 'normal', seed: null } as Scaling & Seed,
    fillScaled,
    ({ scale, mode, distribution }) => {
      inRange('VarianceScaling', 'scale', scale, '[0, Infinity)')
      oneOf('VarianceScaling', 'mode', mode, ['fanIn', 'fanOut', 'fanAvg'])
      oneOf('VarianceScaling', 'distribution', distribution, ['normal', 'uniform', 'truncatedNormal'])
    },
  ),
  /**
   * Even in ±√(6 / (fanIn + fanOut)). X. Glorot and Y. Bengio, 2010,
   * http://proceedings.mlr.press/v9/glorot10a.html, eq. 16.
   */
  glorotUniform: scaled('GlorotUniform', 1, 'fanAvg', 'uniform'),
  /** Truncated normal, deviation √(2 / (fanIn + fanOut)). Same source, eq. 12. */
  glorotNormal: scaled('GlorotNormal', 1, 'fanAvg', 'normal'),
  /** Even in ±√(6 / fanIn). K. He et al., 2015, https://arxiv.org/abs/1502.01852, eq. 10. */
  heUniform: scaled('HeUniform', 2, 'fanIn', 'uniform'),
  /** Truncated normal, deviation √(2 / fanIn). Same source. */
  heNormal: scaled('HeNormal', 2, 'fanIn', 'normal'),
  /**
   * Even in ±√(3 / fanIn). Y. LeCun et al., Efficient BackProp, 1998,
   * http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf, eq. 16.
   */
  leCunUniform: scaled('LeCunUniform', 1, 'fanIn', 'uniform'),
  /** Truncated normal, deviation √(1 / fanIn). Same source. */
  leCunNormal: scaled('LeCunNormal', 1, 'fanIn', 'normal'),
  /**
   * gain · Q, Q random with orthonormal columns (or rows, whichever are fewer), of the weight seen as a
   * matrix whose columns are its last axis. A. Saxe et al., 2013, https://arxiv.org/abs/1312.6120.
   */
  orthogonal: define(
    'Orthogonal',
    { gain: 1, seed: null } as { gain: number } & Seed,
    ({ gain }, shape, random) => fillOrthogonal(gain, shape, random),
  ),
}

export type InitializerName = keyof typeof initializers
export type InitializerIdentifier = InitializerName | (string & {}) | Initializer | SavedInitializer

/** `config` as TF.js writes it, before the keys are converted to snake case. */
export interface SavedInitializer {
  className: string
  config?: object | null
}

type Make = ((options?: Record<string, unknown> | null) => Initializer) & { className: string }
const makers = Object.entries(initializers) as unknown as [string, Make][]

/**
 * Saved configs may hold nulls for "not given", and the glorot, he and leCun family what is fixed in it
 * anyway.
 */
function fromSaved(make: Make, config: object): Initializer {
  const fixed = /^(Glorot|He|LeCun)/.test(make.className) ? ['scale', 'mode', 'distribution'] : []
  const given = Object.entries(config).filter(([key, value]) => value !== null && !fixed.includes(key))
  return make(Object.fromEntries(given))
}

/**
 * The initializer of a name ('glorotUniform' or 'GlorotUniform'), an initializer, or the saved form `{
 * className, config }`.
 * @throws TypeError for anything else, RangeError for an unknown name
 */
export function getInitializer(identifier: InitializerIdentifier): Initializer {
  if (typeof (identifier as Initializer)?.apply === 'function') return identifier as Initializer
  const name = typeof identifier === 'string' ? identifier : identifier?.className
  if (typeof name !== 'string') {
    throw new TypeError(
      `getInitializer: an initializer must be a name or an initializer, got ${show(identifier)}`,
    )
  }
  const make = makers.find(([key, { className }]) => key === name || className === name)?.[1]
  if (!make) {
    throw new RangeError(
      `getInitializer: unknown initializer "${name}"; ${suggestion(name, Object.keys(initializers))}`,
    )
  }
  return fromSaved(
    make,
    (typeof identifier === 'string' ? null : (identifier as SavedInitializer).config) ?? {},
  )
}

/** The saved form. TF.js and Keras write the whole glorot, he and leCun family as VarianceScaling. */
export function serializeInitializer({ className, config }: Initializer): {
  className: string
  config: Readonly<Record<string, unknown>>
} {
  return { className: 'distribution' in config ? 'VarianceScaling' : className, config }
}
