import { checkOptions, show } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { Value } from '../graph/value.ts'
import type { Layer } from '../layers/define.ts'
import type { OpenShape } from '../layers/shapes.ts'
import { batchSizeOf, type Node, oneOrAll, SymbolicTensor } from '../layers/symbolic.ts'
import type { Engine } from '../runtime/engine.ts'
import type { NetworkOptions } from './network.ts'
import type { Predictions } from './prediction.ts'
import { Trainable } from './trainable.ts'

export interface ModelOptions extends NetworkOptions {
  inputs: SymbolicTensor | readonly SymbolicTensor[]
  outputs: SymbolicTensor | readonly SymbolicTensor[]
}

/** Names, with a number behind what an earlier output is called: of a layer with several outputs, as Keras has it. */
function distinct(names: readonly string[]): readonly string[] {
  const taken = new Set<string>()
  for (const name of names) {
    let own = name
    for (let i = 1; taken.has(own); i++) own = `${name}_${i}`
    taken.add(own)
  }
  return [...taken]
}

let models = 0

/** Nodes between inputs and outputs, each after those that feed it, and their layers in saved order. */
interface Wiring {
  readonly nodes: readonly Node[]
  readonly layers: readonly Layer[]
}

/**
 * Walks from the outputs to the inputs. Layers stand as TensorFlow.js has them: by their distance from the
 * outputs, the farthest first, and in the order in which the walk meets them.
 */
function wire(name: string, inputs: readonly SymbolicTensor[], outputs: readonly SymbolicTensor[]): Wiring {
  const nodes: Node[] = []
  const done = new Set<Node>()
  const met = new Set<Layer>()
  const visit = (tensor: SymbolicTensor): void => {
    const { node } = tensor
    if (done.has(node)) return
    met.add(node.layer)
    done.add(node)
    if (node.inputs.length === 0 && !inputs.includes(tensor)) {
      const needed = `every input that the outputs need must be among inputs`
      throw new RangeError(`${name}: ${needed}, got none of "${tensor.name}"; add it`)
    }
    for (const input of node.inputs) visit(input)
    nodes.push(node)
  }
  for (const output of outputs) visit(output)
  for (const input of inputs) visit(input)
  const depths = new Map<Layer, number>()
  const nodeDepths = new Map<Node, number>()
  for (const node of nodes.toReversed()) {
    const depth = Math.max(nodeDepths.get(node) ?? 0, depths.get(node.layer) ?? 0)
    nodeDepths.set(node, depth)
    depths.set(node.layer, depth)
    for (const { node: before } of node.inputs)
      nodeDepths.set(before, Math.max(nodeDepths.get(before) ?? 0, depth + 1))
  }
  const layers = [...met].sort((a, b) => depths.get(b)! - depths.get(a)!)
  return { nodes, layers }
}

function checkTensors(what: string, given: ModelOptions['inputs'] | undefined): readonly SymbolicTensor[] {
  const list = [given ?? []].flat()
  if (list.length > 0 && list.every(each => each instanceof SymbolicTensor)) return list
  throw new TypeError(
    `model: ${what} must be outputs of layers, got ${show(given)}; begin with ls.input() and apply layers`,
  )
}

/** Any acyclic graph of layers, with one or several inputs and outputs. */
export class Model extends Trainable<Predictions> {
  readonly className = 'Model'
  readonly inputs: readonly SymbolicTensor[]
  readonly outputs: readonly SymbolicTensor[]
  readonly layers: readonly Layer[]
  /** Uses of layers, each after those that feed it. */
  readonly nodes: readonly Node[]

  constructor(options: ModelOptions)
  /** @internal */
  constructor(options: ModelOptions, engine?: Engine)
  constructor(options: ModelOptions, engine?: Engine) {
    checkOptions('model', options, ['inputs', 'outputs', 'name', 'seed', 'recompute'])
    super(options.name ?? `model_${++models}`, options, engine)
    this.inputs = checkTensors('inputs', options.inputs)
    this.outputs = checkTensors('outputs', options.outputs)
    const other = this.inputs.find(({ node }) => node.inputs.length > 0)
    if (other)
      throw new RangeError(
        `model: inputs must be made by ls.input(), got the output of "${other.name}"; use its input`,
      )
    const { nodes, layers } = wire(this.name, this.inputs, this.outputs)
    this.nodes = nodes
    this.layers = layers
    for (const layer of layers) layer.owner = this
    this.checkNames()
    const twice = layers.find(
      layer => layer.stateful && nodes.filter(node => node.layer === layer).length > 1,
    )
    if (twice)
      throw new RangeError(
        `${this.name}: a stateful layer must be used once, got "${twice.name}" more often; make another`,
      )
  }

  /** The only input, or all. */
  get input(): SymbolicTensor | readonly SymbolicTensor[] {
    return oneOrAll(this.inputs)
  }

  /** The only output, or all. */
  get output(): SymbolicTensor | readonly SymbolicTensor[] {
    return oneOrAll(this.outputs)
  }

  get inputShapes(): readonly OpenShape[] {
    return this.inputs.map(({ sampleShape }) => sampleShape)
  }

  get outputShapes(): readonly OpenShape[] {
    return this.outputs.map(({ sampleShape }) => sampleShape)
  }

  get batchSize(): number | undefined {
    return batchSizeOf(this.inputs)
  }

  get inputNames(): readonly string[] {
    return this.inputs.map(({ name }) => name)
  }

  get outputNames(): readonly string[] {
    return distinct(this.outputs.map(({ name }) => name))
  }

  /** @internal */
  record(g: Graph, inputs: readonly Value[]): readonly Value[] {
    const values = new Map<SymbolicTensor, Value>(this.inputs.map((tensor, i) => [tensor, inputs[i]!]))
    for (const { layer, inputs: from, outputs } of this.nodes) {
      if (outputs.some(output => values.has(output))) continue
      const made = layer.buildAll(
        g,
        from.map(tensor => values.get(tensor)!),
      )
      for (const [i, output] of outputs.entries()) values.set(output, made[i]!)
    }
    return this.outputs.map(tensor => values.get(tensor)!)
  }

  /** @internal */
  protected get rows() {
    const own = new Set(this.nodes)
    return this.layers.map(layer => {
      const nodes = layer.nodes.filter(node => own.has(node))
      const from = [...new Set(nodes.flatMap(node => node.inputs.map(({ name }) => name)))]
      return { layer, shape: nodes[0]!.outputs[0]!.sampleShape, from }
    })
  }

  private checkNames(): void {
    const seen = new Set<string>()
    for (const { name } of this.layers) {
      if (seen.has(name))
        throw new RangeError(`${this.name}: names of layers must differ, got "${name}" twice; rename one`)
      seen.add(name)
    }
  }
}

/**
 * A model from inputs to outputs, through any acyclic graph of layers.
 * @throws TypeError or RangeError for something else, or for an input that is missing
 */
export function model(options: ModelOptions): Model {
  return new Model(options)
}
