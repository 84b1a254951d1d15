import { basename } from 'node:path'
import { show, suggestion } from '../errors.ts'
import type { Choice, Parameter, Space } from '../tune/tune.ts'
import type { ChosenPlan } from './choosing.ts'
import type { ImagePlan } from './imageNetworks.ts'
import type { Plan } from './networks.ts'
import type { TrainConfiguration } from './options.ts'

/** Filters of the first convolution, and of each after it, as many times as many. */
const widening = [1, 2, 4]

/** What may be searched, around what would be chosen without a search. */
function parametersFor({ batchSize, learningRate, filters, ...of }: ChosenPlan): Record<string, Parameter> {
  // Larger ones would learn more in as many steps, which would take longer.
  if (of.steps !== undefined)
    return {
      learningRate: { float: [1e-4, 0.02], log: true },
      dropout: { float: [0, 0.3] },
      ...((of.blocks as number) > 1 && { blocks: { int: [1, of.blocks as number] } }),
      ...((of.width as number) > 32 && { width: { int: [32, of.width as number], step: 32 } }),
    }
  // Convolutions need fewer layers after them.
  const most = filters ? 2 : 4
  const deep = { depth: Array.from({ length: most }, (_, i) => i + 1) }
  return {
    learningRate: { float: [1e-4, 0.1], log: true },
    // A network that is compiled has its own rate, which may fall, but not along a cosine.
    schedule: {
      choice: learningRate === undefined ? ['plateau', 'constant'] : ['plateau', 'cosine', 'constant'],
    },
    optimizer: { choice: ['adam', 'momentum'] },
    depth: { int: [0, most] },
    width: { int: [8, 512], log: true, when: deep },
    dropout: { float: [0, 0.5], when: deep },
    filters: { int: [8, 64], log: true },
    augment: { choice: [false, true] },
    weightDecay: { float: [1e-4, 1], log: true },
    noise: { float: [0, 0.3] },
    batchSize: { choice: [batchSize / 2, batchSize, 2 * batchSize, 4 * batchSize] },
  }
}

/** The option of a plan that a parameter stands for. */
const optionOf = (name: string, plan: ChosenPlan): keyof Plan =>
  !(name in plan) && (name === 'depth' || name === 'width') ? 'hidden' : (name as keyof Plan)

/**
 * The space of all that is not given, or of `search` alone.
 * @throws RangeError for what cannot be searched, or is given too
 */
export function spaceOf(options: TrainConfiguration, plan: ChosenPlan, search?: readonly string[]): Space {
  const parameters = parametersFor(plan)
  const all = Object.keys(parameters)
  const known = all.filter(name => optionOf(name, plan) in plan)
  for (const name of search ?? []) {
    if (options.model !== undefined && all.includes(name) && !known.includes(name))
      throw new RangeError(
        `tune: search must name what ${basename(options.model)} does not decide itself, got ${show(name)}; ` +
          `there are ${known.join(', ')}`,
      )
    if (!known.includes(name))
      throw new RangeError(`tune: search must name parameters, got ${show(name)}; ${suggestion(name, known)}`)
    if (options[optionOf(name, plan)] !== undefined)
      throw new RangeError(
        `tune: ${optionOf(name, plan)} must be given or searched, got both; leave one of them out`,
      )
  }
  const wanted = search ?? known.filter(name => options[optionOf(name, plan)] === undefined)
  const entries = Object.entries(parameters).flatMap(([name, { when, ...rest }]) => {
    if (!wanted.includes(name)) return []
    // The condition falls where the depth is not searched.
    return [[name, when && wanted.includes('depth') ? { ...rest, when } : rest] as [string, Parameter]]
  })
  if (entries.length === 0)
    throw new RangeError('tune: search must name a parameter, got none; leave an option out')
  return Object.fromEntries(entries)
}

/** The plan of a trial; each dense layer has half the units of the one before. */
export function planAt(parameters: Readonly<Record<string, Choice>>, chosen: ChosenPlan): ChosenPlan {
  const { depth, width, filters, ...rest } = parameters
  if (chosen.hidden === undefined) return { ...chosen, ...parameters }
  const plan = chosen as unknown as Plan & Partial<ImagePlan>
  const layers = depth === undefined ? (width === undefined ? 0 : plan.hidden.length) : Number(depth)
  const units = width === undefined ? (plan.hidden[0] ?? 0) : Number(width)
  const isSearched = depth !== undefined || width !== undefined
  const hidden = isSearched
    ? Array.from({ length: layers }, (_, i) => Math.max(1, Math.round(units / 2 ** i)))
    : plan.hidden
  return {
    ...plan,
    // Both take the weights towards 0; the one that is searched is the only one.
    ...('weightDecay' in parameters && 'l2' in plan && { l2: 0 }),
    ...(filters !== undefined && {
      filters: plan.filters!.map((_, i) => Number(filters) * (widening[i] ?? widening.at(-1)!)),
    }),
    ...rest,
    hidden,
  }
}
