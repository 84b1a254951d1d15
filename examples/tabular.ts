// node examples/tabular.ts: four classic tables, each cross-validated, beside scikit-learn's MLP (examples/peers.py).
import * as ls from 'lockstep'
import { type Running, running, type Score, start } from './score.ts'
import { join, type Row, readTable, scalerOf } from './tables.ts'

const settings = {
  ...running,
  folds: 10,
  epochs: 200,
  patience: 20,
}
type Settings = typeof settings & Running

interface Table {
  readonly file: string
  readonly target: string
  /** The target's values; without them it is a number to be predicted. */
  readonly classes?: readonly string[]
  /** Columns of texts, and the texts that become a column of 0 and 1 each. */
  readonly kinds?: Readonly<Record<string, readonly string[]>>
  readonly unused?: readonly string[]
  /** What `python3 examples/peers.py` printed for scikit-learn 1.9.1, with early stopping and without. */
  readonly peers: readonly [number, number]
  /** Accuracy, or R² of a number, that must be reached. */
  readonly bound: number
}

const tables: readonly Table[] = [
  {
    file: 'breast-cancer.csv',
    target: 'diagnosis',
    classes: ['malignant', 'benign'],
    peers: [0.9733, 0.9726],
    bound: 0.96,
  },
  {
    file: 'wine.csv',
    target: 'cultivar',
    classes: ['class_0', 'class_1', 'class_2'],
    peers: [0.9528, 0.9831],
    bound: 0.96,
  },
  // Column b was made from the share of black inhabitants; nothing here should be predicted from that.
  { file: 'boston.csv', target: 'medv', unused: ['b'], peers: [0.8773, 0.8901], bound: 0.84 },
  {
    file: 'auto-mpg.csv',
    target: 'mpg',
    kinds: { origin: ['USA', 'Europe', 'Japan'] },
    peers: [0.8638, 0.8631],
    bound: 0.84,
  },
]

interface Samples {
  readonly x: readonly number[][]
  readonly y: readonly number[]
}

/** Rows without an empty field, as numbers. */
function samplesOf(rows: readonly Row[], { target, classes, kinds = {}, unused = [] }: Table): Samples {
  const whole = rows.filter(row => Object.values(row).every(field => field !== undefined))
  const names = Object.keys(rows[0]!).filter(name => name !== target && !unused.includes(name))
  return {
    x: whole.map(row =>
      names.flatMap(name => kinds[name]?.map(kind => (row[name] === kind ? 1 : 0)) ?? [row[name] as number]),
    ),
    y: whole.map(row => (classes ? classes.indexOf(row[target] as string) : (row[target] as number))),
  }
}

function build(width: number, classes: number | undefined, seed: number): ls.Sequential {
  const kernelRegularizer = ls.regularizers.l2({ l2: 1e-3 })
  const hidden = { units: 64, activation: 'relu', kernelRegularizer } as const
  const model = ls.sequential({
    layers: [
      ls.layers.dense({ ...hidden, inputShape: [width] }),
      ls.layers.dense({ ...hidden, units: 32 }),
      ls.layers.dense(classes ? { units: classes, activation: 'softmax' } : { units: 1 }),
    ],
    seed,
  })
  model.compile({
    optimizer: ls.train.adam(3e-3),
    loss: classes ? 'sparseCategoricalCrossentropy' : 'meanSquaredError',
  })
  return model
}

/** What a model that was trained on the other folds predicts for fold `fold`; sample i belongs to fold i mod `folds`. */
async function predictFold({ x, y }: Samples, fold: number, regression: boolean, all: Settings) {
  const { folds, epochs, patience, seed, workers } = all
  const partOf = (belongs: (fold: number) => boolean) => [...x.keys()].filter(i => belongs(i % folds))
  const validating = (fold + 1) % folds
  const training = partOf(i => i !== fold && i !== validating)
  const [columns, target] = [scalerOf(training.map(i => x[i]!)), scalerOf(training.map(i => [y[i]!]))]
  const inputs = (part: readonly number[]) => join(part.map(i => columns.scale(x[i]!)))
  const targets = (part: readonly number[]) =>
    join(part.map(i => (regression ? target.scale([y[i]!]) : [y[i]!])))

  const model = build(x[0]!.length, regression ? undefined : Math.max(...y) + 1, seed + fold)
  const validation = partOf(i => i === validating)
  await model.fit(inputs(training), targets(training), {
    epochs,
    validationData: [inputs(validation), targets(validation)],
    callbacks: ls.callbacks.earlyStopping({ patience, restoreBestWeights: true }),
    seed,
    workers,
  })
  const tested = partOf(i => i === fold)
  const rows = (model.predict(inputs(tested)) as ls.Tensor).arraySync() as number[][]
  model.dispose()
  return tested.map((i, j) => {
    const predicted = regression ? target.restore(rows[j]!)[0]! : rows[j]!.indexOf(Math.max(...rows[j]!))
    return { truth: y[i]!, predicted }
  })
}

type Tested = Awaited<ReturnType<typeof predictFold>>

const accuracy = (tested: Tested): number =>
  tested.filter(({ truth, predicted }) => predicted === truth).length / tested.length

/** 1 − Σ (truth − predicted)² / Σ (truth − mean)². */
function r2(tested: Tested): number {
  const mean = tested.reduce((sum, { truth }) => sum + truth, 0) / tested.length
  const left = tested.reduce((sum, { truth, predicted }) => sum + (truth - predicted) ** 2, 0)
  const all = tested.reduce((sum, { truth }) => sum + (truth - mean) ** 2, 0)
  return 1 - left / all
}

export async function tabular(options: Partial<Settings> = {}): Promise<readonly Score[]> {
  const all: Settings = { ...settings, ...options }
  const scores: Score[] = []
  for (const table of tables) {
    const samples = samplesOf(await readTable(table.file), table)
    const regression = !table.classes
    const tested: Tested = []
    for (let fold = 0; fold < all.folds; fold++)
      tested.push(...(await predictFold(samples, fold, regression, all)))
    const value = regression ? r2(tested) : accuracy(tested)
    const name = `${table.file.replace('.csv', '')}: ${regression ? 'R²' : 'accuracy'}, ${all.folds} folds`
    all.say(
      `${name}: ${value.toFixed(4)}; scikit-learn's MLP: ${table.peers.join(', without early stopping ')}`,
    )
    scores.push({ name, value, bound: table.bound, better: 'atLeast' })
  }
  return scores
}

await start(import.meta.url, tabular)
