import { show } from '../errors.ts'
import type { Layer } from './define.ts'
import { type OpenShape, outputShapesOf } from './shapes.ts'

/** One use of a layer: what went in and what came out. */
export interface Node {
  readonly layer: Layer
  readonly inputs: readonly SymbolicTensor[]
  readonly outputs: readonly SymbolicTensor[]
}

/** The output of a layer before there is data: what functional models are made of. */
export class SymbolicTensor {
  /** With the batch axis before the shape of a sample: null, or the size of all mini-batches. */
  readonly shape: readonly (number | null)[]
  readonly dtype = 'float32'
  readonly node: Node
  /** Which of the node's outputs it is. */
  readonly index: number

  constructor(node: Node, index: number, sampleShape: OpenShape, batchSize: number | null = null) {
    this.node = node
    this.index = index
    this.shape = [batchSize, ...sampleShape]
  }

  get name(): string {
    return this.node.layer.name
  }

  get sampleShape(): OpenShape {
    return this.shape.slice(1)
  }
}

/** A new use of a layer. @throws TypeError for something else than symbolic tensors */
export function connect(layer: Layer, inputs: readonly SymbolicTensor[]): SymbolicTensor[] {
  for (const input of inputs) {
    if (input instanceof SymbolicTensor) continue
    throw new TypeError(
      `${layer.name}: apply must be given outputs of layers, got ${show(input)}; begin with ls.input()`,
    )
  }
  const shapes = inputs.map(({ sampleShape }) => sampleShape)
  const batchSize = batchSizeOf(inputs)
  return addNode(layer, inputs, outputShapesOf(layer, shapes, batchSize), batchSize)
}

/** The size of all mini-batches, where one of the tensors fixes it. */
export const batchSizeOf = (tensors: readonly SymbolicTensor[]): number | undefined =>
  tensors.map(({ shape }) => shape[0]).find(size => typeof size === 'number')

/** Notes a use of a layer, whose outputs have the given shapes. */
export function addNode(
  layer: Layer,
  inputs: readonly SymbolicTensor[],
  shapes: readonly OpenShape[],
  batchSize?: number | null,
): SymbolicTensor[] {
  const outputs: SymbolicTensor[] = []
  const node: Node = { layer, inputs, outputs }
  outputs.push(...shapes.map((shape, i) => new SymbolicTensor(node, i, shape, batchSize)))
  layer.nodes.push(node)
  layer.madeShapes.push(outputs.map(({ shape }) => shape))
  return outputs
}

/** The layer's only use. @throws Error where it was never applied, or several times */
export function onlyUse({ name, nodes }: Layer): Node {
  if (nodes.length === 1) return nodes[0]!
  throw new Error(
    `${name}: the layer must be applied once to have one input and output, got ${nodes.length} times; use what apply() returned`,
  )
}

/** The only one, or all. */
export const oneOrAll = <T>(list: readonly T[]): T | readonly T[] => (list.length === 1 ? list[0]! : list)
