import { Layer } from '../../src/layers/define.ts'
import * as layers from '../../src/layers/table.ts'
import { activate } from '../../src/ops/activation.ts'
import { type Example, of, weightSettings } from './example.ts'

type Options = Parameters<typeof layers.multiHeadAttention>[0]

/** Without biases: that of the key has no influence, so its gradient is nothing but rounding. */
const attention = (options: Options, input: readonly number[], samples = 2): Example => ({
  title: `multiHeadAttention ${JSON.stringify(options)} [${input}] × ${samples}`,
  layer: layers.multiHeadAttention({ ...options, useBias: false }),
  options: { ...options, useBias: false },
  input,
  samples,
  spread: 2,
})

/** Attention of the input to its own sigmoid (value) and tanh (key). */
function crossed(options: Options, input: readonly number[]): Example {
  const inner = layers.multiHeadAttention({ ...options, useBias: false })
  const layer = new (class extends Layer {
    override get weights() {
      return inner.weights
    }
  })(inner.className, { ...inner.config, crossed: true }, { name: inner.name }, ({ g }, [x]) => [
    inner.build(g, x!, activate(g, x!, 'sigmoid'), activate(g, x!, 'tanh')),
  ])
  return {
    title: `multiHeadAttention crossed [${input}]`,
    layer,
    options,
    inner: { layer: inner, inputs: [input, input, input] },
    input,
    samples: 3,
    spread: 2,
  }
}

export const attentionExamples = {
  multiHeadAttention: [
    attention({ numHeads: 1, keyDim: 2 }, [2, 3]),
    attention({ numHeads: 2, keyDim: 4 }, [5, 8]),
    attention({ numHeads: 2, keyDim: 4, useCausalMask: true }, [5, 8], 3),
    attention({ numHeads: 3, keyDim: 5, valueDim: 2, outputShape: 7 }, [9, 4]),
    attention({ numHeads: 4, keyDim: 8, useCausalMask: true }, [17, 16], 1),
    attention({ numHeads: 1, keyDim: 3, useCausalMask: true }, [70, 3], 1),
    attention({ numHeads: 2, keyDim: 4, dropout: 0.4 }, [5, 8], 3),
    attention({ numHeads: 2, keyDim: 3, dropout: 0.2, useCausalMask: true }, [19, 4], 2),
    crossed({ numHeads: 2, keyDim: 3 }, [4, 6]),
    attention({ numHeads: 2, keyDim: 3, ...weightSettings('multiHeadAttention') }, [5, 4]),
  ],
  positionEmbedding: [
    ...[
      [1, 1],
      [5, 3],
      [3, 16],
      [4, 17],
      [2, 40],
    ].map((input, i) => of('positionEmbedding')({}, input, { samples: 1 + i })),
    of('positionEmbedding')(weightSettings('positionEmbedding'), [4, 3]),
  ],
}
