import { basename } from 'node:path'
import { randomNumbers } from '../data/random.ts'
import type { Tensor } from '../data/tensor.ts'
import { inRange, positiveInteger, show, suggestion } from '../errors.ts'
import { derive } from '../tune/seeds.ts'
import type { ChosenPlan } from './choosing.ts'
import type { ImagePlan } from './imageNetworks.ts'
import { trialDataOf } from './kinds.ts'
import type { Samples } from './learning.ts'
import type { Plan } from './networks.ts'
import type { TrainOptions } from './options.ts'
import { outputsOf } from './predictions.ts'
import { pick } from './scaling.ts'
import { type ClassScores, type RegressionScores, scorerOf } from './scores.ts'
import type { TextPlan } from './textNetworks.ts'
import { type Ground, standardPlan, type TryOptions, tryPlan } from './trying.ts'

/** What was trained on, and how. */
interface About {
  readonly plan: ChosenPlan
  readonly task: 'class' | 'regression'
  /** What is counted: rows, or windows of a text. */
  readonly unit: 'rows' | 'windows'
  readonly warnings: readonly string[]
}

/** What a training came to: losses without penalties, and of the validation part the accuracy or R². */
export interface Measurement {
  readonly training: number
  readonly validation: number
  readonly score: number
}

/** Of some trainings that differ in their seeds alone. */
export interface Measured {
  readonly seeds: readonly Measurement[]
}

export interface CurvePoint extends Measured {
  /** Rows that were trained on. */
  readonly rows: number
}

export interface VariantResult extends Measured {
  readonly name: string
}

/** Options of both: how often each training is repeated, and what hears of it. */
export interface RepeatOptions {
  /** Trainings of each kind, with other seeds. Default 3. */
  repeats?: number
  /** Ends after so many seconds, with what there is. */
  maxSeconds?: number
  onTraining?: (done: number, total: number, what: string, measured: Measurement) => void
}

/** Of tables. */
type TableScores = ClassScores | RegressionScores

const scoreIn = (scores: TableScores) => (scores.task === 'class' ? scores.accuracy : scores.r2)
const lossIn = (scores: TableScores) =>
  scores.task === 'class' ? scores.logLoss : scores.rootMeanSquaredError

/** How a plan is tried: networks whose outputs are averaged, and whether training stops early. */
interface Manner {
  readonly plan: ChosenPlan
  readonly networks?: number
  readonly toTheEnd?: boolean
}

/** Windows from the beginning of the training part that are scored. */
const mostScored = 1000

/** Nats a character, and how many of them are expected first. */
async function measureText(ground: Ground, plan: ChosenPlan, options: TryOptions): Promise<Measurement> {
  const { model } = await tryPlan(ground, plan, options)
  const said = async ({ x, y }: Samples) => {
    const some = Uint32Array.from({ length: Math.min(mostScored, y.shape[0]!) }, (_, i) => i)
    const { workers = 'auto' } = options
    return (await model.evaluateAsync(pick(x as Tensor, some), pick(y, some), { workers })) as Record<
      string,
      number
    >
  }
  const [training, validation] = [await said(ground.training), await said(ground.validation)]
  model.dispose()
  const nats = 'sparseCategoricalCrossentropy'
  return { training: training[nats]!, validation: validation[nats]!, score: validation.acc! }
}

async function measure(
  ground: Ground,
  { plan, networks = 1, toTheEnd = false }: Manner,
  seed: number,
  { workers = 'auto', signal }: Pick<TrainOptions, 'workers' | 'signal'>,
): Promise<Measurement> {
  if (ground.problem.isText) return measureText(ground, plan, { seed, workers, signal, toTheEnd })
  const parts = ['training', 'validation'] as const
  const sums = parts.map(part => new Float64Array(ground[part].y.size * (ground.problem.classes ?? 1)))
  for (let n = 0; n < networks; n++) {
    const tried = { seed: n === 0 ? seed : derive(seed, n), workers, signal, toTheEnd }
    const { model } = await tryPlan(ground, plan, tried)
    for (const [p, part] of parts.entries()) {
      const outputs = await outputsOf(model, ground[part].x, workers)
      for (const [i, output] of outputs.entries()) sums[p]![i]! += output / networks
    }
    model.dispose()
  }
  const [training, validation] = parts.map((part, p) => {
    const scorer = scorerOf(ground.target)
    scorer.take(sums[p]!, ground[part].truth!)
    return scorer.finish()
  }) as [TableScores, TableScores]
  return { training: lossIn(training), validation: lossIn(validation), score: scoreIn(validation) }
}

/**
 * Rows in an order of which each beginning has about the same share of every class: the i-th of a class of n stands at
 * (i + ½) / n.
 */
function nestedOrder(rows: Uint32Array, classOf: (row: number) => number, seed: number): Uint32Array {
  const draw = randomNumbers(seed)
  const drawn = Array.from(rows, row => ({ row, key: draw(), label: classOf(row) }))
  drawn.sort((a, b) => a.key - b.key)
  const seen = new Map<number, number>()
  const counts = new Map<number, number>()
  for (const { label } of drawn) counts.set(label, (counts.get(label) ?? 0) + 1)
  const placed = drawn.map(({ row, label }) => {
    const i = seen.get(label) ?? 0
    seen.set(label, i + 1)
    return { row, place: (i + 0.5) / counts.get(label)! }
  })
  return Uint32Array.from(
    placed.sort((a, b) => a.place - b.place),
    ({ row }) => row,
  )
}

/** Ends a series of trainings when it is interrupted, or its time is over. */
function untilOver(signal: AbortSignal | undefined, maxSeconds: number | undefined): AbortSignal {
  const timeout = maxSeconds === undefined ? [] : [AbortSignal.timeout(1000 * maxSeconds)]
  return AbortSignal.any([...(signal ? [signal] : []), ...timeout])
}

const leastRows = 8

async function prepared(options: TrainOptions, repeats: number, maxSeconds: number | undefined) {
  positiveInteger('learningCurve', 'repeats', repeats)
  if (maxSeconds !== undefined) inRange('learningCurve', 'maxSeconds', maxSeconds, '(0, 2000000]')
  const data = await trialDataOf(options)
  const plan = await standardPlan(options, data)
  const unit = data.problem.isText ? 'windows' : 'rows'
  const about: About = { plan, task: data.target.task, unit, warnings: data.warnings.lines() }
  return { data, plan, about }
}

/**
 * Scores of the standard network of `train` over the number of rows that it is trained on: sizes double from
 * one to the next, the smaller parts lie in the larger ones, and the validation part is the same. A seed decides which rows,
 * and the network's choices.
 * @throws as `train`
 */
export async function learningCurve(
  options: TrainOptions & RepeatOptions & { sizes?: number },
): Promise<{ points: CurvePoint[] } & About> {
  const { sizes = 5, repeats = 3, maxSeconds, onTraining, ...training } = options
  positiveInteger('learningCurve', 'sizes', sizes)
  const { data, plan, about } = await prepared(training, repeats, maxSeconds)
  const over = untilOver(training.signal, maxSeconds)
  const { parts, target, truthAt, problem } = data
  const all = parts.training
  const classOf = target.task === 'class' && truthAt ? truthAt : () => 0
  const counts = Array.from({ length: sizes }, (_, i) => Math.round(all.length / 2 ** (sizes - 1 - i)))
  const wanted = counts.filter(count => count >= leastRows)
  const measured = wanted.map(() => [] as Measurement[])
  let done = 0
  for (let n = 0; n < repeats; n++) {
    const seed = derive(training.seed ?? 7, n)
    // Windows of a text overlap: less of it is its beginning.
    const order = problem.isText ? all : nestedOrder(all, classOf, seed)
    for (const [i, count] of wanted.entries()) {
      const ground = data.ground({ training: order.slice(0, count).sort(), validation: parts.validation })
      const found = await measure(ground, { plan }, seed, { ...training, signal: over })
      if (over.aborted) break
      measured[i]!.push(found)
      onTraining?.(++done, repeats * wanted.length, `${count} ${about.unit}`, found)
    }
  }
  const points = wanted.map((rows, i) => ({ rows, seeds: measured[i]! }))
  return { points: points.filter(({ seeds }) => seeds.length > 0), ...about }
}

type AnyPlan = Partial<Plan & ImagePlan & TextPlan>

/** So many times as many units, or filters, of each layer. */
const times = (factor: number, sizes: readonly number[]) =>
  sizes.map(size => Math.max(1, Math.round(factor * size)))

/** Layers, filters or blocks that are so many times as large, of dense layers the square. */
function sized({ hidden = [], filters, blocks, width }: AnyPlan, factor: number): AnyPlan {
  if (blocks) return { blocks: times(factor, [blocks])[0]!, width: 32 * times(factor / 32, [width!])[0]! }
  return { hidden: times(factor ** 2, hidden), ...(filters && { filters: times(factor, filters) }) }
}

/** What each variant changes in a network that does nothing against overfitting. */
const variants: Readonly<Record<string, (plan: AnyPlan) => Omit<Manner, 'plan'> & { plan?: AnyPlan }>> = {
  dropout: () => ({ plan: { dropout: 0.3 } }),
  l2: () => ({ plan: { l2: 0.01 } }),
  'weight-decay': () => ({ plan: { weightDecay: 0.3 } }),
  augmentation: ({ augment }) => ({ plan: augment === undefined ? { noise: 0.2 } : { augment: true } }),
  smaller: plan => ({ plan: sized(plan, 1 / 2) }),
  larger: plan => ({ plan: sized(plan, 2) }),
  ensemble: () => ({ networks: 5 }),
  'no-stopping': () => ({ toTheEnd: true }),
}

/** The variants of a plan; of a network of a file only those of what the file leaves open. */
function mannersOf(plain: ChosenPlan): Map<string, Manner> {
  const all = Object.entries(variants).map(([name, of]) => ({ name, ...of(plain) }))
  const isText = plain.steps !== undefined
  const open = all.filter(
    ({ plan = {}, networks }) => Object.keys(plan).every(option => option in plain) && !(isText && networks),
  )
  return new Map(open.map(({ name, plan, ...rest }) => [name, { ...rest, plan: { ...plain, ...plan } }]))
}

/** What decides which variants there are. */
const openIn = ({ model, text }: TrainOptions) =>
  model === undefined
    ? `networks for ${text ? 'text' : 'images'} have`
    : `${basename(model)} does not decide itself`

/**
 * Trains a network that does nothing against overfitting but to stop early, the variants of it, and the standard one of
 * `train`.
 * @throws RangeError for an unknown variant; as `train`
 */
export async function compareVariants(
  options: TrainOptions & RepeatOptions & { variants: readonly string[] },
): Promise<{ results: VariantResult[] } & About> {
  const { variants: names, repeats = 3, maxSeconds, onTraining, ...training } = options
  for (const name of names)
    if (!Object.hasOwn(variants, name))
      throw new RangeError(
        `learningCurve: compare must name variants, got ${show(name)}; ${suggestion(name, Object.keys(variants))}`,
      )
  const { data, plan, about } = await prepared(training, repeats, maxSeconds)
  const over = untilOver(training.signal, maxSeconds)
  const nothing = { dropout: 0, l2: 0, weightDecay: 0, noise: 0, augment: false }
  const off = Object.entries(nothing).filter(([name]) => name in plan)
  const plain = { ...plan, ...Object.fromEntries(off) }
  const open = mannersOf(plain)
  const closed = names.find(name => !open.has(name))
  if (closed !== undefined)
    throw new RangeError(
      `learningCurve: compare must name what ${openIn(training)}, got ${show(closed)}; there are ${[...open.keys()].join(', ')}`,
    )
  const ground = data.ground()
  const manners: [string, Manner][] = [
    ['plain', { plan: plain }],
    ...names.map((name): [string, Manner] => [name, open.get(name)!]),
    ['standard', { plan }],
  ]
  const measured = manners.map(() => [] as Measurement[])
  let done = 0
  for (let n = 0; n < repeats; n++)
    for (const [i, [name, manner]] of manners.entries()) {
      const seed = derive(training.seed ?? 7, n)
      const found = await measure(ground, manner, seed, { ...training, signal: over })
      if (over.aborted) break
      measured[i]!.push(found)
      onTraining?.(++done, repeats * manners.length, name, found)
    }
  const results = manners.map(([name], i) => ({ name, seeds: measured[i]! }))
  return { results: results.filter(({ seeds }) => seeds.length > 0), ...about }
}
