// node examples/gpt.ts: a small GPT learns to write like Herman Melville, character by character.
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import * as ls from 'lockstep'
import { type Running, running, type Score, start } from './score.ts'

const { layers } = ls

const settings = {
  ...running,
  blocks: 4,
  width: 128,
  heads: 4,
  /** Characters that the model sees. */
  context: 64,
  batchSize: 32,
  /** Whether blocks are computed again for their gradients: a third of the memory for more time (docs/memory.md). */
  recompute: false,
  steps: 3000,
  epochs: 10,
  learningRate: 2e-3,
  /** Characters to write at the end. */
  length: 600,
  temperature: 0.8,
  /** Validation loss that must be reached, in nats per character. */
  bound: 1.9,
}
type Settings = typeof settings & Running

/** Moby Dick, and the numbers of its characters. */
function read(): { characters: readonly string[]; codes: Uint8Array } {
  const text = gunzipSync(readFileSync(new URL('data/moby-dick.txt.gz', import.meta.url))).toString()
  const characters = [...new Set(text)].sort()
  const codeOf = new Map(characters.map((character, code) => [character, code]))
  return { characters, codes: Uint8Array.from(text, character => codeOf.get(character)!) }
}

/** Windows of `context` characters, one at every `stride`: x the characters, y those that follow each of them. */
function windows(codes: Uint8Array, context: number, stride: number): { x: ls.Tensor; y: ls.Tensor } {
  const count = Math.floor((codes.length - context - 1) / stride) + 1
  const cut = (shift: number) => {
    const values = new Uint8Array(count * context)
    for (let i = 0; i < count; i++) {
      const from = i * stride + shift
      values.set(codes.subarray(from, from + context), i * context)
    }
    return values
  }
  return { x: ls.tensor(cut(0), [count, context]), y: ls.tensor(cut(1), [count, context, 1]) }
}

/** Applies layers one after the other. */
const chain = (x: ls.SymbolicTensor, ...parts: readonly (ls.Layer | ls.Model)[]) =>
  parts.reduce((value, layer) => layer.apply(value) as ls.SymbolicTensor, x)

/** Normalisation stands before attention and before the two dense layers (pre-norm), as in GPT-2. */
function block({ width, heads, context, recompute }: Settings): ls.Model {
  const inputs = ls.input({ shape: [context, width] })
  const attended = chain(
    inputs,
    layers.layerNormalization({}),
    layers.multiHeadAttention({ numHeads: heads, keyDim: width / heads, useCausalMask: true }),
  )
  const x = layers.add({}).apply([inputs, attended]) as ls.SymbolicTensor
  const thought = chain(
    x,
    layers.layerNormalization({}),
    layers.dense({ units: 4 * width, activation: 'gelu' }),
    layers.dense({ units: width }),
  )
  return ls.model({ inputs, outputs: layers.add({}).apply([x, thought]), recompute })
}

function build(vocabulary: number, settings: Settings): ls.Model {
  const { blocks, width, context, seed } = settings
  const inputs = ls.input({ shape: [context] })
  const outputs = chain(
    inputs,
    layers.embedding({ inputDim: vocabulary, outputDim: width }),
    layers.positionEmbedding({}),
    ...Array.from({ length: blocks }, () => block(settings)),
    layers.layerNormalization({}),
    layers.dense({ units: vocabulary, activation: 'softmax' }),
  )
  return ls.model({ inputs, outputs, seed })
}

/** Uniform numbers in [0, 1), the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let z = Math.imul(state ^ (state >>> 15), state | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Continues the text: each character is drawn from softmax(log p / temperature), p what the model expects after
 * the last `context` characters; a low temperature prefers what is likely.
 */
function write(
  model: ls.Model,
  start: Uint8Array,
  { context, length, temperature, seed }: Settings,
): number[] {
  const draw = random(seed)
  const codes = [...start]
  while (codes.length < start.length + length) {
    const x = ls.tensor(Uint8Array.from(codes.slice(-context)), [1, context])
    const all = (model.predict(x) as ls.Tensor).dataSync()
    const vocabulary = all.length / context
    const weights = Array.from(all.slice(-vocabulary), p => p ** (1 / temperature))
    let left = draw() * weights.reduce((sum, weight) => sum + weight, 0)
    const code = weights.findIndex(weight => (left -= weight) < 0)
    codes.push(code < 0 ? vocabulary - 1 : code)
  }
  return codes
}

export async function gpt(options: Partial<Settings> = {}): Promise<readonly Score[]> {
  const all: Settings = { ...settings, ...options }
  const { context, batchSize, steps, epochs, learningRate, say, seed, workers } = all
  const { characters, codes } = read()
  const split = Math.round(0.95 * codes.length)
  const train = windows(codes.subarray(0, split), context, 8)
  const validation = windows(codes.subarray(split), context, context)

  const model = build(characters.length, all)
  const warmupSteps = Math.round(steps / 30)
  const schedule = ls.schedules.cosine({
    initialLearningRate: 0,
    warmupTarget: learningRate,
    warmupSteps,
    decaySteps: steps - warmupSteps,
    alpha: 0.05,
  })
  const optimizer = ls.train.adamw({
    learningRate: schedule,
    weightDecay: 0.1,
    beta2: 0.99,
    globalClipNorm: 1,
  })
  model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy' })
  say(
    `GPT with ${model.countParams().toLocaleString('en')} parameters, ${codes.length} characters of Moby Dick`,
  )
  // Windows are drawn anew in each epoch, from many more than it takes.
  const stepsPerEpoch = Math.ceil(steps / epochs)
  const history = await model.fit(train.x, train.y, {
    batchSize,
    epochs,
    stepsPerEpoch,
    validationData: [validation.x, validation.y],
    seed,
    workers,
    callbacks: {
      onEpochEnd(epoch, logs) {
        const [loss, validation] = [logs!.loss!, logs!.val_loss!].map(value => value.toFixed(3))
        say(`step ${(epoch + 1) * stepsPerEpoch}  loss ${loss}  validation ${validation}`)
      },
    },
  })
  const written = write(model, codes.subarray(split, split + context), all)
  say(`\n${written.map(code => characters[code]).join('')}\n`)
  model.dispose()
  const value = history.history.val_loss!.at(-1)!
  return [{ name: 'Moby Dick: validation loss, nats/character', value, bound: all.bound, better: 'atMost' }]
}

await start(import.meta.url, gpt)
