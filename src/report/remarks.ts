import { bestEpochOf, curveOf, workersOf } from './curves.ts'
import type { Remark, TrainingSummary } from './report.ts'
import { figure, percent } from './scales.ts'

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const look = (text: string): Remark => ({ kind: 'look', text })
const good = (text: string): Remark => ({ kind: 'good', text })

/** A curve as rules see it: the values from the first epoch to the last, the best one's place among them. */
interface Losses {
  readonly training: readonly number[]
  readonly validation: readonly number[]
  /** Counted from 0. */
  readonly best: number
  readonly number: (i: number) => number
}

function rise({ training, validation, best, number }: Losses): Remark | undefined {
  const last = validation.length - 1
  const [least, end] = [validation[best]!, mean(validation.slice(-3))]
  if (last - best < 3 || end < 1.05 * least || training[last]! > training[best]!) return undefined
  return look(
    `Validation loss rose from ${figure(least)} at epoch ${number(best)} to ${figure(end)} at the end, while training ` +
      `loss fell from ${figure(training[best])} to ${figure(training[last])}: from there on it learned its rows by heart. ` +
      `Fewer epochs would do; more --dropout or --l2, less --hidden, or more rows would move the best epoch further.`,
  )
}

function gap({ training, validation, best, number }: Losses): Remark | undefined {
  const [trained, held] = [training[best]!, validation[best]!]
  if (!(trained > 0) || held < 1.5 * trained)
    return trained > 0 && held < 1.15 * trained
      ? good(
          `At the best epoch (${number(best)}) validation loss (${figure(held)}) is close to training loss ` +
            `(${figure(trained)}): no sign of overfitting. A larger network may still learn more.`,
        )
      : undefined
  return look(
    `At the best epoch (${number(best)}) validation loss (${figure(held)}) is ${figure(held / trained)} times the training ` +
      `loss (${figure(trained)}): what was learned does not all carry over. Try more --dropout or --l2, or more rows.`,
  )
}

function unfinished({ validation, best, number }: Losses, planned: number): Remark | undefined {
  const last = validation.length - 1
  if (number(last) < planned || last < 5 || best < last - 1) return undefined
  const before = validation[Math.floor(0.8 * last)]!
  const share = (before - validation[best]!) / Math.abs(before)
  if (share < 0.01) return undefined
  return look(
    `Validation loss still fell at the last epoch, by ${percent(share)} over the last fifth of the epochs: training was ` +
      `not done. Give more --epochs, or a higher --learning-rate.`,
  )
}

function plateau({ training, validation }: Losses): Remark | undefined {
  const half = Math.floor(validation.length / 2)
  if (half < 5) return undefined
  const [early, late] = [training[half]!, training.at(-1)!]
  const share = (early - late) / Math.abs(early)
  if (share > 0.01) return undefined
  const change = share < 0 ? `rose by ${percent(-share)}` : `fell by ${percent(share)}`
  return look(
    `Training loss ${change} in the second half of the epochs (${figure(early)} to ${figure(late)}): it stands still. ` +
      `If the score does not suffice, try other --hidden sizes, another --learning-rate, or less --l2.`,
  )
}

function noise({ validation }: Losses): Remark | undefined {
  const late = validation.slice(Math.floor(validation.length / 2))
  if (late.length < 6) return undefined
  const jump = mean(late.slice(1).map((value, i) => Math.abs(value - late[i]!)))
  const share = jump / Math.abs(mean(late))
  if (share < 0.1) return undefined
  return look(
    `In the second half of the epochs validation loss jumped by ${percent(share, 0)} from one epoch to the next, on average: ` +
      `a lower --learning-rate, a larger --batch-size or a larger --validation part would steady it.`,
  )
}

function gradients({ epochs }: TrainingSummary): Remark | undefined {
  const norms = curveOf(epochs, 'gradientNorm')
    .map(([, norm]) => norm)
    .filter(Number.isFinite)
  if (norms.length < 5) return undefined
  const middle = norms.toSorted((a, b) => a - b)[Math.floor(norms.length / 2)]!
  // Gradients are large before anything is learned.
  const settled = norms.findIndex(norm => norm <= middle)
  const most = norms.slice(settled).reduce((largest, norm) => Math.max(largest, norm), 0)
  if (!(most > 10 * middle)) return undefined
  return look(
    `The norm of gradients came to ${figure(most)}, ${figure(most / middle)} times its median: steps of that size undo ` +
      `what was learned. Lower --learning-rate.`,
  )
}

function barriers({ epochs }: TrainingSummary): Remark | undefined {
  if (workersOf(epochs) < 2) return undefined
  const shares = epochs.flatMap(({ pace }) =>
    pace && pace.barrierShares.length > 0 ? [mean(pace.barrierShares)] : [],
  )
  if (shares.length === 0 || mean(shares) < 0.3) return undefined
  return look(
    `Workers waited for each other in ${percent(mean(shares), 0)} of the time that was measured: steps are short, or ` +
      `others use the cores. A larger --batch-size uses them better; --workers 1 may be as fast.`,
  )
}

/** What curves say about overfitting and speed; every sentence with the numbers that it rests on. */
export function remarksOnTraining(training: TrainingSummary): Remark[] {
  const { epochs, planned } = training
  const held = curveOf(epochs, 'val_loss').map(([, value]) => value)
  const losses: Losses = {
    training: curveOf(epochs, 'loss').map(([, value]) => value),
    validation: held,
    best: bestEpochOf(epochs),
    number: i => epochs[i]!.epoch,
  }
  const isValidated = held.length > 1 && held.every(Number.isFinite)
  const rules = isValidated
    ? [rise(losses), gap(losses), unfinished(losses, planned), plateau(losses), noise(losses)]
    : []
  return [...rules, gradients(training), barriers(training)].filter(remark => remark !== undefined)
}

/** What scores of a part of so many rows say, beside a baseline that has learned nothing. */
export function remarksOnScore(
  part: string,
  rows: number,
  score: { readonly name: string; readonly value: number; readonly baseline: number },
): Remark[] {
  const { name, value, baseline } = score
  const remarks: Remark[] = []
  if (value <= baseline)
    remarks.push(
      look(
        `${name} of the ${part} part is ${figure(value)}, no better than ${figure(baseline)} of the baseline, which looks at ` +
          `no column: the columns may not tell the target, or training went wrong.`,
      ),
    )
  if (name !== 'accuracy' || rows === 0) return remarks
  const deviation = Math.sqrt((value * (1 - value)) / rows)
  if (deviation > 0.02)
    remarks.push(
      look(
        `${percent(value)} of ${rows} rows are right, give or take ${percent(deviation)} (a standard deviation): smaller ` +
          `differences between two models mean nothing. A larger --test part tells more.`,
      ),
    )
  return remarks
}

/** Classes that are seldom found. */
export function remarksOnClasses(
  classes: readonly { readonly name: string; readonly rows: number; readonly recall: number }[],
): Remark[] {
  const missed = classes.filter(({ rows, recall }) => rows > 0 && recall < 0.5)
  if (missed.length === 0) return []
  const worst = missed.toSorted((a, b) => a.recall - b.recall)[0]!
  const others =
    missed.length > 1 ? `, and of ${missed.length - 1} more ${missed.length > 2 ? 'classes' : 'class'}` : ''
  return [
    look(
      `Of "${worst.name}" (${worst.rows} rows) ${percent(worst.recall, 0)} are found${others} less than half. ` +
        `If rare classes matter, try --balance.`,
    ),
  ]
}
