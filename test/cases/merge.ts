import { Layer } from '../../src/layers/define.ts'
import { activate } from '../../src/ops/activation.ts'
import { crop } from '../../src/ops/moves.ts'
import { type Example, makeLayer } from './example.ts'

/** What each input of a join is of the one input x of its example; see `fan` in test/reference/joins.ts. */
export const branches = [null, 'sigmoid', 'tanh'] as const

type Shapes = readonly (readonly number[])[]
type JoinName = 'dot' | 'add' | 'average' | 'concatenate' | 'maximum' | 'minimum' | 'multiply' | 'subtract'

/** A layer of one input: a join of `count` branches of it, cut to these shapes (without leading axes) if given. */
function fanned(name: JoinName, count: number, options: object, input: readonly number[], shapes?: Shapes) {
  const join = makeLayer(name, options)
  const layer = new Layer(join.className, { ...join.config, shapes }, {}, ({ g }, [x]) => {
    const inputs = branches.slice(0, count).map((branch, i) => {
      const whole = branch === null ? x! : activate(g, x!, branch)
      const shape = shapes?.[i]
      if (!shape) return whole
      const leading = Array<number>(whole.shape.length - shape.length).fill(1)
      const origin = whole.shape.map(() => 0)
      return g.view(crop(g, whole, origin, [...leading, ...shape]), shape)
    })
    return [join.build(g, ...inputs)]
  })
  return { layer, options, inner: { layer: join, inputs: shapes ?? Array<typeof input>(count).fill(input) } }
}

const shapes = [[1], [5], [17], [3, 8], [2, 3, 5]]

const of = (name: JoinName, count: number, options = {}, inputs = shapes): Example[] =>
  inputs.map((input, i) => ({
    title: `${name} ${JSON.stringify(options)} of ${count} [${input}]`,
    ...fanned(name, count, options, input),
    input,
    samples: 1 + (i % 4),
    spread: 2,
  }))

/** Examples of a join of inputs of these shapes, which are parts of x. */
const ofParts = (name: JoinName, input: readonly number[], shapes: Shapes, options = {}): Example => ({
  title: `${name} ${JSON.stringify(options)} of [${shapes.join('], [')}]`,
  ...fanned(name, shapes.length, options, input, shapes),
  input,
  samples: 3,
  spread: 2,
})

const broadcasts: [input: readonly number[], shapes: Shapes][] = [
  [
    [4, 9],
    [[4, 9], [9]],
  ],
  [
    [4, 9],
    [[9], [4, 1]],
  ],
  [
    [3, 17],
    [
      [1, 17],
      [3, 17],
    ],
  ],
  [
    [2, 3, 5],
    [[5], [2, 1, 5]],
  ],
  [
    [2, 3, 5],
    [
      [1, 3, 1],
      [2, 3, 5],
    ],
  ],
  [
    [2, 3, 4, 5],
    [
      [2, 1, 4, 1],
      [1, 3, 1, 5],
    ],
  ],
  [
    [2, 3, 2, 2, 3],
    [
      [1, 3, 2, 1, 3],
      [2, 1, 1, 2, 1],
    ],
  ],
  [
    [3, 4],
    [[1], [3, 1]],
  ],
]
const broadcast = (name: JoinName) => broadcasts.map(([input, shapes]) => ofParts(name, input, shapes))

const products: [input: readonly number[], shapes: Shapes, axes: number | readonly [number, number]][] = [
  [[7], [[7], [7]], 1],
  [[1], [[1], [1]], -1],
  [[33], [[33], [33]], -1],
  [
    [5, 6],
    [
      [5, 6],
      [3, 6],
    ],
    2,
  ],
  [
    [5, 6],
    [
      [5, 6],
      [5, 4],
    ],
    1,
  ],
  [
    [6, 6],
    [
      [4, 6],
      [6, 5],
    ],
    [2, 1],
  ],
  [
    [6, 6],
    [
      [6, 4],
      [5, 6],
    ],
    [1, -1],
  ],
  [[5, 6], [[6], [5, 6]], -1],
  [
    [5, 6],
    [[5, 6], [5]],
    [1, 1],
  ],
  [
    [18, 35],
    [
      [18, 35],
      [17, 35],
    ],
    -1,
  ],
  [
    [2, 3, 4],
    [
      [2, 3, 4],
      [3, 4],
    ],
    [2, 1],
  ],
  [
    [2, 3, 4],
    [
      [2, 3, 4],
      [2, 3, 4],
    ],
    1,
  ],
]

export const mergeExamples = {
  dot: products.flatMap(([input, shapes, axes]) => [
    ofParts('dot', input, shapes, { axes }),
    ofParts('dot', input, shapes, { axes, normalize: true }),
  ]),
  add: [...of('add', 3), ...broadcast('add'), ofParts('add', [4, 5], [[5], [4, 1], [1, 5]])],
  average: [...of('average', 3), ...broadcast('average')],
  concatenate: [
    ...of('concatenate', 3),
    ...of('concatenate', 3, { axis: 1 }),
    ...of('concatenate', 3, { axis: -2 }, [
      [3, 8],
      [2, 3, 5],
    ]),
  ],
  maximum: [...of('maximum', 2), ...broadcast('maximum')],
  minimum: [...of('minimum', 2), ...broadcast('minimum')],
  multiply: [...of('multiply', 3), ...broadcast('multiply')],
  subtract: [...of('subtract', 2), ...broadcast('subtract')],
}
