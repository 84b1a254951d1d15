import { expect, test } from 'vitest'
import { type Call, type Cut, type Placement, type Storage, samples, slices } from '../src/graph/value.ts'
import { planMemory } from '../src/plan/memory.ts'
import { cutIntoPhases } from '../src/plan/phases.ts'

const [rows, workers] = [12, 3]

/** Numbers in [0, 1), the same for the same seed. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** Calls as of a small network: of the values that are read many are recent; some are read much later. */
function randomCalls(seed: number): Call[] {
  const draw = random(seed)
  const integer = (count: number) => Math.floor(draw() * count)
  const storage = (id: number, placement: Placement, bytes: number): Storage => ({
    ...{ id, placement, bytes, label: `${placement} ${id}`, offset: 0 },
  })
  const calls: Call[] = []
  const values = { batch: [storage(0, 'batch', 48)], shared: [storage(1, 'shared', 64)] }
  for (let i = 2; i < 40; i++) {
    const placement = draw() < 0.7 ? 'batch' : 'shared'
    const [cut, bytes]: [Cut, number] =
      placement === 'batch' ? [samples(), [48, 20, 64][integer(3)]!] : [slices(6), [384, 768][integer(2)]!]
    const own = storage(i, placement, bytes)
    const late = draw() < 0.3
    const pick = (list: readonly Storage[]) => list[late ? integer(list.length) : list.length - 1]!
    const reads = [pick(values.batch), pick(placement === 'batch' ? values.batch : values.shared)]
    const common = {
      stage: 'compute',
      group: 0,
      wholeRows: false,
      block: undefined,
      pass: 'forward',
    } as const
    calls.push({ ...common, kernel: own.label, cut, args: [], reads, writes: [own] })
    values[placement].push(own)
  }
  return calls
}

/** Bytes of a value that a worker touches in a call. */
function partOf({ cut }: Call, { placement, bytes }: Storage, worker: number): [number, number] {
  const whole = placement === 'batch' ? rows * bytes : bytes
  const isCut = (cut.axis === 'rows') === (placement === 'batch')
  return isCut ? [(whole * worker) / workers, (whole * (worker + 1)) / workers] : [0, whole]
}

test('no worker writes where another is, whatever the calls', () => {
  let together = 0
  for (let seed = 1; seed <= 300; seed++) {
    const phases = cutIntoPhases(randomCalls(seed))
    const { offsets } = planMemory(phases, rows, rows, [])
    for (const phase of phases) {
      const touched = phase.flatMap(call =>
        [...call.reads, ...call.writes].flatMap(storage =>
          [0, 1, 2].map(worker => {
            const [from, to] = partOf(call, storage, worker).map(bytes => offsets.get(storage)! + bytes)
            return { worker, storage, from: from!, to: to!, writes: call.writes.includes(storage) }
          }),
        ),
      )
      for (const a of touched.filter(({ writes }) => writes))
        for (const b of touched) {
          if (a.storage === b.storage || a.from >= b.to || b.from >= a.to) continue
          expect([a.worker, a.storage.label], `seed ${seed}`).toEqual([b.worker, a.storage.label])
          together++
        }
    }
  }
  // Values do follow each other in one phase.
  expect(together).toBeGreaterThan(1000)
})
