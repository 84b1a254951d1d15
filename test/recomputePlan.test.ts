import { describe, expect, test } from 'vitest'
import { type Block, type Call, type Placement, type Storage, samples } from '../src/graph/value.ts'
import * as ls from '../src/index.ts'
import { recordStep } from '../src/model/record.ts'
import { recompute } from '../src/plan/recompute.ts'

const block: Block = { outer: undefined }
const inner: Block = { outer: block }

/** Values by their names; capital letters are no rows of samples. */
const storages = new Map<string, Storage>()
function storageOf(name: string): Storage {
  const placement: Placement = name === name.toLowerCase() ? 'batch' : 'shared'
  const known = storages.get(name) ?? { id: storages.size, placement, label: name, bytes: 4, offset: 0 }
  storages.set(name, known)
  return known
}

/** Written `reads > writes`; `forward` and `backward` of a block, or of none. */
function call(text: string, own?: Block, pass: Call['pass'] = 'forward'): Call {
  const [reads, writes] = text.split('>').map(names => [...names.trim()].map(storageOf)) as [
    Storage[],
    Storage[],
  ]
  const common = { kernel: text, cut: samples(), stage: 'compute', group: 3, wholeRows: true } as const
  return { ...common, args: [...reads, ...writes], reads, writes, block: own, pass }
}
const forward = (text: string, own = block) => call(text, own)
const backward = (text: string, own = block) => call(text, own, 'backward')

/** Calls in groups; what is not as it was recorded has a dash. */
function written(calls: readonly Call[]): string[] {
  const groups: string[][] = []
  for (const { reads, writes, group } of recompute(calls)) {
    const names = (list: readonly Storage[]) =>
      list
        .map(storage => (storage === storageOf(storage.label) ? storage.label : `${storage.label}'`))
        .join('')
    ;(groups[group - 3] ??= []).push(`${names(reads)} > ${names(writes)}`)
  }
  return groups.map(group => group.join(', '))
}

describe('a block', () => {
  test('is run again before its gradients, as far as they need it, on values of its own', () => {
    const calls = [
      call('> x'),
      forward('x > a'),
      forward('a > b'),
      forward('b > c'),
      call('c > d'),
      call('d > e'),
      call('e > f', undefined, 'backward'),
      backward('bf > g'),
      call('g > h', undefined, 'backward'),
    ]
    expect(written(calls)).toEqual([
      ' > x',
      'x > a, a > b, b > c, c > d, d > e, e > f',
      "x > a', a' > b'",
      "b'f > g, g > h",
    ])
    expect(recompute(calls).slice(0, 7)).toEqual(
      calls.slice(0, 7).map((each, i) => ({ ...each, group: i === 0 ? 3 : 4 })),
    )
  })

  test('is left as it is where no gradient comes, and so is all without blocks', () => {
    const calls = [call('> x'), forward('x > a'), call('ax > b', undefined, 'backward')]
    expect(recompute(calls)).toBe(calls)
  })

  test('keeps what others use just before its gradients, or later', () => {
    const others = (late: Call) => [call('> x'), forward('x > a'), forward('a > b'), backward('ab > c'), late]
    expect(written(others(call('c > d')))).toEqual([
      ' > x',
      'x > a, a > b',
      "x > a', a' > b'",
      "a'b' > c, c > d",
    ])
    expect(written(others(call('ca > d')))).toEqual([' > x', 'x > a, a > b', "a > b'", "ab' > c, ca > d"])
    const before = [call('> x'), forward('x > a'), forward('a > b'), call('b > d'), backward('abd > c')]
    expect(written(before)).toEqual([' > x', 'x > a, a > b, b > d', "x > a'", "a'bd > c"])
  })

  test('keeps what is no row of a sample, and what is made with it', () => {
    const calls = [call('> x'), forward('x > S'), forward('xS > a'), forward('a > Tb'), backward('abT > c')]
    expect(written(calls)).toEqual([' > x', 'x > S, xS > a, a > Tb', "xS > a'", "a'bT > c"])
  })

  test('keeps what is made of values that have changed since', () => {
    const calls = [call('> x'), forward('x > a'), forward('a > b'), call('x > x'), backward('ab > c')]
    expect(written(calls)).toEqual([' > x', 'x > a, a > b, x > x', "a > b'", "ab' > c"])
    const within = [call('> x'), forward('x > a'), forward('a > b'), forward('x > x'), backward('ab > c')]
    expect(written(within)).toEqual([' > x', 'x > a, a > b, x > x', "a > b'", "ab' > c"])
  })

  test('changes values again that are changed in place, and all that a call writes', () => {
    const calls = [
      call('> x'),
      forward('x > zy'),
      forward('z > z'),
      forward('z > w'),
      backward('z > z'),
      backward('zx > c'),
    ]
    expect(written(calls)).toEqual([' > x', 'x > zy, z > z, z > w', "x > z'y', z' > z'", "z' > z', z'x > c"])
  })

  test('within a block is run again when that has been', () => {
    const calls = [
      call('> x'),
      forward('x > a'),
      forward('a > b', inner),
      forward('b > c', inner),
      forward('c > d'),
      backward('d > e'),
      backward('bce > f', inner),
      backward('af > g'),
    ]
    expect(written(calls)).toEqual([
      ' > x',
      'x > a',
      'a > b, b > c, c > d',
      "x > a'",
      "a' > b', b' > c', c' > d'",
      "d' > e",
      "a' > b', b' > c'",
      "b'c'e > f, a'f > g",
    ])
  })
})

test('statistics of batchNormalization are made once, all else of a block at most twice', () => {
  const { batchNormalization, dense, dropout } = ls.layers
  const make = () =>
    ls.sequential({
      layers: [
        dense({ units: 6, activation: 'gelu', inputShape: [6] }),
        batchNormalization({}),
        dropout({ rate: 0.2 }),
        dense({ units: 6, activation: 'tanh' }),
        dense({ units: 6 }),
      ],
      recompute: true,
    })
  const model = ls.sequential({ layers: [make(), make(), dense({ units: 1 })] })
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  const plain = (shape: readonly number[]) => ({ bytes: false, scale: 1, shape })
  const sources = { kinds: { x0: plain([6]), y0: plain([1]) }, ordered: false }
  const [kept, again] = (['none', 'asked'] as const).map(recompute => {
    const { plan } = recordStep(model, model.compiled, { mode: 'train', rows: 32, sources, recompute })
    const counts: Record<string, number> = {}
    for (const { kernel } of plan.phases.flat()) counts[kernel] = (counts[kernel] ?? 0) + 1
    return counts
  })
  const more = Object.entries(again!).map(([kernel, count]) => [kernel, count - kept![kernel]!] as const)
  expect(Object.fromEntries(more.filter(([, count]) => count > 0))).toEqual({
    product: 4,
    geluWithSlope: 2,
    normalize: 2,
    dropout: 2,
    tanh: 2,
  })
  model.dispose()
})
