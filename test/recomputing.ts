import * as ls from '../src/index.ts'
import { Model } from '../src/model/functional.ts'
import type { Engine } from '../src/runtime/engine.ts'

/** A model for three classes, whose blocks are computed again or not. */
export type Making = (recompute: boolean, engine?: Engine) => ls.Model

const { layers } = ls
type Applied = { apply(x: ls.SymbolicTensor): ls.SymbolicTensor | ls.SymbolicTensor[] }

/** Applies layers one after the other. */
export const chain = (x: ls.SymbolicTensor, ...parts: Applied[]): ls.SymbolicTensor =>
  parts.reduce((value, layer) => layer.apply(value) as ls.SymbolicTensor, x)

/** A model as a layer, of one input of the shape. */
function block(
  shape: readonly number[],
  recompute: boolean,
  record: (x: ls.SymbolicTensor) => ls.SymbolicTensor | readonly ls.SymbolicTensor[],
): ls.Model {
  const inputs = ls.input({ shape: [...shape] })
  return ls.model({ inputs, outputs: record(inputs), recompute })
}

function model(
  input: Parameters<typeof ls.input>[0],
  engine: Engine | undefined,
  record: (x: ls.SymbolicTensor) => ls.SymbolicTensor,
): ls.Model {
  const inputs = ls.input(input)
  const outputs = chain(record(inputs), layers.dense({ units: 3, activation: 'softmax' }))
  return new Model({ inputs, outputs, seed: 7 }, engine)
}

const sum = (...values: ls.SymbolicTensor[]) => layers.add({}).apply(values) as ls.SymbolicTensor

const { dense, dropout, layerNormalization, multiHeadAttention } = layers

/** Pre-norm blocks, as in GPT-2. */
export function gpt(
  recompute: boolean,
  engine?: Engine,
  { blocks = 2, width = 24, context = 6, rate = 0.2 } = {},
): ls.Model {
  const make = () =>
    block([context, width], recompute, x => {
      const attention = multiHeadAttention({ numHeads: 4, keyDim: width / 4, useCausalMask: true })
      const attended = sum(x, chain(x, layerNormalization({}), attention, dropout({ rate })))
      const parts = [
        layerNormalization({}),
        dense({ units: 4 * width, activation: 'gelu' }),
        dense({ units: width }),
      ]
      return sum(attended, chain(attended, ...parts, dropout({ rate })))
    })
  return model({ shape: [context] }, engine, x =>
    chain(
      x,
      layers.embedding({ inputDim: 8, outputDim: width }),
      layers.positionEmbedding({}),
      ...Array.from({ length: blocks }, make),
      layerNormalization({}),
    ),
  )
}

const { activation, batchNormalization, conv2d, embedding, lstm, timeDistributed } = layers

function residual(recompute: boolean, engine?: Engine): ls.Model {
  const make = () =>
    block([6, 6, 8], recompute, x => {
      const convolved = [1, 2].flatMap(() => [
        conv2d({ filters: 8, kernelSize: 3, padding: 'same', useBias: false }),
        batchNormalization({ momentum: 0.8 }),
        activation({ activation: 'relu' }),
      ])
      return sum(x, chain(x, ...convolved))
    })
  return model({ shape: [6, 6, 2] }, engine, x =>
    chain(x, conv2d({ filters: 8, kernelSize: 3, padding: 'same' }), make(), make(), layers.flatten({})),
  )
}

/** A block that knows masks, behind one that is not told of any. */
function sequences(recompute: boolean, engine?: Engine): ls.Model {
  const make = () =>
    block([7, 10], recompute, x =>
      chain(
        x,
        lstm({ units: 10, returnSequences: true, recurrentDropout: 0.2, dropout: 0.1 }),
        timeDistributed({
          layer: ls.sequential({
            layers: [dense({ units: 10, activation: 'gelu', inputShape: [10] }), dropout({ rate: 0.1 })],
            recompute,
          }),
        }),
        layers.bidirectional({ layer: layers.gru({ units: 5, returnSequences: true }) }),
      ),
    )
  return model({ shape: [7] }, engine, x =>
    chain(x, embedding({ inputDim: 8, outputDim: 10, maskZero: true }), make(), make()),
  )
}

/** Blocks with two outputs, used twice, fed by themselves and by others; their outputs are used inside and out. */
function shared(recompute: boolean, engine?: Engine): ls.Model {
  const twice = block([12], recompute, x => {
    const y = chain(x, dense({ units: 12, activation: 'relu' }))
    const z = chain(
      y,
      dense({ units: 12, activation: 'tanh', activityRegularizer: 'l2' }),
      dropout({ rate: 0.3 }),
    )
    return [y, sum(y, z)]
  })
  return model({ shape: [5] }, engine, x => {
    const begin = chain(x, dense({ units: 12 }))
    const [a, b] = twice.apply(begin) as [ls.SymbolicTensor, ls.SymbolicTensor]
    const [c, d] = twice.apply(b) as [ls.SymbolicTensor, ls.SymbolicTensor]
    return sum(a, b, sum(c, begin), d, d)
  })
}

const hidden = (recompute: boolean, ...more: ls.Layer[]) =>
  ls.sequential({
    layers: [
      layers.gaussianNoise({ stddev: 0.1, inputShape: [20] }),
      dense({ units: 40, activation: 'gelu' }),
      dense({ units: 20, activation: 'relu' }),
      ...more,
    ],
    recompute,
  })

/** Three deep, of stacks. */
function nested(recompute: boolean, engine?: Engine): ls.Model {
  const inner = () => ls.sequential({ layers: [hidden(recompute), hidden(recompute)], recompute })
  const outer = () =>
    ls.sequential({ layers: [inner(), dense({ units: 20, activation: 'tanh' }), inner()], recompute })
  return model({ shape: [20] }, engine, x => chain(x, dense({ units: 20 }), outer(), outer()))
}

/** A block that nothing learns in, one before which nothing learns, and one through which no gradient flows. */
function frozen(recompute: boolean, engine?: Engine): ls.Model {
  const [first, second, third] = [1, 2, 3].map(() => hidden(recompute, batchNormalization({})))
  for (const still of [first!, third!]) still.trainable = false
  const bare = ls.sequential({
    layers: [dropout({ rate: 0.4, inputShape: [20] }), activation({ activation: 'swish' })],
    recompute,
  })
  return model({ shape: [20] }, engine, x => chain(x, first!, second!, third!, bare))
}

const feedForward = ls.defineLayer('FeedForward', { width: 8 }, ({ weight }, x, { width }) => {
  const n = x.shape.at(-1)!
  const w = weight('w', [n, width], { initializer: 'glorotUniform' })
  const v = weight('v', [width, n], { initializer: 'glorotUniform' })
  const { add, dropout, matMul, multiply, sigmoid, square } = ls.ops
  const z = matMul(x, w)
  return add(x, matMul(dropout(multiply(square(z), sigmoid(z)), 0.2), v))
})

/** A layer of one's own, and a cell each of whose steps is a block. */
function own(recompute: boolean, engine?: Engine): ls.Model {
  const cell = layers.lstmCell({ units: 6, activation: 'gelu', recompute })
  return model({ shape: [5, 4] }, engine, x =>
    chain(
      x,
      feedForward({ width: 30, recompute }),
      feedForward({ width: 20, recompute }),
      layers.rnn({ cell, returnSequences: true }),
    ),
  )
}

/** States that go on from one mini-batch to the next. */
function stateful(recompute: boolean, engine?: Engine): ls.Model {
  const make = () => {
    const inputs = ls.input({ batchShape: [8, 4, 6] })
    const outputs = chain(
      inputs,
      lstm({ units: 6, stateful: true, returnSequences: true }),
      dense({ units: 6, activation: 'gelu' }),
    )
    return ls.model({ inputs, outputs, recompute })
  }
  return model({ batchShape: [8, 4, 3] }, engine, x => chain(x, dense({ units: 6 }), make(), make()))
}

export const networks: Readonly<Record<string, Making>> = {
  'a GPT with dropout': gpt,
  'a residual network with batchNormalization': residual,
  'sequences with masks': sequences,
  'blocks used twice, with two outputs': shared,
  'blocks in blocks': nested,
  'frozen blocks, and batchNormalization': frozen,
  'layers and cells of ones own': own,
  'stateful layers': stateful,
}
