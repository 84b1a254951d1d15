import { sizeOf, type Value } from '../../src/graph/value.ts'
import { ops } from '../../src/ops/table.ts'
import { erf, sigmoid, softplus } from '../float64.ts'
import type { Array64 } from '../reference/arrays.ts'
import type { OpCase } from '../reference/ops.ts'
import { made } from '../reference/reshaping.ts'
import { indexIn } from '../reference/shapes.ts'

type Shape = readonly number[]
type Options = Partial<Pick<OpCase, 'weights' | 'range' | 'integers' | 'smooth'>>
export type OpName = keyof typeof ops

const valueAt = ({ shape, values }: Array64, place: readonly number[]): number =>
  values[place.reduce((index, at, axis) => index * shape[axis]! + at, 0)]!

/** f of the elements of inputs, broadcast to one shape. */
function elementwise(f: (...xs: number[]) => number): OpCase['reference'] {
  return xs => {
    const rank = Math.max(...xs.map(({ shape }) => shape.length))
    const padded = xs.map(x => ({
      ...x,
      shape: [...Array<number>(rank - x.shape.length).fill(1), ...x.shape],
    }))
    const shape = padded[0]!.shape.map((_, axis) => Math.max(...padded.map(x => x.shape[axis]!)))
    const values = Float64Array.from({ length: sizeOf(shape) }, (_, i) =>
      f(...padded.map(x => x.values[indexIn(shape, i, x.shape)]!)),
    )
    return { shape, values }
  }
}

const row = (
  name: OpName,
  inputs: readonly Shape[],
  record: OpCase['record'],
  reference: OpCase['reference'],
  options: Options = {},
): OpCase => {
  const more = options.weights ? `, weights ${options.weights}` : ''
  const source = record.toString().replace(/\s+|__\w+__\.(ops\.)?/g, ' ')
  const title = `${name} of [${inputs.join('], [')}]${more}: ${source}`
  return { smooth: true, title, inputs, record, reference, ...options }
}

/** Examples of a function of each element. */
const unary = (name: OpName, f: (x: number) => number, options: Options = {}): OpCase[] => {
  const op = ops[name] as (x: Value) => Value
  return [[1], [17], [2, 3, 4]].map(shape => row(name, [shape], ([x]) => op(x!), elementwise(f), options))
}

const pairs: readonly (readonly [Shape, Shape, number[]?])[] = [
  [[5], [5]],
  [[3, 17], [17]],
  [
    [3, 1],
    [1, 4],
  ],
  [[2, 3, 4], [4], [1]],
  [[4], [3, 4], [0]],
  [
    [2, 3],
    [2, 3],
    [0, 1],
  ],
  [[19], [1], [1]],
]

/** Examples of an op of two operands, also of a number on either side. */
const binary = (name: OpName, f: (a: number, b: number) => number, options: Options = {}): OpCase[] => {
  const op = ops[name] as (a: Value | number, b: Value | number) => Value
  return [
    ...pairs.map(([p, q, weights]) =>
      row(name, [p, q], ([a, b]) => op(a!, b!), elementwise(f), { ...options, ...(weights && { weights }) }),
    ),
    row(
      name,
      [[9]],
      ([x]) => op(x!, 0.75),
      elementwise(x => f(x, 0.75)),
      options,
    ),
    row(
      name,
      [[9]],
      ([x]) => op(0.75, x!),
      elementwise(x => f(0.75, x)),
      options,
    ),
  ]
}

const discrete: Options = { smooth: false, integers: 3 }
const holds = (f: (a: number, b: number) => boolean) => (a: number, b: number) => Number(f(a, b))

/** f of the elements along the given axes. */
const reduced =
  (axes: readonly number[], keep: boolean, f: (xs: number[]) => number): OpCase['reference'] =>
  ([x]) => {
    const { shape } = x!
    const whole = shape.map((n, axis) => (axes.includes(axis) ? 1 : n))
    const groups = made(whole, place => {
      const found: number[] = []
      made(shape, at => {
        if (at.every((i, axis) => axes.includes(axis) || i === place[axis])) found.push(valueAt(x!, at))
        return 0
      })
      return f(found)
    })
    return keep ? groups : { ...groups, shape: shape.filter((_, axis) => !axes.includes(axis)) }
  }

const reductions: readonly (readonly [Shape, number | readonly number[] | undefined, readonly number[]])[] = [
  [[7], undefined, [0]],
  [[3, 17], -1, [1]],
  [[3, 17], 0, [0]],
  [
    [2, 3, 4],
    [0, 2],
    [0, 2],
  ],
  [
    [2, 3, 4, 5],
    [-2, 1],
    [1, 2],
  ],
  [[4, 1, 3], 1, [1]],
]

const reduction = (name: OpName, f: (xs: number[]) => number, list = reductions): OpCase[] => {
  const op = ops[name] as (x: Value, axis?: number | readonly number[], keepDims?: boolean) => Value
  return [false, true].flatMap(keep =>
    list.map(([shape, axis, axes]) =>
      row(name, [shape], ([x]) => op(x!, axis, keep), reduced(axes, keep, f)),
    ),
  )
}

const sum = (xs: number[]): number => xs.reduce((a, b) => a + b, 0)
const mean = (xs: number[]): number => sum(xs) / xs.length
const logSumExp = (xs: number[]): number => Math.log(sum(xs.map(Math.exp)))

/** f of the whole line along an axis that an element lies on. */
const along =
  (axis: number, f: (x: number, line: number[]) => number): OpCase['reference'] =>
  ([x]) =>
    made(x!.shape, place =>
      f(
        valueAt(x!, place),
        Array.from({ length: x!.shape[axis]! }, (_, i) => valueAt(x!, place.with(axis, i))),
      ),
    )

/** b (k, n), or with the leading axes of a. */
const matMul =
  (transposeA = false, transposeB = false): OpCase['reference'] =>
  ([a, b]) => {
    const flip = (shape: Shape) => [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!]
    const shapeA = transposeA ? flip(a!.shape) : a!.shape
    const shapeB = transposeB ? flip(b!.shape) : b!.shape
    const of = (x: Array64, flipped: boolean, place: number[]) => valueAt(x, flipped ? flip(place) : place)
    return made([...shapeA.slice(0, -1), shapeB.at(-1)!], place => {
      const leading = shapeB.length === 2 ? [] : place.slice(0, -2)
      const terms = Array.from({ length: shapeA.at(-1)! }, (_, i) => {
        const left = of(a!, transposeA, [...place.slice(0, -1), i])
        return left * of(b!, transposeB, [...leading, i, place.at(-1)!])
      })
      return sum(terms)
    })
  }

/** y[place] = x[from(place)], 0 where that lies outside. */
const moved =
  (shape: Shape, from: (place: number[]) => number[]): OpCase['reference'] =>
  ([x]) =>
    made(shape, place => {
      const at = from(place)
      return at.every((i, axis) => i >= 0 && i < x!.shape[axis]!) ? valueAt(x!, at) : 0
    })

const same =
  (shape: Shape): OpCase['reference'] =>
  ([x]) => ({ shape, values: x!.values })

const gelu = (x: number) => (x * (1 + erf(x / Math.SQRT2))) / 2

/** Examples of every op, whose results and gradients are proved. A new op needs some here. */
export const opCases: Readonly<Record<OpName, readonly OpCase[]>> = {
  add: binary('add', (a, b) => a + b),
  subtract: binary('subtract', (a, b) => a - b),
  multiply: binary('multiply', (a, b) => a * b),
  divide: binary('divide', (a, b) => a / b, { range: [0.5, 2] }),
  maximum: binary('maximum', Math.max),
  minimum: binary('minimum', Math.min),
  squaredDifference: binary('squaredDifference', (a, b) => (a - b) ** 2),
  power: [-3, -1, 1, 2, 5]
    .map(e =>
      row(
        'power',
        [[17]],
        ([x]) => ops.power(x!, e),
        elementwise(x => x ** e),
        { range: [-2, -0.3] },
      ),
    )
    .concat(
      [-1.5, 0.5, 2.25].map(e =>
        row(
          'power',
          [[3, 5]],
          ([x]) => ops.power(x!, e),
          elementwise(x => x ** e),
          { range: [0.3, 2] },
        ),
      ),
    ),
  greater: binary(
    'greater',
    holds((a, b) => a > b),
    discrete,
  ),
  greaterEqual: binary(
    'greaterEqual',
    holds((a, b) => a >= b),
    discrete,
  ),
  less: binary(
    'less',
    holds((a, b) => a < b),
    discrete,
  ),
  lessEqual: binary(
    'lessEqual',
    holds((a, b) => a <= b),
    discrete,
  ),
  equal: binary(
    'equal',
    holds((a, b) => a === b),
    discrete,
  ),
  notEqual: binary(
    'notEqual',
    holds((a, b) => a !== b),
    discrete,
  ),
  where: [
    row(
      'where',
      [[3, 3], [3], [3, 1]],
      ([c, a, b]) => ops.where(ops.greater(c!, 0.3), a!, b!),
      elementwise((c, a, b) => (c! > 0.3 ? a! : b!)),
    ),
    row(
      'where',
      [[9], [9]],
      ([c, a]) => ops.where(ops.greater(c!, 0), a!, 0.5),
      elementwise((c, a) => (c! > 0 ? a! : 0.5)),
    ),
    row(
      'where',
      [[9], [9]],
      ([c, a]) => ops.where(ops.greater(c!, 0), 0.5, a!),
      elementwise((c, a) => (c! > 0 ? 0.5 : a!)),
    ),
  ],
  clip: [
    row(
      'clip',
      [[2, 19]],
      ([x]) => ops.clip(x!, -0.5, 1.25),
      elementwise(x => Math.min(Math.max(x, -0.5), 1.25)),
    ),
  ],
  exp: unary('exp', Math.exp),
  log: unary('log', Math.log, { range: [0.2, 3] }),
  sqrt: unary('sqrt', Math.sqrt, { range: [0.2, 3] }),
  square: unary('square', x => x * x),
  abs: unary('abs', Math.abs),
  reciprocal: unary('reciprocal', x => 1 / x, { range: [0.4, 3] }),
  sin: unary('sin', Math.sin, { range: [-9, 9] }),
  cos: unary('cos', Math.cos, { range: [-9, 9] }),
  neg: unary('neg', x => -x),
  sign: [...unary('sign', Math.sign, { smooth: false }), ...unary('sign', Math.sign, discrete)],
  tanh: unary('tanh', Math.tanh),
  sigmoid: unary('sigmoid', sigmoid),
  hardSigmoid: unary('hardSigmoid', x => Math.min(Math.max(0.2 * x + 0.5, 0), 1), { range: [-4, 4] }),
  relu: unary('relu', x => Math.max(x, 0)),
  relu6: unary('relu6', x => Math.min(Math.max(x, 0), 6), { range: [-9, 9] }),
  leakyRelu: [
    ...unary('leakyRelu', x => (x > 0 ? x : 0.2 * x)),
    row(
      'leakyRelu',
      [[5]],
      ([x]) => ops.leakyRelu(x!, 0.5),
      elementwise(x => (x > 0 ? x : 0.5 * x)),
    ),
  ],
  elu: unary('elu', x => (x > 0 ? x : Math.expm1(x))),
  selu: unary('selu', x => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x))),
  softplus: unary('softplus', softplus),
  softsign: unary('softsign', x => x / (1 + Math.abs(x))),
  gelu: unary('gelu', gelu),
  swish: unary('swish', x => x * sigmoid(x)),
  mish: unary('mish', x => x * Math.tanh(softplus(x))),
  sum: [
    ...reduction('sum', sum),
    row('sum', [[3, 5]], ([w]) => ops.sum(w!, -1), reduced([1], false, sum), { weights: [0] }),
  ],
  mean: reduction('mean', mean),
  max: reduction('max', xs => Math.max(...xs)),
  min: reduction('min', xs => Math.min(...xs)),
  // Of one element alone it is 0, and has no gradient to prove.
  variance: reduction('variance', xs => mean(xs.map(x => (x - mean(xs)) ** 2)), reductions.slice(0, -1)),
  logSumExp: reduction('logSumExp', logSumExp),
  argMax: [
    row(
      'argMax',
      [[3, 17]],
      ([x]) => ops.argMax(x!),
      reduced([1], false, xs => xs.indexOf(Math.max(...xs))),
      discrete,
    ),
    row(
      'argMax',
      [[5, 4]],
      ([x]) => ops.argMax(x!, 0),
      reduced([0], false, xs => xs.indexOf(Math.max(...xs))),
      discrete,
    ),
  ],
  softmax: [
    row(
      'softmax',
      [[3, 7]],
      ([x]) => ops.softmax(x!),
      along(1, (x, line) => Math.exp(x) / sum(line.map(Math.exp))),
    ),
    row(
      'softmax',
      [[3, 7]],
      ([x]) => ops.softmax(x!, 0),
      along(0, (x, line) => Math.exp(x) / sum(line.map(Math.exp))),
    ),
  ],
  logSoftmax: [0, 1, 2].map(axis =>
    row(
      'logSoftmax',
      [[3, 4, 5]],
      ([x]) => ops.logSoftmax(x!, axis),
      along(axis, (x, line) => x - logSumExp(line)),
    ),
  ),
  matMul: [
    row('matMul', [[7], [7, 5]], ([a, b]) => ops.matMul(a!, b!), matMul(), { weights: [1] }),
    row(
      'matMul',
      [
        [2, 3, 7],
        [7, 17],
      ],
      ([a, b]) => ops.matMul(a!, b!),
      matMul(),
      { weights: [1] },
    ),
    row(
      'matMul',
      [
        [3, 7],
        [7, 5],
      ],
      ([a, b]) => ops.matMul(a!, b!),
      matMul(),
    ),
    row(
      'matMul',
      [
        [2, 3, 7],
        [2, 7, 18],
      ],
      ([a, b]) => ops.matMul(a!, b!),
      matMul(),
    ),
    row(
      'matMul',
      [
        [2, 7, 3],
        [2, 7, 5],
      ],
      ([a, b]) => ops.matMul(a!, b!, true),
      matMul(true),
    ),
    row(
      'matMul',
      [
        [2, 3, 7],
        [2, 5, 7],
      ],
      ([a, b]) => ops.matMul(a!, b!, false, true),
      matMul(false, true),
    ),
    row(
      'matMul',
      [
        [3, 7],
        [5, 7],
      ],
      ([a, b]) => ops.matMul(a!, b!, false, true),
      matMul(false, true),
      { weights: [1] },
    ),
    row(
      'matMul',
      [
        [3, 7],
        [7, 4],
      ],
      ([a, b]) => ops.matMul(a!, b!),
      matMul(),
      { weights: [0] },
    ),
  ],
  dense: [
    row(
      'dense',
      [
        [3, 7],
        [7, 5],
      ],
      ([x, w]) => ops.dense(x!, w!),
      matMul(),
      { weights: [1] },
    ),
    row(
      'dense',
      [[7], [7, 5], [5]],
      ([x, w, b]) => ops.dense(x!, w!, b!),
      ([x, w, b]) => elementwise((y, z) => y! + z!)([matMul()([x!, w!]), b!]),
      { weights: [1, 2] },
    ),
  ],
  oneHot: [
    row(
      'oneHot',
      [[2, 3]],
      ([x]) => ops.oneHot(x!, 4),
      ([x]) => made([2, 3, 4], place => Number(valueAt(x!, place.slice(0, 2)) === place[2])),
      { smooth: false, integers: 4 },
    ),
  ],
  reshape: [row('reshape', [[2, 3, 4]], ([x]) => ops.reshape(x!, [4, -1]), same([4, 6]))],
  transpose: [
    row(
      'transpose',
      [[3, 5]],
      ([x]) => ops.transpose(x!),
      moved([5, 3], ([i, j]) => [j!, i!]),
    ),
    row(
      'transpose',
      [[2, 3, 4]],
      ([x]) => ops.transpose(x!, [1, 2, 0]),
      moved([3, 4, 2], ([i, j, k]) => [k!, i!, j!]),
    ),
  ],
  expandDims: [row('expandDims', [[3, 4]], ([x]) => ops.expandDims(x!, 1), same([3, 1, 4]))],
  squeeze: [
    row('squeeze', [[3, 1, 1, 4]], ([x]) => ops.squeeze(x!), same([3, 4])),
    row('squeeze', [[3, 1, 1, 4]], ([x]) => ops.squeeze(x!, 1), same([3, 1, 4])),
  ],
  broadcastTo: [
    row(
      'broadcastTo',
      [[3, 1]],
      ([x]) => ops.broadcastTo(x!, [2, 3, 4]),
      moved([2, 3, 4], ([, j]) => [j!, 0]),
    ),
  ],
  slice: [
    row(
      'slice',
      [[4, 6]],
      ([x]) => ops.slice(x!, [1, 2], [2, -1]),
      moved([2, 4], ([i, j]) => [i! + 1, j! + 2]),
    ),
    row(
      'slice',
      [[9]],
      ([x]) => ops.slice(x!, [3], [1]),
      moved([1], () => [3]),
    ),
  ],
  concat: [
    row(
      'concat',
      [
        [2, 3],
        [2, 5],
      ],
      ([a, b]) => ops.concat([a!, b!]),
      ([a, b]) => made([2, 8], ([i, j]) => (j! < 3 ? valueAt(a!, [i!, j!]) : valueAt(b!, [i!, j! - 3]))),
    ),
    row(
      'concat',
      [
        [2, 3],
        [1, 3],
      ],
      ([a, b]) => ops.concat([a!, b!, a!], 0),
      ([a, b]) =>
        made([5, 3], ([i, j]) =>
          i! < 2 ? valueAt(a!, [i!, j!]) : i! < 3 ? valueAt(b!, [0, j!]) : valueAt(a!, [i! - 3, j!]),
        ),
      { weights: [1] },
    ),
  ],
  stack: [0, 1, -1].map(axis =>
    row(
      'stack',
      [
        [2, 3],
        [2, 3],
      ],
      ([a, b]) => ops.stack([a!, b!], axis),
      xs => {
        const own = (axis + 3) % 3
        return made([2, 3].toSpliced(own, 0, 2), place => valueAt(xs[place[own]!]!, place.toSpliced(own, 1)))
      },
    ),
  ),
  pad: [
    row(
      'pad',
      [[2, 3]],
      ([x]) =>
        ops.pad(x!, [
          [1, 0],
          [2, 1],
        ]),
      moved([3, 6], ([i, j]) => [i! - 1, j! - 2]),
    ),
  ],
  dropout: [row('dropout', [[7]], ([x]) => ops.dropout(x!, 0), same([7]))],
  stopGradient: [
    row(
      'stopGradient',
      [[7]],
      ([x]) => ops.add(x!, ops.multiply(ops.sign(ops.stopGradient(x!)), 2)),
      elementwise(x => x + 2 * Math.sign(x)),
    ),
  ],
  zerosLike: [
    row(
      'zerosLike',
      [[2, 3]],
      ([x]) => ops.zerosLike(x!),
      elementwise(() => 0),
      { smooth: false },
    ),
  ],
  onesLike: [
    row(
      'onesLike',
      [[2, 3]],
      ([x]) => ops.onesLike(x!),
      elementwise(() => 1),
      { smooth: false },
    ),
  ],
  constant: [
    row(
      'constant',
      [[2, 3]],
      ([x]) =>
        ops.multiply(
          x!,
          ops.constant(x!, [
            [1, 2, 3],
            [4, 5, -6.5],
          ]),
        ),
      ([x]) => ({ shape: [2, 3], values: x!.values.map((value, i) => value * [1, 2, 3, 4, 5, -6.5][i]!) }),
    ),
    row(
      'constant',
      [[19]],
      ([x]) =>
        ops.add(
          ops.multiply(
            x!,
            ops.constant(
              x!,
              Array.from({ length: 19 }, (_, i) => i),
            ),
          ),
          ops.constant(x!, 3),
        ),
      ([x]) => ({ shape: [19], values: x!.values.map((value, i) => value * i + 3) }),
    ),
  ],
}
