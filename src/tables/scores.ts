import { CalibrationError, decided, probabilities } from './calibration.ts'
import type { Target } from './encoding.ts'

export interface ClassScores {
  readonly task: 'class'
  readonly rows: number
  readonly accuracy: number
  /** Mean of the classes' recalls. */
  readonly balancedAccuracy: number
  /** Mean of −log p of the true class. */
  readonly logLoss: number
  /** Expected calibration error, and what it would be had probabilities not been calibrated. */
  readonly calibrationError: number
  readonly uncalibratedError: number
  readonly classes: readonly {
    readonly name: string
    readonly rows: number
    readonly precision: number
    readonly recall: number
  }[]
  /** Rows of each true class (first axis) by what they were taken for. */
  readonly confusion: readonly (readonly number[])[]
}

export interface RegressionScores {
  readonly task: 'regression'
  readonly rows: number
  /** 1 − Σ (truth − prediction)² / Σ (truth − mean)². */
  readonly r2: number
  readonly rootMeanSquaredError: number
  readonly meanAbsoluteError: number
}

/** Of the characters of a text, each expected from those before it. */
export interface TextScores {
  readonly task: 'text'
  /** Characters. */
  readonly rows: number
  /** Mean of −log p of the character that follows. */
  readonly nats: number
  /** The same to base 2. */
  readonly bits: number
  /** e^nats: between so many equally likely characters it could not tell. */
  readonly perplexity: number
}

export type Scores = ClassScores | RegressionScores | TextScores

/** Adds up scores over batches of predictions. */
export interface Scorer {
  /** `outputs` of the network, row by row; `truth` class numbers, or numbers in the target's unit. */
  take(outputs: ArrayLike<number>, truth: ArrayLike<number>): void
  finish(): Scores
}

/** Place of the largest of `count` values from `at` on. */
export function largest(values: ArrayLike<number>, at: number, count: number): number {
  let best = 0
  for (let i = 1; i < count; i++) if (values[at + i]! > values[at + best]!) best = i
  return best
}

class ClassScorer implements Scorer {
  private readonly target: Extract<Target, { task: 'class' }>
  private readonly names: readonly string[]
  private readonly said = new CalibrationError()
  private readonly unsaid = new CalibrationError()
  private readonly confusion: number[][]
  private loss = 0
  private rows = 0

  constructor(target: Extract<Target, { task: 'class' }>) {
    this.target = target
    this.names = target.classes
    this.confusion = this.names.map(() => this.names.map(() => 0))
  }

  take(outputs: ArrayLike<number>, truth: ArrayLike<number>): void {
    const count = this.names.length
    const p = probabilities(this.target, outputs)
    for (let i = 0; i < truth.length; i++) {
      const at = i * count
      const taken = decided(this.target, p, at)
      this.confusion[truth[i]!]![taken]!++
      this.loss -= Math.log(Math.max(p[at + truth[i]!]!, 1e-7))
      this.said.take(p[at + taken]!, taken === truth[i])
      this.unsaid.take(outputs[at + taken]!, taken === truth[i])
    }
    this.rows += truth.length
  }

  finish(): ClassScores {
    const { confusion, rows } = this
    const total = (numbers: readonly number[]) => numbers.reduce((sum, n) => sum + n, 0)
    const share = (part: number, whole: number) => (whole > 0 ? part / whole : 0)
    const classes = this.names.map((name, i) => {
      const [hits, all] = [confusion[i]![i]!, total(confusion[i]!)]
      return {
        name,
        rows: all,
        precision: share(hits, total(confusion.map(row => row[i]!))),
        recall: share(hits, all),
      }
    })
    const present = classes.filter(one => one.rows > 0)
    return {
      task: 'class',
      rows,
      accuracy: share(total(confusion.map((row, i) => row[i]!)), rows),
      balancedAccuracy: share(total(present.map(({ recall }) => recall)), present.length),
      logLoss: share(this.loss, rows),
      calibrationError: this.said.value,
      uncalibratedError: this.unsaid.value,
      classes,
      confusion,
    }
  }
}

class RegressionScorer implements Scorer {
  private readonly scale: { readonly mean: number; readonly deviation: number }
  private rows = 0
  private mean = 0
  private spread = 0
  private squares = 0
  private absolutes = 0

  constructor(scale: { readonly mean: number; readonly deviation: number }) {
    this.scale = scale
  }

  take(outputs: ArrayLike<number>, truth: ArrayLike<number>): void {
    for (let i = 0; i < truth.length; i++) {
      const wrong = truth[i]! - (this.scale.mean + this.scale.deviation * outputs[i]!)
      this.squares += wrong * wrong
      this.absolutes += Math.abs(wrong)
      const delta = truth[i]! - this.mean
      this.mean += delta / ++this.rows
      this.spread += delta * (truth[i]! - this.mean)
    }
  }

  finish(): RegressionScores {
    const { rows, squares, spread } = this
    return {
      task: 'regression',
      rows,
      r2: spread > 0 ? 1 - squares / spread : 0,
      rootMeanSquaredError: Math.sqrt(squares / Math.max(rows, 1)),
      meanAbsoluteError: this.absolutes / Math.max(rows, 1),
    }
  }
}

export const scorerOf = (target: Target): Scorer =>
  target.task === 'class' ? new ClassScorer(target) : new RegressionScorer(target)
