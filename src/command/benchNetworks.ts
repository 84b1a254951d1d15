import { Tensor } from '../data/tensor.ts'
import { show, suggestion } from '../errors.ts'
import { input } from '../layers/input.ts'
import type { SymbolicTensor } from '../layers/symbolic.ts'
import * as layers from '../layers/table.ts'
import { Model } from '../model/functional.ts'
import type { Engine } from '../runtime/engine.ts'
import { train } from '../training/optimizers.ts'
import { UsageError } from './terminal.ts'

/** A network whose speed is measured, on samples that are made up. */
interface Bench {
  readonly about: string
  readonly input: readonly number[]
  /** Inputs are whole numbers below it, and so are the targets, one a step. */
  readonly vocabulary?: number
  readonly batchSize: number
  /** Samples of an epoch, in mini-batches. */
  readonly batches: number
  build(x: never): unknown
}

type Node = SymbolicTensor

const output = (x: Node) => layers.dense({ units: 10, activation: 'softmax' }).apply(x)

const dense =
  (hidden: readonly number[]) =>
  (x: Node): unknown =>
    output(
      hidden.reduce<Node>(
        (value, units) => layers.dense({ units, activation: 'relu' }).apply(value) as Node,
        x,
      ),
    )

function gpt(x: Node): unknown {
  let value = layers
    .positionEmbedding({})
    .apply(layers.embedding({ inputDim: 80, outputDim: 128 }).apply(x)) as Node
  const plus = (part: unknown) => {
    value = layers.add({}).apply([value, part] as never) as Node
  }
  for (let block = 0; block < 4; block++) {
    const normal = layers.layerNormalization({}).apply(value) as Node
    plus(layers.multiHeadAttention({ numHeads: 4, keyDim: 32, useCausalMask: true }).apply(normal))
    const wide = layers
      .dense({ units: 512, activation: 'gelu' })
      .apply(layers.layerNormalization({}).apply(value) as Node)
    plus(layers.dense({ units: 128 }).apply(wide as Node))
  }
  const last = layers.layerNormalization({}).apply(value) as Node
  return layers.dense({ units: 80, activation: 'softmax' }).apply(last)
}

function cnn(x: Node): unknown {
  const conv = (value: Node, filters: number) =>
    layers.conv2d({ filters, kernelSize: 3, activation: 'relu' }).apply(value) as Node
  const pooled = layers.maxPooling2d({ poolSize: 2 }).apply(conv(conv(x, 32), 64)) as Node
  const flat = layers.flatten({}).apply(pooled) as Node
  return output(layers.dense({ units: 128, activation: 'relu' }).apply(flat) as Node)
}

const lstm = (x: Node): unknown => output(layers.lstm({ units: 128 }).apply(x) as Node)

const known: Readonly<Record<string, Bench>> = {
  mlp: { about: '784-512-512-10', input: [784], batchSize: 128, batches: 64, build: dense([512, 512]) },
  cnn: {
    about: 'convolutions of 32 and 64 filters on 28×28, then 128-10',
    input: [28, 28, 1],
    batchSize: 64,
    batches: 8,
    build: cnn,
  },
  lstm: {
    about: 'an LSTM of 128 over 64 steps of 32',
    input: [64, 32],
    batchSize: 64,
    batches: 8,
    build: lstm,
  },
  gpt: {
    about: '4 blocks of width 128 over 64 tokens',
    input: [64],
    vocabulary: 80,
    batchSize: 32,
    batches: 4,
    build: gpt,
  },
}

export const networkNames = Object.keys(known)

/** A network by its name, or dense layers by their sizes: 784-128-10. @throws UsageError for anything else */
export function benchOf(name: string): Bench {
  if (Object.hasOwn(known, name)) return known[name]!
  const sizes = name.split('-').map(Number)
  const areSizes =
    sizes.length > 1 && sizes.every(size => Number.isSafeInteger(size) && size > 0 && size <= 65_536)
  if (!areSizes)
    throw new UsageError(
      `bench: --network must be ${networkNames.join(', ')} or sizes like 784-128-10, got ` +
        `${show(name)}; ${suggestion(name, networkNames)}`,
    )
  const build = (x: Node): unknown => {
    const hidden = sizes
      .slice(1, -1)
      .reduce<Node>((value, units) => layers.dense({ units, activation: 'relu' }).apply(value) as Node, x)
    return layers.dense({ units: sizes.at(-1)!, activation: 'softmax' }).apply(hidden)
  }
  return { about: name, input: [sizes[0]!], batchSize: 128, batches: 64, build }
}

/** The compiled model, on an engine of its own. */
export function buildBench({ input: shape, build, vocabulary }: Bench, engine: Engine, seed: number): Model {
  const x = input({ shape: [...shape] })
  const model = new Model({ inputs: x, outputs: build(x as never) as never, seed }, engine)
  const loss = 'sparseCategoricalCrossentropy'
  model.compile({ optimizer: vocabulary ? train.adamw(1e-3) : train.adam(1e-3), loss })
  return model
}

const sizeOf = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, 1)

/** Made-up samples: of both signs, so that relu units stay alive. */
export function benchData(
  { input: shape, vocabulary }: Bench,
  samples: number,
  classes: number,
): { x: Tensor; y: Tensor } {
  const x = Float32Array.from({ length: samples * sizeOf(shape) }, (_, i) =>
    vocabulary ? ((i * 7919) % 100_003) % vocabulary : ((i * 7919) % 1009) / 1009 - 0.5,
  )
  const steps = vocabulary ? sizeOf(shape) : 1
  const y = Int32Array.from({ length: samples * steps }, (_, i) => (i * 7) % classes)
  return {
    x: new Tensor(x, [samples, ...shape], 'float32'),
    y: new Tensor(y, vocabulary ? [samples, ...shape, 1] : [samples], 'int32'),
  }
}
