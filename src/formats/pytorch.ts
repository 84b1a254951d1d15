import { sizeOf } from '../data/nested.ts'
import { Tensor } from '../data/tensor.ts'
import { checkOptions, isPlainObject, nearest, nonNegativeInteger, show, suggestion } from '../errors.ts'
import { type PlainLayer, ruleOf, type Source, type Where } from './pytorchRules.ts'

/** Where PyTorch keeps what a layer has. */
export interface ModuleOptions {
  /** The module's name in the state_dict, `encoder.fc1`; of a separable convolution its two modules. */
  module?: string | readonly [depthwise: string, pointwise: string]
  /** Of a recurrent module with several layers, which one; 0 by default. */
  layer?: number
  /** Of a dense layer behind a flattened image: its [channels, ...sizes], which PyTorch flattens in this order. */
  flattened?: readonly number[]
}

export interface PyTorchOptions {
  /** By layer: the name of its module, more about it, or null to leave its weights out. By default the layer's own name. */
  mapping?: Readonly<Record<string, string | ModuleOptions | null>>
  /** Whether tensors that no layer takes are refused; true unless given. */
  strict?: boolean
}

/** A layer, or a model that is one. */
interface AnyLayer extends PlainLayer {
  readonly model?: { readonly layers: readonly AnyLayer[] }
}

type Tensors = ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>

const where = 'fromPyTorch'

const withWeights = (layers: readonly AnyLayer[]): AnyLayer[] =>
  layers.flatMap(layer =>
    layer.model ? withWeights(layer.model.layers) : layer.weights.length > 0 ? [layer] : [],
  )

/** @throws TypeError or RangeError for a wrong mapping */
function moduleOf(name: string, given: string | ModuleOptions): Where {
  const { module = name, layer = 0, flattened } = typeof given === 'string' ? { module: given } : given
  if (typeof given !== 'string') {
    if (!isPlainObject(given))
      throw new TypeError(
        `${where}: mapping of "${name}" must be a name, options or null, got ${show(given)}`,
      )
    checkOptions(`${where}: mapping of "${name}"`, given, ['module', 'layer', 'flattened'])
  }
  nonNegativeInteger(where, `layer of "${name}"`, layer)
  const modules = typeof module === 'string' ? [module] : module
  if (!Array.isArray(modules) || modules.length === 0 || modules.some(one => typeof one !== 'string'))
    throw new TypeError(`${where}: module of "${name}" must be a name, or two, got ${show(module)}`)
  return { modules, layer, flattened }
}

/** Names in quotes, those after the eighth counted only. */
function listed(names: readonly string[], hint: (name: string) => string | undefined): string {
  const shown = names.slice(0, 8).map(name => {
    const near = hint(name)
    return show(name) + (near === undefined ? '' : ` (did you mean ${show(near)}?)`)
  })
  return shown.join(', ') + (names.length > 8 ? ` and ${names.length - 8} more` : '')
}

/** The tensors of a state_dict, as far as they are taken. */
class State {
  private readonly tensors: ReadonlyMap<string, Tensor>
  private readonly taken = new Set<string>()
  private readonly missing: string[] = []

  constructor(tensors: Tensors) {
    this.tensors = tensors instanceof Map ? tensors : new Map(Object.entries(tensors))
  }

  has(name: string): boolean {
    return this.tensors.has(name)
  }

  /** The elements of a tensor of this shape. Zeros stand for one that is missing, which `check` will say. */
  take(layer: string, name: string, shape: readonly number[]): ArrayLike<number> {
    const tensor = this.tensors.get(name)
    this.taken.add(name)
    if (!tensor) {
      this.missing.push(name)
      return new Float32Array(sizeOf(shape))
    }
    if (!(tensor instanceof Tensor) || tensor.dtype !== 'float32' || String(tensor.shape) !== String(shape)) {
      const got = tensor instanceof Tensor ? `${tensor.dtype} [${tensor.shape}]` : show(tensor)
      throw new RangeError(
        `${where}: tensor ${show(name)} must be float32 [${shape}] for layer "${layer}", got ${got}; ` +
          'correct mapping or the layer',
      )
    }
    return tensor.values
  }

  /** @throws RangeError for tensors that are missing, and where strict for those that nothing takes */
  check(strict: boolean): void {
    const { missing, taken } = this
    const counters = /(^|\.)num_batches_tracked$/
    const left = [...this.tensors.keys()].filter(name => !taken.has(name) && !counters.test(name))
    const unexpected = strict ? left : []
    if (missing.length === 0 && unexpected.length === 0) return
    const wanted = missing.length > 0 ? `missing ${listed(missing, name => nearest(name, left))}` : ''
    const extra = unexpected.length > 0 ? `unexpected ${listed(unexpected, () => undefined)}` : ''
    throw new RangeError(
      `${where}: tensors must be those of the layers, got ${[wanted, extra].filter(Boolean).join('; ')}; ` +
        'name modules in mapping, null for none, or give strict: false for those unexpected',
    )
  }
}

/**
 * The weights of a model from a PyTorch state_dict, as `readSafetensors` gives it, by their names here: for
 * `model.loadWeights`. `docs/formats.md` lists what each layer takes. The model is not changed.
 * @throws RangeError for names that are missing or unexpected, other shapes, layers that compute something else than
 * PyTorch's; TypeError or RangeError for wrong options
 */
export function fromPyTorch(
  model: { readonly layers: readonly AnyLayer[] },
  tensors: Tensors,
  options?: PyTorchOptions,
): Map<string, Tensor> {
  checkOptions(where, options, ['mapping', 'strict'])
  const { mapping = {}, strict = true } = options ?? {}
  const layers = withWeights(model.layers)
  const names = layers.map(({ name }) => name)
  const unknown = Object.keys(mapping).find(name => !names.includes(name))
  if (unknown !== undefined)
    throw new RangeError(
      `${where}: mapping must name layers with weights, got ${show(unknown)}; ${suggestion(unknown, names)}`,
    )
  const state = new State(tensors)
  const weights = new Map<string, Tensor>()
  for (const layer of layers) {
    const given = Object.hasOwn(mapping, layer.name) ? mapping[layer.name] : layer.name
    if (given === null || given === undefined) continue
    const source: Source = {
      has: name => state.has(name),
      take: (name, shape) => state.take(layer.name, name, shape),
    }
    const values = ruleOf(where, layer)(layer, source, moduleOf(layer.name, given))
    for (const { name, shape } of layer.weights)
      weights.set(name, new Tensor(values.get(name)!, shape, 'float32'))
  }
  state.check(strict)
  return weights
}
