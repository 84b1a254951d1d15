/** How entries and options differ where no program can find out, by TensorFlow.js' names. */
const differences: Readonly<Record<string, string>> = {
  'layer.getConfig': '`activation` is null where there is none, there `linear`',
  'layers.categoryEncoding.outputMode':
    'there `int` has another shape than the layer says, and `tfIdf` throws',
  'layers.randomWidth': 'keeps the width of images, and cuts or fills what is stretched or squeezed',
  'layers.softmax.axis': 'an axis of the batch, where TensorFlow.js can only take the last one',
  'layers.timeDistributed':
    'batchNormalization inside takes the statistics of all steps together, as in Keras 2',
  'model.fit.stepsPerEpoch': 'as in Keras; TensorFlow.js throws',
  'model.fit.sampleWeight': 'as in Keras; TensorFlow.js throws',
  'model.save.handlerOrURL': 'an IOHandler, such as those of `tf.io` and `ls.io`, or a `file://` URL',
  'model.save.includeOptimizer':
    'adamax too, and what TensorFlow.js has no word for, which it refuses to load: `docs/formats.md`',
  'tf.loadLayersModel.pathOrIOHandler': 'an IOHandler, or a `file://`, `http://` or `https://` URL',
  'tf.loadLayersModel.weightPathPrefix': 'a whole URL, below which all weights must lie',
}

/** Why there is no such entry or option. */
const absences: Readonly<Record<string, string>> = {
  'data.microphone': 'of browsers',
  'data.webcam': 'of browsers',
  'exports.CallbackList': 'of no use by itself',
  'exports.CustomCallback': '`callbacks.lambda`',
  'exports.EarlyStopping': '`callbacks.earlyStopping`',
  'exports.History': 'what `fit` resolves with',
  'exports.LayersModel': 'here `Model`',
  'exports.layers.Layer': '`ls.defineLayer` makes layers of your own',
  'layers.*.cell': 'TensorFlow.js declares it by mistake',
  'layers.*.dropoutFunc': 'a hook of its tests',
  'layers.conv2dTranspose.dilationRate': 'TensorFlow.js ignores it',
  'layers.conv3dTranspose.dilationRate': 'TensorFlow.js ignores it',
  'layers.*.inputDim': 'TensorFlow.js ignores it',
  'layers.*.inputLength': 'TensorFlow.js ignores it',
  'layer.addLoss':
    'of functions without input, which its regularizers are; layers of your own add values of samples: `docs/extending.md`',
  'layer.dispose': 'models are disposed of',
  'layers.depthwiseConv2d.kernelConstraint': 'TensorFlow.js ignores it',
  'layers.depthwiseConv2d.kernelInitializer': 'TensorFlow.js ignores it',
  'layers.depthwiseConv2d.kernelRegularizer': 'TensorFlow.js ignores it',
  'layers.randomWidth.autoVectorize': 'TensorFlow.js ignores it',
  'layers.separableConv2d.kernelConstraint': 'TensorFlow.js refuses it',
  'layers.separableConv2d.kernelInitializer': 'TensorFlow.js refuses it',
  'layers.separableConv2d.kernelRegularizer': 'TensorFlow.js refuses it',
  'metrics.mape': 'a name for `compile`',
  'metrics.mse': 'a name for `compile`',
  'model.evaluate.sampleWeight': 'TensorFlow.js throws',
  'model.evaluate.steps': 'TensorFlow.js throws',
  'model.fit.validationSteps': 'TensorFlow.js throws',
  'tf.loadLayersModel.fromTFHub': 'of graph models; TensorFlow.js ignores it for layers',
  'tf.loadLayersModel.streamWeights':
    'of graph models; with it TensorFlow.js does not read the weights of layers at all',
}

const asked = new Set<string>()

function noteIn(notes: Readonly<Record<string, string>>, path: readonly string[]): string | undefined {
  const [table, , ...rest] = path
  const names = [path.join('.'), [table, '*', ...rest].join('.')]
  for (const name of names) asked.add(name)
  return notes[names[0]!] ?? (rest.length > 0 ? notes[names[1]!] : undefined)
}

/** How an entry or an option differs, if that is noted. */
export const difference = (...path: readonly string[]): string | undefined => noteIn(differences, path)

/** Why there is none, if that is noted. */
export const absence = (...path: readonly string[]): string | undefined => noteIn(absences, path)

/** Notes on what TensorFlow.js does not have. */
export const strayNotes = (): string[] =>
  [...Object.keys(differences), ...Object.keys(absences)].filter(name => !asked.has(name))

export const head = `# TensorFlow.js Layers

What is covered of TensorFlow.js Layers 4.22. Written by \`node docs/generate.ts\`: the tables compare the types, the
constructors and the defaults of both libraries as they are installed, and try every value that an option can have. What stands
under *the same* has the same name, the same default and takes the same values; under *differs* stands how.

In general:

- Names, options, defaults, the shapes, names and order of weights and the files of saved models are TensorFlow.js' own. What is
  Lockstep's own besides (or Keras') is in \`layers.md\` and \`training.md\`.
- Unknown options are refused; TensorFlow.js ignores them.
- \`fit\`, \`evaluateAsync\` and \`predictAsync\` run on worker threads; \`evaluate\`, \`predict\` and \`trainOnBatch\` on the calling thread.
- Results follow from \`seed\`, with the same bits for any number of workers; \`seed(n)\` gives one to all that is given none. The \`seed\` of a layer or an initializer has the
  meaning of TensorFlow.js' (but for 0), and draws other numbers.
- Metrics are exact over an epoch, not means of those of its batches; \`evaluate\` adds what regularizers add, as Keras does.
- Tensors hold data and have the few operations that scripts use around a model; they need not be disposed of. \`tidy\`, \`keep\`, \`dispose\` and \`memory\` are there for
  programs that call them.
- Scripts that keep to these run with the import changed to \`import * as tf from 'lockstep'\`. \`test/programs\` holds some in the manner
  of TensorFlow.js' tutorials: alone, accelerated and with the import changed, their losses and weights agree to 1e-4; shuffled, with dropout and noise, they learn as
  much.
`

/** How programs of TensorFlow.js train here as they are. */
export const accelerating = `## Training models of TensorFlow.js

\`\`\`ts
import * as tf from '@tensorflow/tfjs'
import { accelerate } from 'lockstep/tfjs'

const model = accelerate(tf.sequential({ layers: [tf.layers.dense({ units: 10, inputShape: [784] })] }))
model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
await model.fit(x, y, { epochs: 5, callbacks: tf.callbacks.earlyStopping({ monitor: 'loss' }) })
\`\`\`

\`accelerate(model)\` returns the same \`tf.LayersModel\` or \`tf.Sequential\`, compiled or not, whose \`fit\`, \`fitDataset\`,
\`evaluate\`, \`evaluateDataset\` and \`trainOnBatch\` run in Lockstep from then on, in the same way for what is called: the
weights, the optimizer's state and its learning rate, logs, history, callbacks, \`stopTraining\`, datasets of \`tf.data\`,
weights of classes and the number of tensors. Options: \`seed\` and \`workers\` as in \`fit\`, and \`fallback\`.

- The weights are handed over before a run, and back before any callback is called, so that \`predict\`, \`save\` and
  \`getWeights\` of TensorFlow.js see them. The optimizer's arrays come back at the end of each epoch, its counters with the
  weights.
- Without callbacks that listen to batches, workers run a whole epoch at once. A callback for each batch makes them wait after
  each.
- \`evaluate\` runs on the calling thread, since it returns tensors at once; so does \`trainOnBatch\` as long as steps take less
  than 20 ms.
- A layer of the caller's own (unless it is defined here too, by \`ls.defineLayer\`), a loss or a metric that is a function of
  tensors (but those of \`tf.metrics\`, and of \`tf.losses\` meanSquaredError, absoluteDifference, huberLoss,
  softmaxCrossEntropy and sigmoidCrossEntropy) and an optimizer that is none of \`tf.train\` are refused by name. With \`{
  fallback: true }\` such a model trains in TensorFlow.js, and a warning says so. A variational autoencoder needs no layer and no
  loss of the caller's own: \`test/programs/variational.ts\`.
- Refused at \`fit\`: weights of classes with a function of \`tf.losses\`, which is one number of all samples (TensorFlow.js multiplies it
  with the mean of the weights), and callbacks of \`ls.callbacks\`, which train Lockstep's own models.
- Different from TensorFlow.js: what is listed at the end of this page is done right; metrics are exact over an epoch; data and
  losses that are not finite end training with an error, the model then being as at the last epoch's end; a dataset with too few
  batches for \`batchesPerEpoch\` ends training; the states of stateful layers stay in Lockstep.
`

/** What the sections are about. */
export const about = {
  layers: 'The options that all have stand below.',
  common: '',
  layer: 'Methods and properties of a layer that TensorFlow.js documents.',
  activations: 'Given to layers by name.',
  losses:
    'Names that `compile` takes. (The functions of `tf.losses` are operations on tensors, and not part of Layers.)',
  metrics: 'Names that `compile` takes.',
  metricFunctions: 'There functions of tensors; here objects for `compile`.',
  train: 'Arguments are given by their place, or as one object of options.',
  optimizers: 'Names that `compile` takes.',
  initializers: 'Given by name too.',
  regularizers: 'Given by name too.',
  constraints: 'Given by name too.',
  callbacks: '`fit` also takes an object of functions, named as the hooks.',
  hooks: 'Methods of `Callback`, or functions in an object.',
  data: '',
  dataset: 'Methods of a dataset.',
  models: 'Functions that make models, and methods and properties of these.',
  exports: 'What else TensorFlow.js Layers exports.',
} as const

export const faultsHead = `## Where TensorFlow.js is wrong

Found by comparing both libraries with formulas in float64. For each of these \`test/tfjsFaults.test.ts\` shows that TensorFlow.js 4.22
gives something else, and that Lockstep does not.
`
