import { Graph } from '../src/graph/graph.ts'
import { bytesOf, type Parameter, pack } from '../src/graph/parameter.ts'
import { once, samples, sizeOf, update, type Value, write } from '../src/graph/value.ts'
import { dense } from '../src/ops/dense.ts'
import { dropout } from '../src/ops/dropout.ts'
import type { Plan } from '../src/plan/plan.ts'
import { makePlan } from '../src/plan/planner.ts'
import type { Engine } from '../src/runtime/engine.ts'
import { losses } from '../src/training/losses.ts'
import { train } from '../src/training/optimizers.ts'
import { noise } from './bed.ts'

/** A small network with its data, and how it is to be trained. */
export interface Case {
  sizes: readonly number[]
  loss: Exclude<keyof typeof losses, 'mse' | 'mae'>
  optimizer: keyof typeof train
  leaves: number
  batchSize: number
  samples: number
  dropout?: number
  clip?: { globalClipNorm?: number; clipValue?: number }
}

interface Prepared {
  plan: Plan
  parameters: Parameter[]
  stateBytes: number
}

/** Dense layers with relu between them; state laid out one parameter behind the other, slots behind their parameter. */
export function prepare({
  sizes,
  loss,
  optimizer: name,
  leaves,
  batchSize,
  clip = {},
  dropout: rate = 0,
}: Case): Prepared {
  const optimizer = train[name as 'adam']({ learningRate: 0.01, ...clip })
  let stateBytes = 0
  const parameters: Parameter[] = []
  const make = (label: string, shape: number[], trainable: boolean): Parameter => {
    const parameter = { name: label, shape, trainable, offset: stateBytes }
    stateBytes += bytesOf(shape)
    parameters.push(parameter)
    return parameter
  }
  const g = new Graph({ training: true, leaves, rows: batchSize })
  const input = (label: string, shape: number[]): Value => {
    const x = g.batch(label, shape)
    const source = g.allocate('data', label, shape, 0)
    g.call('gather', samples(), source, 0, g.cells.position, write(x), sizeOf(shape))
    return x
  }
  let h = input('x', [sizes[0]!])
  const pairs: { w: Value; slots: Value[] }[] = []
  for (let layer = 1; layer < sizes.length; layer++) {
    const [w, b] = [
      make(`w${layer}`, [sizes[layer - 1]!, sizes[layer]!], true),
      make(`b${layer}`, [sizes[layer]!], true),
    ]
    for (const parameter of [w, b]) {
      const slots = optimizer.slots.map(slot =>
        g.parameter(make(`${parameter.name} ${slot.name}`, [...parameter.shape], false)),
      )
      pairs.push({ w: g.parameter(parameter), slots })
    }
    h = dense(g, h, g.parameter(w), g.parameter(b), layer < sizes.length - 1)
    if (rate > 0 && layer < sizes.length - 1) h = dropout(g, h, rate)
  }
  const target = input('y', [...losses[loss].targetShape(h.shape)])
  const { values } = losses[loss].record(g, { prediction: h, target, weight: undefined })
  g.checkFinite(values, 'the loss')
  g.differentiate()
  optimizer.record(
    g,
    pairs.map(({ w, slots }) => ({ w, dw: g.gradientOf(w)!, slots })),
  )
  const total = g.allocate('run', 'loss total', [1], 8)
  g.call('accumulate', once, values, 0, update(total), g.cells.rows, 1, 1)
  return { plan: makePlan(g, { total }), parameters, stateBytes }
}

/** Trains with the given workers; returns the raw state and the summed loss. */
export async function trainCase(
  engine: Engine,
  c: Case,
  workers: number,
  epochs = 2,
): Promise<{ state: Float32Array; loss: number }> {
  const { plan, parameters, stateBytes } = prepare(c)
  const { arena } = engine
  const outputs = c.sizes.at(-1)!
  const block = (bytes: number) => arena.allocateZeroed(bytes, 'the test')
  const y = c.loss === 'sparseCategoricalCrossentropy' ? 1 : outputs
  const blocks = {
    arena: block(plan.arenaBytes),
    state: block(stateBytes),
    run: block(plan.runBytes),
    worker: block(plan.workerBytes * workers),
    x: block(4 * c.samples * c.sizes[0]!),
    y: block(4 * c.samples * y),
    rates: block(4 * Math.ceil(c.samples / c.batchSize)),
  }
  const floats = (at: { address: number }, count: number) =>
    new Float32Array(arena.memory.buffer, at.address, count)
  const xs = noise(c.samples * c.sizes[0]!, 3)
  floats(blocks.x, xs.length).set(xs)
  const raw = noise(c.samples * y, 5)
  floats(blocks.y, raw.length).set(y === outputs ? raw : raw.map(v => Math.floor(((v + 1) / 2) * outputs)))
  floats(blocks.rates, Math.ceil(c.samples / c.batchSize)).fill(0.01)
  parameters.forEach((parameter, i) => {
    if (!parameter.trainable) return
    const panels = new Float32Array(
      arena.memory.buffer,
      blocks.state.address + parameter.offset,
      bytesOf(parameter.shape) / 4,
    )
    pack(
      noise(sizeOf(parameter.shape), 11 + i).map(v => v * 0.3),
      parameter.shape,
      panels,
    )
  })
  const bases = {
    arena: blocks.arena.address,
    state: blocks.state.address,
    run: blocks.run.address,
    worker: blocks.worker.address,
    data: { x: blocks.x.address, y: blocks.y.address },
  }
  const perEpoch = Math.ceil(c.samples / c.batchSize)
  try {
    return await engine.withRun(workers, 5000, async run => {
      const id = run.bind(plan, bases)
      for (let epoch = 0; epoch < epochs; epoch++) {
        const steps = {
          from: 0,
          to: perEpoch,
          batchSize: c.batchSize,
          count: c.samples,
          start: 0,
          stepsBefore: epoch * perEpoch,
          seed: [1, 2] as const,
          rates: blocks.rates.address,
          slots: 0,
        }
        await run.steps(id, steps, { prologue: epoch === 0 })
      }
      const loss = new Float64Array(
        arena.memory.buffer,
        blocks.run.address + plan.outputs.total!.offset,
        1,
      )[0]!
      return { state: floats(blocks.state, stateBytes / 4).slice(), loss }
    })
  } finally {
    for (const each of Object.values(blocks)) arena.free(each)
  }
}
