import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { Control, controlBytes } from '../../src/runtime/control.ts'
import { Engine } from '../../src/runtime/engine.ts'
import { type Command, Servant } from '../../src/runtime/worker.ts'
import { type Case, prepare } from '../steps.ts'

const c: Case = {
  ...{ sizes: [8, 16, 3], loss: 'sparseCategoricalCrossentropy', optimizer: 'sgd' },
  ...{ leaves: 1, batchSize: 4, samples: 8 },
}

test('a worker whose memory has missed that it grew asks for it', () => {
  const { arena, kernels, module } = new Engine({ tier: 'simd128' })
  const { memory } = arena
  const small = memory.buffer
  const take = (bytes: number) => arena.allocateZeroed(bytes, 'the test').address
  const control = take(controlBytes(1))
  take(small.byteLength)
  expect(memory.buffer.byteLength).toBeGreaterThan(small.byteLength)
  let missed = true
  const stale = {
    get buffer() {
      return missed ? small : memory.buffer
    },
    grow(pages: number) {
      missed = false
      return memory.grow(pages)
    },
  } as WebAssembly.Memory
  const { plan, stateBytes } = prepare(c)
  const bases = {
    ...{ arena: take(plan.arenaBytes), state: take(stateBytes), run: take(plan.runBytes) },
    ...{ worker: take(plan.workerBytes), data: { x: take(4 * 8 * 8), y: take(4 * 8) } },
  }
  const steps = {
    ...{ from: 0, to: 2, batchSize: 4, count: 8, start: 0, stepsBefore: 0 },
    ...{ seed: [1, 2] as const, rates: take(8), slots: 0 },
  }
  const { port1, port2: port } = new MessageChannel()
  const commands: Command[] = [
    { kind: 'bind', id: 0, plan, bases },
    { kind: 'steps', id: 0, workers: 1, steps, prologue: true, timed: false },
    { kind: 'end' },
  ]
  for (const command of commands) port1.postMessage(command)
  const signals = new Control(memory, control, 1)
  signals.clearStop()
  signals.shares.divide(1)
  signals.announceCommand()
  const task = {
    kernels: module,
    memory: stale,
    control,
    port,
    rank: 0,
    workers: 1,
    spins: 1,
    balanced: false,
  }
  new Servant(task, kernels).serve()
  expect(receiveMessageOnPort(port1)).toMatchObject({ message: { rank: 0, next: 2 } })
  port1.close()
})
