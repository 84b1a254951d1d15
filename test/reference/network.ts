import * as ls from '../../src/index.ts'
import type { Weight } from '../../src/layers/define.ts'
import type { SymbolicTensor } from '../../src/layers/symbolic.ts'
import * as layers from '../../src/layers/table.ts'
import { Model } from '../../src/model/functional.ts'
import type { Engine } from '../../src/runtime/engine.ts'
import { noise } from '../bed.ts'
import type { Example } from '../cases.ts'
import { isPadding, maskingFor } from './draw.ts'

/** An example in a network: the layer itself, all that is learnt, what goes in and what comes out. */
export interface Branch {
  readonly example: Example
  readonly weights: readonly Weight[]
  readonly inputs: readonly SymbolicTensor[]
  readonly outputs: readonly SymbolicTensor[]
}

/** Applies an example's layer to inputs of its own, behind what masks them or, if wanted, a dense layer. */
function branchOf(example: Example, learning: boolean): Branch {
  const { inner, integers, centre = 0, masked } = example
  const layer = inner?.layer ?? example.layer
  const inputs = (inner?.inputs ?? [example.input]).map(shape => ls.input({ shape }))
  const isFree = learning && integers === undefined && centre === 0
  const fronts = inputs.map(x => [
    ...(masked && x.sampleShape.length > 1 ? maskingFor(x.sampleShape as number[]) : []),
    ...(isFree ? [layers.dense({ units: x.shape.at(-1)! })] : []),
  ])
  const fed = inputs.map((input, i) => fronts[i]!.reduce((x, front) => front.apply(x), input))
  const outputs = layer.apply(fed) as SymbolicTensor | readonly SymbolicTensor[]
  const weights = [...fronts.flat(), layer].flatMap(each => each.weights)
  return { example, weights, inputs, outputs: [outputs].flat() }
}

/**
 * Examples side by side in one model, so that one run proves many. `learning` puts a dense layer before each, whose
 * gradient is made of that of the layer's input.
 */
export class SideBySide {
  readonly branches: readonly Branch[]
  readonly model: Model

  constructor(
    examples: readonly Example[],
    { learning = false, engine }: { learning?: boolean; engine?: Engine } = {},
  ) {
    this.branches = examples.map(example => branchOf(example, learning))
    const inputs = this.branches.flatMap(branch => branch.inputs)
    const outputs = this.branches.flatMap(branch => branch.outputs)
    this.model = new Model({ inputs, outputs, seed: 9 }, engine)
  }

  /** Inputs of that many samples. */
  x(samples: number, seed = 1): ls.Tensor[] {
    return this.branches.flatMap(({ example, inputs }, i) =>
      inputs.map(({ sampleShape }, j) =>
        drawn(example, sampleShape as number[], samples, 100 * seed + 7 * i + j),
      ),
    )
  }

  /** Targets of that many samples. */
  y(samples: number): ls.Tensor[] {
    return this.model.outputs.map(({ sampleShape }, i) =>
      tensorOf(samples, sampleShape as number[], 500 + i, x => x),
    )
  }

  /** What the model predicts, one list of arrays a branch. */
  byBranch(predicted: ReturnType<Model['predict']>): Float32Array[][] {
    const all = [predicted].flat() as ls.Tensor[]
    let at = 0
    return this.branches.map(({ outputs }) => outputs.map(() => all[at++]!.dataSync() as Float32Array))
  }
}

function tensorOf(
  samples: number,
  shape: readonly number[],
  seed: number,
  f: (x: number, i: number) => number,
) {
  const size = shape.reduce((product, n) => product * n, samples)
  return ls.tensor(noise(size, seed).map(f), [samples, ...shape])
}

function drawn(example: Example, shape: readonly number[], samples: number, seed: number): ls.Tensor {
  const { spread, centre = 0, integers, masked } = example
  const size = shape.slice(1).reduce((product, n) => product * n, 1)
  return tensorOf(samples, shape, seed, (x, i) => {
    if (masked && isPadding(Math.floor(i / size), shape[0]!)) return 0
    return integers === undefined ? centre + x * spread : Math.floor(((x + 1) / 2) * integers)
  })
}
