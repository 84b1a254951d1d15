import { describe, expect, test, vi } from 'vitest'
import type { Call, Storage } from '../src/graph/value.ts'
import * as ls from '../src/index.ts'
import type { Layer } from '../src/layers/define.ts'
import { Claims } from '../src/model/claims.ts'
import { recordStep } from '../src/model/record.ts'
import { Stage } from '../src/model/stage.ts'
import { leafBegin, type Place, type Plan, type PlanCall } from '../src/plan/plan.ts'
import { shardOf } from '../src/runtime/binding.ts'
import { equalBounds } from '../src/runtime/shares.ts'
import type { Optimizer } from '../src/training/optimizer.ts'
import { trainInTurns } from './inTurns.ts'

/** The calls of the plans that are made, phase by phase, with what each reads and writes. */
const made: Call[][][] = vi.hoisted(() => [])
vi.mock('../src/plan/phases.ts', async importOriginal => {
  const original = await importOriginal<typeof import('../src/plan/phases.ts')>()
  return {
    ...original,
    cutIntoPhases(calls: readonly Call[]): Call[][] {
      made.push(original.cutIntoPhases(calls))
      return made.at(-1)!
    },
  }
})

const { activation, batchNormalization, conv2d, dense, dropout, flatten, maxPooling2d } = ls.layers
const { gru, reshape, timeDistributed } = ls.layers
const [workers, rows] = [64, 96]

interface Network {
  layers(): (Layer | ls.Sequential)[]
  leaves?: number
  accumulate?: boolean
  metrics?: 'accuracy'
  optimizer?: () => Optimizer
}

const wide = (rate = 0) => [
  dense({ units: 70, activation: 'relu', inputShape: [64] }),
  ...(rate > 0 ? [dropout({ rate })] : []),
  dense({ units: 40, activation: 'tanh' }),
  dense({ units: 3, activation: 'softmax' }),
]
const images = () => [
  conv2d({ filters: 5, kernelSize: 3, padding: 'same', inputShape: [8, 8, 1], kernelRegularizer: 'l1l2' }),
  batchNormalization({}),
  activation({ activation: 'relu' }),
  maxPooling2d({}),
  conv2d({ filters: 17, kernelSize: 3, strides: 2, activation: 'tanh' }),
  batchNormalization({}),
  flatten({}),
  dropout({ rate: 0.25 }),
  dense({ units: 3, activation: 'softmax' }),
]
const steps = (norm = true) => [
  reshape({ targetShape: [8, 4, 2], inputShape: [64] }),
  timeDistributed({ layer: gru({ units: 5, recurrentActivation: 'sigmoid', recurrentDropout: 0.2 }) }),
  ...(norm ? [timeDistributed({ layer: batchNormalization({}) })] : []),
  timeDistributed({ layer: dropout({ rate: 0.25 }) }),
  flatten({}),
  dense({ units: 3, activation: 'softmax' }),
]
const block = (width: number, ...layers: Layer[]) => {
  const first = dense({ units: width, activation: 'gelu', inputShape: [width] })
  return ls.sequential({
    layers: [first, ...layers, dense({ units: width, activation: 'tanh' })],
    recompute: true,
  })
}
const blocks = (norm = true) => [
  dense({ units: 40, inputShape: [64] }),
  block(40, dropout({ rate: 0.3 })),
  block(
    40,
    ...(norm ? [batchNormalization({})] : []),
    dense({ units: 70, recompute: true, activation: 'swish' }),
  ),
  block(40, dense({ units: 20, activation: 'relu' })),
  dense({ units: 3, activation: 'softmax' }),
]
const clipped = () => ls.train.adam({ learningRate: 0.01, globalClipNorm: 0.1 })
const networks: Record<string, Network> = {
  dense: { layers: () => wide() },
  'dense with accuracy and clipping': { layers: () => wide(), metrics: 'accuracy', optimizer: clipped },
  dropout: { layers: () => wide(0.3) },
  'four leaves': { layers: () => wide(0.3), leaves: 4, optimizer: clipped },
  'four leaves, one at a time': { layers: () => wide(0.3), leaves: 4, accumulate: true },
  CNN: { layers: images, metrics: 'accuracy', optimizer: clipped },
  'steps of sequences': { layers: () => steps(), metrics: 'accuracy', optimizer: clipped },
  'steps of sequences, four leaves, one at a time': {
    layers: () => steps(false),
    leaves: 4,
    accumulate: true,
  },
  'blocks that are computed again': { layers: () => blocks(), metrics: 'accuracy', optimizer: clipped },
  'blocks that are computed again, four leaves': { layers: () => blocks(), leaves: 4 },
  'blocks that are computed again, four leaves, one at a time': {
    layers: () => blocks(false),
    leaves: 4,
    accumulate: true,
  },
  'CNN, four leaves': { layers: images, leaves: 4 },
}

interface Recorded {
  plan: Plan
  phases: Call[][]
  model: ls.Sequential
  stage: Stage
  claims: Claims
}

/** A training step as a model records it, with the graph behind it; memory for 64 workers. */
function record({ layers, leaves = 1, accumulate = false, metrics, optimizer }: Network): Recorded {
  const model = ls.sequential({ seed: 3, layers: layers() })
  model.compile({
    optimizer: optimizer?.() ?? ls.train.sgd(0.1),
    loss: 'sparseCategoricalCrossentropy',
    metrics: metrics ?? [],
    leaves,
  })
  const plain = (shape: readonly number[]) => ({ bytes: false, scale: 1, shape })
  const sources = { kinds: { x0: plain(model.inputShapes[0] as number[]), y0: plain([1]) }, ordered: false }
  made.length = 0
  const recorded = recordStep(model, model.compiled, { mode: 'train', rows, sources, accumulate })
  const claims = new Claims(model.engine.arena)
  const stage = new Stage(claims, recorded, workers)
  return { plan: recorded.plan, phases: made[0]!, model, stage, claims }
}

function release({ model, claims }: Recorded): void {
  claims.free()
  model.dispose()
}

interface Range {
  rank: number
  base: string
  begin: number
  end: number
  writes: boolean
  storage: Storage
}

/** Bytes of a storage that a worker touches in a call: its part, where both cut and storage have parts. */
function partOf(
  call: Call,
  planCall: PlanCall,
  storage: Storage,
  plan: Plan,
  rank: number,
  of: number,
): [number, number] {
  const { cut } = call
  const { bytes, placement } = storage
  const [begin, end] = shardOf(plan, planCall, rank, equalBounds(of), rows)
  if (cut.axis === 'rows' && placement === 'batch') {
    const first = storage.leaf === undefined ? 0 : leafBegin(rows, storage.leaf, plan.cells.spans.length)
    return [(begin / cut.unit - first) * bytes, (end / cut.unit - first) * bytes]
  }
  if (cut.axis === 'slices' && placement !== 'batch')
    return [(bytes * begin) / cut.count, (bytes * end) / cut.count]
  // Sums over fixed chunks of samples, one behind the other.
  const chunked = Math.ceil(rows / plan.grain) * plan.grain
  if (cut.axis === 'rows' && placement === 'shared' && call.writes.includes(storage))
    return [(bytes * begin) / cut.unit / chunked, (bytes * end) / cut.unit / chunked]
  const most = storage.leaf === undefined ? rows : Math.ceil(rows / plan.cells.spans.length)
  return [0, begin === end ? 0 : placement === 'batch' ? bytes * most : bytes]
}

/** What a worker touches in a call; data is only read, scratch and cells are a worker's own. */
function touched(call: Call, planCall: PlanCall, plan: Plan, rank: number, of: number): Range[] {
  const [begin, end] = shardOf(plan, planCall, rank, equalBounds(of), rows)
  if (begin === end) return []
  return call.args.flatMap((storage, i): Range[] => {
    if (typeof storage === 'number' || storage.placement === 'data' || storage.placement === 'worker')
      return []
    const { base, offset } = planCall.args[i] as Place
    const [from, to] = partOf(call, planCall, storage, plan, rank, of)
    const range = { rank, base, begin: offset + from, end: offset + to, storage }
    return [{ ...range, writes: call.writes.includes(storage) }]
  })
}

const clash = (a: Range, b: Range): boolean =>
  a.rank !== b.rank && (a.writes || b.writes) && a.base === b.base && a.begin < b.end && b.begin < a.end

/** Pairs of ranges of different workers that overlap where one writes. */
function clashes(ranges: Range[]): string[] {
  const sorted = ranges.filter(range => range.begin < range.end).sort((a, b) => a.begin - b.begin)
  return sorted.flatMap((a, i) => {
    const found: string[] = []
    for (let j = i + 1; j < sorted.length && sorted[j]!.begin < a.end; j++) {
      if (clash(a, sorted[j]!))
        found.push(`${a.storage.label} (${a.rank}), ${sorted[j]!.storage.label} (${sorted[j]!.rank})`)
    }
    return found
  })
}

/** What all workers touch in a call. */
function touchedByAll(call: Call, planCall: PlanCall, plan: Plan): Range[] {
  return Array.from({ length: workers }, (_, rank) => touched(call, planCall, plan, rank, workers)).flat()
}

const pairs = ({ phases, plan }: Recorded): [Call, PlanCall][][] =>
  phases.map((calls, p) => calls.map((call, c) => [call, plan.phases[p]![c]!]))

const kernelsOf = (phases: readonly (readonly { kernel: string }[])[]): string[][] =>
  phases.map(phase => phase.map(call => call.kernel))

describe.each(Object.entries(networks))('the plan of %s', (_, network) => {
  test('has no worker touch what another writes between two barriers', () => {
    const recorded = record(network)
    const { phases, plan } = recorded
    expect(kernelsOf(plan.phases)).toEqual(kernelsOf(phases))
    for (const phase of pairs(recorded)) {
      const ranges = phase.flatMap(([call, planCall]) => touchedByAll(call, planCall, plan))
      expect([...new Set(clashes(ranges))]).toEqual([])
    }
    release(recorded)
  })

  // Each word remembers which value was written to it last.
  test('keeps every value until its last reader has read it', () => {
    const recorded = record(network)
    const { plan } = recorded
    const owner = new Int32Array(plan.arenaBytes / 4).fill(-1)
    const written = new Set<Storage>()
    for (const [call, planCall] of pairs(recorded).flat()) {
      const ranges = touched(call, planCall, plan, 0, 1).filter(({ base }) => base === 'arena')
      const ofRange = ({ begin, end }: Range) => owner.subarray(begin / 4, end / 4)
      // What is updated need not have been written whole before.
      const isRead = ({ storage, writes }: Range) =>
        call.reads.includes(storage) && (!writes || written.has(storage))
      for (const range of ranges.filter(isRead))
        expect([call.kernel, new Set(ofRange(range))]).toEqual([call.kernel, new Set([range.storage.id])])
      for (const range of ranges.filter(({ writes }) => writes)) {
        ofRange(range).fill(range.storage.id)
        written.add(range.storage)
      }
    }
    release(recorded)
  })

  test('gives the bits of one worker to 64 and 7 that run in any order', () => {
    const recorded = record(network)
    const one = trainInTurns(recorded, 1, 1)
    expect(one.every(Number.isFinite)).toBe(true)
    for (const [count, seed] of [
      [64, 1],
      [64, 2],
      [7, 3],
    ] as const) {
      expect(Buffer.from(trainInTurns(recorded, count, seed).buffer).equals(Buffer.from(one.buffer))).toBe(
        true,
      )
    }
    release(recorded)
  })
})

/** The plan, with every call that is cut by samples going `pace` samples at a time. */
function atPace(plan: Plan, pace: number): Plan {
  const phases = plan.phases.map(phase =>
    phase.map((call): PlanCall => (call.cut.axis === 'rows' ? { ...call, pace } : call)),
  )
  return { ...plan, phases }
}

describe('the pace of calls', () => {
  test.each(Object.entries(networks))('changes no bit: %s', (_, network) => {
    const recorded = record(network)
    const { plan } = recorded
    const whole = Buffer.from(trainInTurns({ ...recorded, plan: atPace(plan, 1 << 20) }, 1, 1).buffer)
    for (const [times, count] of [
      [1, 1],
      [5, 1],
      [1, 7],
    ] as const) {
      const trained = trainInTurns({ ...recorded, plan: atPace(plan, times * plan.grain) }, count, 1)
      expect(Buffer.from(trained.buffer).equals(whole)).toBe(true)
    }
    release(recorded)
  })

  test('keeps what many samples leave in the cache, where several fit', () => {
    const pacesOf = (layers: () => Layer[]) => {
      const recorded = record({ layers })
      release(recorded)
      return [...new Set(recorded.plan.phases.flat().map(({ pace }) => pace))]
    }
    const sequence = (units: number) => () => [
      ls.layers.repeatVector({ n: 32, inputShape: [64] }),
      ls.layers.lstm({ units }),
      dense({ units: 3, activation: 'softmax' }),
    ]
    expect(pacesOf(() => wide())).toEqual([undefined])
    const [pace, ...others] = pacesOf(sequence(64))
    expect(pace).toBeGreaterThanOrEqual(4)
    expect(pace).toBeLessThan(rows)
    expect(others).toEqual([undefined])
    expect(pacesOf(sequence(700))).toEqual([undefined])
  })
})

describe('the plan of a dense network', () => {
  test('has two phases, and no call that could come a phase earlier', () => {
    const recorded = record(networks.dense!)
    const [first, second] = pairs(recorded)
    expect(recorded.phases.length).toBe(2)
    const late = new Set<Call>()
    for (const [call, planCall] of second!) {
      const mine = touchedByAll(call, planCall, recorded.plan)
      const blocked = first!.some(([other, otherCall]) => {
        const its = touchedByAll(other, otherCall, recorded.plan)
        return (
          (call.stage === 'update' && other.kernel === 'checkFinite') ||
          mine.some(a => its.some(b => a.storage === b.storage && clash(a, b)))
        )
      })
      const behind = [...late].some(other =>
        other.writes.some(storage => call.reads.includes(storage) || call.writes.includes(storage)),
      )
      expect([call.kernel, blocked || behind]).toEqual([call.kernel, true])
      late.add(call)
    }
    release(recorded)
  })

  test('leaves out the softmax where only the loss, which takes logits, would read it', () => {
    const hasSoftmax = (network: Network) => {
      const recorded = record(network)
      release(recorded)
      return kernelsOf(recorded.plan.phases).flat().includes('softmax')
    }
    expect(hasSoftmax(networks.dense!)).toBe(false)
    const layers = () => [...wide(), dense({ units: 3 })]
    expect(hasSoftmax({ layers })).toBe(true)
  })

  test('uses memory again', () => {
    const recorded = record({
      layers: () => [
        ...Array.from({ length: 6 }, () => dense({ units: 64, activation: 'relu', inputShape: [64] })),
        dense({ units: 3, activation: 'softmax' }),
      ],
    })
    const storages = new Set(recorded.phases.flat().flatMap(call => [...call.reads, ...call.writes]))
    const bytes = [...storages].map(({ placement, bytes: each }) =>
      placement === 'batch' ? each * rows : placement === 'shared' ? each : 0,
    )
    expect(recorded.plan.arenaBytes).toBeLessThan(0.8 * bytes.reduce((a, b) => a + b))
    release(recorded)
  })
})
