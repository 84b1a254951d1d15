import { Layer } from '../../src/layers/define.ts'
import { layers } from '../../src/layers/table.ts'
import { activate } from '../../src/ops/activation.ts'
import type { Example } from '../cases.ts'

/** What each input of a join is of the one input x of its example; see `fan` in test/reference/joins.ts. */
export const branches = [null, 'sigmoid', 'tanh'] as const

type JoinName = 'add' | 'average' | 'concatenate' | 'maximum' | 'minimum' | 'multiply' | 'subtract'

/** A layer of one input: a join of `count` branches of it. */
function fanned(name: JoinName, count: number, options: object): Layer {
  const join = (layers[name] as (options: object) => Layer)(options)
  return new Layer(join.className, join.config, {}, ({ g }, [x]) => {
    const inputs = branches.slice(0, count).map(branch => (branch === null ? x! : activate(g, x!, branch)))
    return [join.build(g, ...inputs)]
  })
}

const shapes = [[1], [5], [17], [3, 8], [2, 3, 5]]

const of = (name: JoinName, count: number, options = {}, inputs = shapes): Example[] =>
  inputs.map((input, i) => ({
    title: `${name} ${JSON.stringify(options)} of ${count} [${input}]`,
    layer: fanned(name, count, options),
    input,
    samples: 1 + (i % 4),
    spread: 2,
  }))

export const mergeExamples = {
  add: [...of('add', 3)],
  average: [...of('average', 3)],
  concatenate: [
    ...of('concatenate', 3),
    ...of('concatenate', 3, { axis: 1 }),
    ...of('concatenate', 3, { axis: -2 }, [
      [3, 8],
      [2, 3, 5],
    ]),
  ],
  maximum: of('maximum', 2),
  minimum: of('minimum', 2),
  multiply: [...of('multiply', 3)],
  subtract: of('subtract', 2),
}
