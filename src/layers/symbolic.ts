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
  /** With the batch axis, null, before the shape of a sample. */
  readonly shape: readonly (number | null)[]
  readonly dtype = 'float32'
  readonly node: Node
  /** Which of the node's outputs it is. */
  readonly index: number

  constructor(node: Node, index: number, sampleShape: OpenShape) {
    this.node = node
    this.index = index
    this.shape = [null, ...sampleShape]
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
  return addNode(layer, inputs, outputShapesOf(layer, shapes))
}

/** Notes a use of a layer, whose outputs have the given shapes. */
export function addNode(
  layer: Layer,
  inputs: readonly SymbolicTensor[],
  shapes: readonly OpenShape[],
): SymbolicTensor[] {
  const outputs: SymbolicTensor[] = []
  const node: Node = { layer, inputs, outputs }
  outputs.push(...shapes.map((shape, i) => new SymbolicTensor(node, i, shape)))
  layer.nodes.push(node)
  return outputs
}
