import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { Control, RunAborted } from '../src/runtime/control.ts'
import { Engine } from '../src/runtime/engine.ts'
import type { Steps } from '../src/runtime/stepper.ts'
import type { Passing } from './barrierThread.ts'
import { type Case, prepare } from './steps.ts'

afterEach(() => vi.restoreAllMocks())

const [controlAt, countersAt] = [1024, 32768]
const threadFile = new URL('./barrierThread.ts', import.meta.url)

/** Threads that pass `rounds` barriers, all or the first of them; `over` resolves when they have ended. */
function startThreads(workers: number, rounds: number, spins: number, started = workers) {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  const control = new Control(memory, controlAt, workers)
  const counters = new Int32Array(memory.buffer, countersAt, 16 * (workers + 1))
  const shared = { memory, control: controlAt, counters: countersAt, workers, rounds, spins }
  const threads = Array.from({ length: started }, (_, rank) => {
    const workerData: Passing = { ...shared, rank }
    return new Worker(threadFile, { workerData })
  })
  return { control, counters, over: Promise.all(threads.map(thread => once(thread, 'exit'))) }
}

describe('a barrier', () => {
  test.each([
    { workers: 4, spins: 50, rounds: 10_000 },
    { workers: 2, spins: 1000, rounds: 10_000 },
    { workers: 3, spins: 0, rounds: 2000 },
  ])('lets none of $workers threads pass early, with $spins spins', async ({ workers, spins, rounds }) => {
    const { counters, over } = startThreads(workers, rounds, spins)
    await over
    const lines = Array.from({ length: workers + 1 }, (_, line) => counters[16 * line])
    expect(lines).toEqual([...Array(workers).fill(rounds), 0])
  })

  // A thread that would sleep throws instead and is called again later: arriving twice does no harm.
  test.each([1, 2, 3, 5, 64])(
    'of %i simulated workers opens when all have arrived, in any order',
    workers => {
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
      const control = new Control(memory, controlAt, workers)
      vi.spyOn(Atomics, 'wait').mockImplementation(() => {
        throw new Error('asleep')
      })
      const rounds = 20
      const passed = new Array<number>(workers).fill(0)
      const arrived = new Array<number>(workers).fill(0)
      let random = 1
      while (Math.min(...passed) < rounds) {
        random = (Math.imul(random, 1664525) + 1013904223) >>> 0
        const rank = Math.floor((random / 2 ** 32) * workers)
        if (passed[rank] === rounds) continue
        arrived[rank] = passed[rank]! + 1
        try {
          control.barrier(rank, workers, passed[rank]!, 0)
        } catch (error) {
          expect((error as Error).message).toBe('asleep')
          continue
        }
        passed[rank]!++
        expect(Math.min(...arrived)).toBeGreaterThanOrEqual(passed[rank]!)
      }
      expect(control.generation).toBe(rounds)
    },
  )
})

describe('an abort', () => {
  test('keeps its first cause, but that a fault gives way to the others', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
    const control = new Control(memory, controlAt, 4)
    expect(control.aborted).toBe(undefined)
    control.raiseFault(2, 7)
    control.raiseFault(1, 8)
    expect(control.aborted).toEqual({ kind: 'fault', rank: 2 })
    expect(control.faultOf(2)).toBe(7)
    expect(() => control.barrier(0, 4, 0, 0)).toThrow(RunAborted)
    control.abort('worker', 1)
    control.abort('main', 0)
    expect(control.aborted).toEqual({ kind: 'worker', rank: 1 })
  })

  test('for a fault can be forgotten, whoever had arrived at the barrier', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
    const control = new Control(memory, controlAt, 3)
    control.raiseFault(1, 7)
    expect(() => control.barrier(1, 3, 0, 0)).toThrow(RunAborted)
    control.announceCommand()
    expect(control.awaitCommand(0, 0)).toBe(1)
    control.forgetFault()
    expect(control.aborted).toBe(undefined)
    // Rank 1 has not arrived at the next one.
    vi.spyOn(Atomics, 'wait').mockImplementation(() => {
      throw new Error('asleep')
    })
    expect(() => control.barrier(0, 3, control.generation, 0)).toThrow('asleep')
  })

  // Without the notification they would see it too, but only when their slice of 100 ms is over.
  test('wakes those who sleep at a barrier', async () => {
    const woken: number[] = []
    for (let attempt = 0; attempt < 5 && woken.at(-1) !== 3; attempt++) {
      const { control, counters, over } = startThreads(4, 1, 0, 3)
      while ([0, 1, 2].some(rank => counters[16 * rank] === 0)) await sleep(1)
      await sleep(20)
      const notify = vi.spyOn(Atomics, 'notify')
      control.abort('main', 0)
      woken.push(notify.mock.results.reduce((sum, { value }) => sum + (value as number), 0))
      vi.restoreAllMocks()
      await over
    }
    expect(woken.at(-1)).toBe(3)
  })
})

describe('a request to stop', () => {
  const engine = new Engine()
  afterAll(() => engine.close())
  const c: Case = {
    sizes: [8, 16, 3],
    loss: 'sparseCategoricalCrossentropy',
    optimizer: 'sgd',
    leaves: 1,
    batchSize: 4,
    samples: 8,
  }

  test.each([1, 2, 3, 4])('is seen after the same batch by all of %i workers', async workers => {
    const { plan, stateBytes } = prepare(c)
    const { arena } = engine
    const bytes = [
      plan.arenaBytes,
      stateBytes,
      plan.runBytes,
      plan.workerBytes * workers,
      4 * 8 * 4,
      4 * 1_000_000,
    ]
    const blocks = bytes.map(size => arena.allocateZeroed(size, 'the test'))
    const [values, state, run, worker, data, rates] = blocks.map(block => block.address) as [
      ...[number, number, number, number, number, number],
    ]
    const bases = { arena: values, state, run, worker, data: { x: data, y: data } }
    const steps: Steps = {
      ...{ from: 0, to: 1_000_000, batchSize: 4, count: 4_000_000, start: 0 },
      // One slot, always full: each batch is the same.
      ...{ stepsBefore: 0, seed: [1, 2], rates, slots: 1 },
    }
    const outcomes = await engine.withRun(workers, 5000, async run => {
      const id = run.bind(plan, bases)
      run.announceFilled(steps.to)
      const reached: number[][] = []
      for (let i = 0; i < 60; i++) {
        const controller = new AbortController()
        setTimeout(() => controller.abort(), i % 3)
        const reports = await run.steps(id, steps, { prologue: i === 0, signal: controller.signal })
        reached.push([...new Set(reports.map(report => report.next))])
      }
      // A stop ends one command only.
      const [whole] = await run.steps(id, { ...steps, to: 7 }, { prologue: false })
      return { reached, last: whole!.next }
    })
    for (const block of blocks) arena.free(block)
    expect(outcomes.reached.map(set => set.length)).toEqual(Array(60).fill(1))
    expect(outcomes.reached.every(([next]) => next! < 1_000_000)).toBe(true)
    expect(outcomes.last).toBe(7)
  })
})
