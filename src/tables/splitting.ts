import { randomNumbers } from '../data/random.ts'
import { show } from '../errors.ts'

/** Numbers of the rows that are trained on, that decide when to stop, and that are only scored. */
export interface Parts {
  readonly training: Uint32Array
  readonly validation: Uint32Array
  readonly test: Uint32Array
}

/** The rows that are not for the test, in the order of the data. */
export const allButTest = ({ training, validation }: Parts): Uint32Array =>
  Uint32Array.from([...training, ...validation]).sort()

export interface Shares {
  readonly validation: number
  readonly test: number
}

function shuffled(rows: readonly number[], draw: () => number): number[] {
  const order = [...rows]
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1))
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  return order
}

/** Rows of each key, in the order in which the keys occur. */
function gather(rows: ArrayLike<number>, key: (row: number) => number): number[][] {
  const groups = new Map<number, number[]>()
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    const group = groups.get(key(row))
    if (group) group.push(row)
    else groups.set(key(row), [row])
  }
  return [...groups.values()]
}

function checked(parts: Record<keyof Parts, number[]>, { validation, test }: Shares): Parts {
  const sizes = [parts.training.length, parts.validation.length, parts.test.length]
  if (sizes[0]! < 2 || sizes[1] === 0 || (test > 0 && sizes[2] === 0))
    throw new RangeError(
      `train: the data must be enough for three parts (validation ${validation}, ` +
        `test ${test}), got ${sizes.join(', ')} rows; give more rows`,
    )
  const sorted = (rows: number[]) => Uint32Array.from(rows).sort()
  return { training: sorted(parts.training), validation: sorted(parts.validation), test: sorted(parts.test) }
}

/**
 * Splits rows at random, so that every class (`classOf`; one for all in regression) has its share in each part. A class of
 * a single row is trained on.
 */
export function splitStratified(
  rows: ArrayLike<number>,
  classOf: (row: number) => number,
  shares: Shares,
  seed: number,
): Parts {
  const draw = randomNumbers(seed)
  const parts: Record<keyof Parts, number[]> = { training: [], validation: [], test: [] }
  // What rounding leaves over is carried to the next class: the parts have their sizes, however small classes are.
  let [owedTest, owedValidation] = [0, 0]
  for (const group of gather(rows, classOf)) {
    const order = shuffled(group, draw)
    const take = (owed: number) => Math.max(0, Math.min(Math.round(owed), order.length - 1))
    owedTest += shares.test * group.length
    const test = order.splice(0, take(owedTest))
    owedValidation += shares.validation * group.length
    const validation = order.splice(0, take(owedValidation))
    owedTest -= test.length
    owedValidation -= validation.length
    for (const row of test) parts.test.push(row)
    for (const row of validation) parts.validation.push(row)
    for (const row of order) parts.training.push(row)
  }
  return checked(parts, shares)
}

/** Splits whole groups: no group has rows in two parts. */
export function splitGrouped(
  rows: ArrayLike<number>,
  groupOf: (row: number) => number,
  shares: Shares,
  seed: number,
): Parts {
  const groups = gather(rows, groupOf)
  if (groups.length < 3)
    throw new RangeError(
      `train: the group column must have at least 3 groups, got ${groups.length}; leave it out`,
    )
  const parts: Record<keyof Parts, number[]> = { training: [], validation: [], test: [] }
  const most = { test: shares.test * rows.length, validation: shares.validation * rows.length }
  for (const i of shuffled([...groups.keys()], randomNumbers(seed))) {
    const part =
      parts.test.length < most.test
        ? 'test'
        : parts.validation.length < most.validation
          ? 'validation'
          : 'training'
    for (const row of groups[i]!) parts[part].push(row)
  }
  return checked(parts, shares)
}

/** Splits by time: the latest rows are the test, those before them the validation. Rows of one time stay together. */
export function splitByTime(rows: ArrayLike<number>, timeOf: (row: number) => number, shares: Shares): Parts {
  const order = Array.from(rows).sort((a, b) => timeOf(a) - timeOf(b) || a - b)
  const cut = (share: number) => {
    let at = Math.round((1 - share) * order.length)
    while (at > 0 && at < order.length && timeOf(order[at]!) === timeOf(order[at - 1]!)) at--
    return at
  }
  const [second, first] = [cut(shares.test), cut(shares.test + shares.validation)]
  return checked(
    { training: order.slice(0, first), validation: order.slice(first, second), test: order.slice(second) },
    shares,
  )
}

/** @throws RangeError for shares that leave nothing to train on */
export function checkShares({ validation, test }: Shares): void {
  if (validation > 0 && test >= 0 && validation + test < 0.95) return
  throw new RangeError(
    `train: validation must be above 0, test at least 0, and both together ` +
      `below 0.95, got ${show([validation, test])}; try 0.15 and 0.15`,
  )
}
