import { oneOf, show } from '../errors.ts'
import type { Value } from '../graph/value.ts'
import { combine, scaled } from '../ops/merge.ts'
import { concat, reverse } from '../ops/moves.ts'
import { Composite, copyOf, defineComposite, type LayerLike } from './composite.ts'
import type { Builder, Layer } from './define.ts'
import { type FullConfig, required } from './options.ts'
import { type RecurrentInputs, withStates } from './recurrentLayer.ts'
import type { SymbolicTensor } from './symbolic.ts'

const mergeModes = ['sum', 'mul', 'concat', 'ave'] as const
type MergeMode = (typeof mergeModes)[number]

const defaults = {
  /** A recurrent layer. It is copied, for either way: that it is a part of something else does not matter. */
  layer: required<LayerLike>(),
  /** What becomes of the two outputs; null leaves them two. */
  mergeMode: 'concat' as MergeMode,
  /** What goes the other way, if it is not to be a copy of `layer`. It is copied too. */
  backwardLayer: null as LayerLike | null,
}

type Config = FullConfig<typeof defaults>

/** Options in which the two layers must not differ. */
const alike = ['returnSequences', 'returnState', 'stateful']

function check(where: string, { mergeMode, ...layers }: Config): void {
  oneOf(where, 'mergeMode', mergeMode, mergeModes)
  const { layer, backwardLayer } = layers as Record<string, Layer | null>
  for (const [name, each] of Object.entries({ layer, backwardLayer })) {
    if (each && !('goBackwards' in each.config))
      throw new TypeError(
        `${where}: ${name} must be a recurrent layer, got ${each.className}; try ls.layers.gru()`,
      )
  }
  if (!backwardLayer) return
  const [one, other] = [layer!.config, backwardLayer.config]
  for (const option of alike) {
    if (one[option] === other[option]) continue
    throw new RangeError(
      `${where}: ${option} of backwardLayer must be that of layer, ${show(one[option])}, got ${show(other[option])}; ` +
        `make them alike`,
    )
  }
  if (one.goBackwards === other.goBackwards)
    throw new RangeError(
      `${where}: goBackwards of backwardLayer must not be that of layer, got ${show(other.goBackwards)} for both; ` +
        `change one`,
    )
}

/** A copy of a recurrent layer that goes from the begin to the end, and one that goes the other way. */
export class Bidirectional extends Composite {
  protected override contents(): readonly Layer[] {
    const { layer, backwardLayer } = this.config as { layer: Layer; backwardLayer: Layer | null }
    const backward = backwardLayer ?? layer
    const turned = backwardLayer ? {} : { goBackwards: !layer.config.goBackwards }
    return [
      copyOf(layer, { name: `forward_${layer.name}` }),
      copyOf(backward, { name: `backward_${backward.name}`, ...turned }),
    ]
  }

  /** As that of the layers inside; initial states are those of the first, then those of the other. */
  override apply<Y extends SymbolicTensor | SymbolicTensor[] = SymbolicTensor>(
    inputs: SymbolicTensor | readonly SymbolicTensor[],
    options?: RecurrentInputs,
  ): Y {
    return super.apply(withStates(this.name, inputs, options)) as Y
  }
}

/** The outputs of both ways, in the order of time, as one or still as two. */
function merge({ g, refuse }: Builder, mode: MergeMode | null, y: Value, z: Value): readonly Value[] {
  if (mode === null) return [y, z]
  const last = y.shape.length - 1
  const differing = y.shape.findIndex((size, axis) => size !== z.shape[axis])
  if (differing !== -1 && (mode !== 'concat' || differing !== last))
    refuse(
      `its two layers must have outputs of one shape for mergeMode ${show(mode)}, got [${y.shape}] and [${z.shape}]; ` +
        `make them alike`,
    )
  if (mode === 'concat') return [concat(g, [y, z], last)]
  if (mode === 'mul') return [combine(g, 'multiply', y, z)]
  const sum = combine(g, 'add', y, z)
  return [mode === 'ave' ? scaled(g, sum, 0.5) : sum]
}

const make = defineComposite(
  'Bidirectional',
  defaults,
  check,
  (builder, [x, ...states], { mergeMode }) => {
    const { g, layer, scope, refuse } = builder
    if (!x) return refuse('it must have an input, got none; give it one')
    if (states.length % 2 !== 0)
      refuse(`initialState must be those of both its layers, got ${states.length}; give an even number`)
    const [forward, backward] = (layer as Bidirectional).inner as [Layer, Layer]
    const half = states.length / 2
    const through = (each: Layer, own: readonly Value[]) =>
      each.buildAll(g, [x, ...own], `${scope}/${each.name}`) as [Value, ...Value[]]
    const [y, ...ends] = through(forward, states.slice(0, half))
    const [z, ...otherEnds] = through(backward, states.slice(half))
    const { returnSequences } = forward.config
    const outputs = merge(builder, mergeMode, y, returnSequences ? reverse(g, z, 0) : z)
    const mask = returnSequences ? g.masks.of(x) : undefined
    for (const output of outputs) if (mask) g.masks.set(output, mask)
    return [...outputs, ...ends, ...otherEnds]
  },
  'notes',
  Bidirectional,
)

/**
 * A recurrent layer that goes through a sequence from begin to end, and another one that goes back; their outputs,
 * both in the order of time, are joined: (time, …) → (units) or, with returnSequences, (time, units), of `concat` 2·units.
 * With returnState the states of the first follow, then those of the other. A mask is told to both, and handed on with
 * returnSequences. Source: Schuster & Paliwal (1997).
 */
export const bidirectional: typeof make = Object.assign(
  (config: Parameters<typeof make>[0]) => {
    const layer = make(config)
    // For all other options null stands for the default.
    if (config.mergeMode === null) (layer.config as { mergeMode: MergeMode | null }).mergeMode = null
    return layer
  },
  { className: make.className, defaults: make.defaults },
)
