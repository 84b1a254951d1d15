import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { fromSavedNames, toSavedNames } from '../src/formats/naming.ts'
import { caught } from './caught.ts'

/** A layer of TF.js whose config is whatever it is given, so that its rules are applied to it. */
class Anything extends tf.layers.Layer {
  static className = 'Anything'
  /** What the deserializer of TF.js gave last. */
  static given: Record<string, unknown> = {}
  readonly extra: tf.serialization.ConfigDict

  constructor(config: tf.serialization.ConfigDict) {
    super(config as object)
    this.extra = config
  }

  static override fromConfig(_: unknown, config: object): never {
    const { customObjects, ...given } = config as Record<string, unknown>
    Anything.given = given
    return new Anything({ inputShape: [2] }) as never
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...this.extra, ...super.getConfig() }
  }
}
tf.serialization.registerClass(Anything)

const words = [
  'units',
  'kernelInitializer',
  'l1l2',
  'L1L2',
  'conv2D',
  'channelsLast',
  'aBcDe',
  'kernel1Size2Pad',
  'ABCDef',
  'HTTPServer',
  'already_snake',
  '_private',
  'float32',
  '',
  'x',
  'über_Größe',
  'a__b_',
]

test('every word as TF.js writes and reads it', async () => {
  const extra = Object.fromEntries(words.filter(word => word !== '').map((word, i) => [word, words[i]!]))
  const lists = { nested: words, deep: [[words]], empty: null, flag: true, number: 1.5, object: { ...extra } }
  const names = { name: 'layerName_one', inner: { className: 'GlorotUniform', config: { name: 'aB_c' } } }
  const model = tf.sequential()
  model.add(new Anything({ ...extra, ...lists, ...names, inputShape: [2] }))
  const config = (model as unknown as { updatedConfig(): object }).updatedConfig()
  const theirs = model.toJSON(null, false)
  const ours = toSavedNames(config)
  expect(ours).toEqual(theirs)
  // And back, what TF.js hands to the layer.
  await tf.models.modelFromJSON({ modelTopology: theirs } as never)
  const loaded = fromSavedNames(ours) as { config: { layers: { config: object }[] } }
  expect(loaded.config.layers.at(-1)!.config).toEqual(Anything.given)
})

test('names of layers in connections stay', () => {
  const config = {
    inboundNodes: [[['layerOne_a', 0, 0, { someKey: 'aB' }]]],
    outputLayers: [['myOut', 0, 0]],
  }
  const saved = toSavedNames(config)
  expect(saved).toEqual({
    inbound_nodes: [[['layerOne_a', 0, 0, { some_key: 'a_b' }]]],
    output_layers: [['myOut', 0, 0]],
  })
  expect(fromSavedNames(saved)).toEqual(config)
})

test('numbers in boxes, undefined, and a hostile key', () => {
  expect(fromSavedNames({ l2: { type: 'ndarray', value: 0.25 } })).toEqual({ l2: 0.25 })
  expect(toSavedNames({ seed: undefined })).toEqual({ seed: null })
  const hostile = fromSavedNames(JSON.parse('{"__proto__": {"polluted": true}}')) as { polluted?: boolean }
  expect(hostile.polluted).toBe(undefined)
})

test('depth is limited', async () => {
  const deep = JSON.parse(`${'['.repeat(50000)}${']'.repeat(50000)}`)
  const text = 'RangeError: naming: a config must be nested at most 200 deep, got more'
  expect(await caught(() => fromSavedNames(deep))).toBe(text)
  expect(await caught(() => toSavedNames(deep))).toBe(text)
})
