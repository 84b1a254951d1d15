import { sizeOf, type Value } from '../graph/value.ts'
import { reverse, sliceAxis } from '../ops/moves.ts'
import type { Course, Recurred } from '../ops/recurrent.ts'
import { keep, read } from '../ops/state.ts'
import { opposite, stack, stepsOf, whereCounts, zeros } from '../ops/steps.ts'
import { type CellSteps, outputOf, type Shape } from './cells.ts'
import type { Builder } from './define.ts'
import type { FullConfig } from './options.ts'

/** Options of every recurrent layer. */
export const courseDefaults = {
  /** Whether the output holds the outputs of all steps, or that of the last one. */
  returnSequences: false,
  /**
   * Whether the states after the last step are put out as well, behind the output: in an LSTM, state and cell. Another
   * layer begins with them by `apply(x, { initialState })`.
   */
  returnState: false,
  /** Whether the steps go from the end of the input to its begin; the output is in the order of the steps. */
  goBackwards: false,
  /**
   * Whether each sample of a mini-batch begins with the states that the one at its place in the mini-batch before
   * ended with, in training, evaluation and prediction alike, until `resetStates()` of the layer or the model. Needs
   * batchInputShape (or batchShape) with the number of samples of all mini-batches; `shuffle: false` keeps them at
   * their places. No gradient flows from one mini-batch to another.
   */
  stateful: false,
  /** Changes nothing, as in TensorFlow.js. */
  unroll: false,
}

const show = (shapes: readonly Shape[]): string => shapes.map(shape => `[${shape}]`).join(' and ')

/** Refuses what a step of a user's cell must not return. */
function checkStep({ refuse }: Builder, steps: CellSteps, returned: readonly Value[]): void {
  const expected = show([outputOf(steps), ...steps.states])
  const got = show(returned.map(({ shape }) => shape))
  if (got !== expected)
    refuse(
      `a step must return its output and its states, ${expected}, got ${got}; correct step, states or output`,
    )
}

/**
 * A cell's output and last states after all steps of x (time, …), recorded step by step. Steps that do not count leave
 * both as they are; before the first that does, the output is the first state, or 0 where that has another shape.
 */
export function unroll(builder: Builder, steps: CellSteps, x: Value, course: Course): Recurred {
  const { g } = builder
  const all = steps.ahead ? steps.ahead(x) : x
  const time = all.shape[0]!
  // One step tells all shapes, and a length that is not known may stand for thousands.
  const inputs = stepsOf(g, g.shapesOnly ? sliceAxis(g, all, 0, 0, 1) : all)
  const column = course.steps && g.view(course.steps, [time, 1])
  const counts = column && stepsOf(g, column)
  const skips = column && stepsOf(g, opposite(g, column))
  let states = steps.states.map((shape, i) => course.initial[i] ?? zeros(g, shape))
  const output = outputOf(steps)
  let y = String(states[0]?.shape) === String(output) ? states[0]! : zeros(g, output)
  const outputs: Value[] = []
  const order = [...inputs.keys()]
  for (const t of course.backwards ? order.reverse() : order) {
    const returned = steps.step(inputs[t]!, states)
    checkStep(builder, steps, returned)
    const before = [y, ...states]
    const kept = returned.map((value, i) =>
      counts ? whereCounts(g, counts[t]!, skips![t]!, value, before[i]!) : value,
    ) as [Value, ...Value[]]
    ;[y, ...states] = kept
    outputs.push(y)
  }
  if (!course.sequences) return { y, states }
  return { y: g.shapesOnly ? g.batch('steps', [time, ...y.shape]) : stack(g, outputs), states }
}

/** Refuses states to begin with that are too few, too many, or of other shapes; none stand for zeros. */
function checkInitial({ refuse }: Builder, initial: readonly Value[], shapes: readonly Shape[]): void {
  if (initial.length > 0 && initial.length !== shapes.length)
    refuse(
      `initialState must be ${shapes.length}, got ${initial.length}; give those that returnState returns`,
    )
  initial.forEach(({ shape }, i) => {
    if (String(shape) !== String(shapes[i]))
      refuse(`a state of initialState must have shape [${shapes[i]}], got [${shape}]; correct it`)
  })
}

/**
 * Takes x (time, …) through cells, each fed by the one before, from the states that follow it: the output, and with
 * returnState the states, those of the last cell first. Each cell begins with the shape of what it is fed at a step.
 */
export function recur(
  builder: Builder,
  [x, ...given]: readonly Value[],
  config: FullConfig<typeof courseDefaults>,
  cells: readonly ((shape: Shape) => CellSteps)[],
): readonly Value[] {
  const { g, refuse, state } = builder
  if (!x) return refuse('it must have an input, got none; give it one')
  if (x.shape.length < 2 || sizeOf(x.shape) === 0)
    refuse(`the input must have shape [time, …], got [${x.shape}]; add layers.reshape() before it`)
  let shape: Shape = x.shape.slice(1)
  const all = cells.map(begin => {
    const steps = begin(shape)
    shape = outputOf(steps)
    return steps
  })
  const shapes = all.toReversed().flatMap(({ states }) => states)
  const kept = config.stateful ? shapes.map((own, i) => state(`state_${i}`, own)) : []
  let initial = given.length > 0 ? given : kept.map(state => read(g, state))
  checkInitial(builder, initial, shapes)
  let y = x
  const ends: Value[] = []
  all.forEach((steps, i) => {
    const begin = Math.max(initial.length - steps.states.length, 0)
    const course: Course = {
      sequences: config.returnSequences || i + 1 < all.length,
      backwards: config.goBackwards && i === 0,
      steps: g.masks.of(y),
      initial: initial.slice(begin),
    }
    initial = initial.slice(0, begin)
    const recurred = steps.whole?.(y, course) ?? unroll(builder, steps, y, course)
    y = recurred.y
    ends.unshift(...recurred.states)
    if (course.steps && course.sequences)
      g.masks.set(y, course.backwards ? reverse(g, course.steps, 0) : course.steps)
  })
  for (const [i, value] of kept.entries()) keep(g, value, ends[i]!)
  return config.returnState ? [y, ...ends] : [y]
}
