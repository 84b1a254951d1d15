import type { LayerSummary } from '../model/summary.ts'
import type { EpochRecord } from '../training/recorder.ts'
import type { Point } from './charts.ts'

/** A number that matters, with a word on it. */
export interface Fact {
  readonly name: string
  readonly value: string
  readonly note?: string
}

export interface ColumnSummary {
  readonly name: string
  readonly type: string
  /** What it is for: an input, the target, set aside. */
  readonly role: string
  readonly missing: number
  /** 10,000 may be more. */
  readonly distinct: number
  /** Its range, or its commonest values. */
  readonly values: string
  /** How its values are distributed: counts from left to right, of categories from the commonest on. */
  readonly counts: readonly number[]
}

export interface TrainingSummary {
  readonly epochs: readonly EpochRecord[]
  /** At most so many. */
  readonly planned: number
  readonly workers?: number
  readonly stopReason?: string
  /** What the configuration says, by the names of its options. */
  readonly plan: Readonly<Record<string, unknown>>
}

/** Of one class against all others. */
export interface ClassCurves {
  readonly name: string
  readonly rocArea: number
  readonly roc: readonly Point[]
  /** Mean precision: the area under the curve of precision over recall. */
  readonly prArea: number
  readonly pr: readonly Point[]
}

export interface ClassReport {
  readonly names: readonly string[]
  /** Rows of each true class by what they were taken for. */
  readonly confusion: readonly (readonly number[])[]
  readonly curves: readonly ClassCurves[]
  readonly calibration: {
    /** Whose probability it is. */
    readonly of: string
    readonly bins: readonly { readonly predicted: number; readonly actual: number; readonly rows: number }[]
    /** Expected calibration error, and what it was before probabilities were calibrated. */
    readonly error: number
    readonly before: number
  }
}

export interface RegressionReport {
  /** Truth and prediction of some rows. */
  readonly points: readonly Point[]
  /** Of prediction − truth. */
  readonly residuals: { readonly edges: readonly number[]; readonly counts: readonly number[] }
}

export interface Importance {
  readonly name: string
  readonly increase: number
  readonly deviation: number
}

export interface StudyReport {
  readonly direction: string
  readonly best?: { readonly number: number; readonly value: number; readonly parameters: string }
  readonly states: Readonly<Record<string, number>>
  readonly history: readonly { readonly number: number; readonly value: number; readonly best: number }[]
  readonly importance: readonly { readonly name: string; readonly share: number }[]
  readonly axes: readonly StudyAxis[]
  readonly lines: readonly {
    readonly number: number
    readonly state: string
    readonly value: number
    /** From 0 to 1; null where the parameter is left out. */
    readonly heights: readonly (number | null)[]
  }[]
}

export interface StudyAxis {
  readonly name: string
  readonly log: boolean
  readonly bounds: readonly [number, number]
  readonly choices: readonly string[]
  /** The parameter (of choices the number) and the value of trials. */
  readonly points: readonly Point[]
}

export interface Remark {
  readonly kind: 'good' | 'look'
  readonly text: string
}

/** All that a report shows: plain data, saved beside it. What is not there is not shown. */
export interface RunReport {
  readonly format: 'lockstep report 1'
  readonly title: string
  readonly subtitle: string
  readonly state: 'training' | 'done'
  readonly facts: readonly Fact[]
  readonly remarks: readonly Remark[]
  readonly training?: TrainingSummary
  /** Which rows the results are of: the test part, say. */
  readonly part?: string
  readonly classes?: ClassReport
  readonly regression?: RegressionReport
  readonly importance?: {
    readonly measure: string
    readonly rows: number
    readonly columns: readonly Importance[]
  }
  readonly worst?: {
    readonly names: readonly string[]
    readonly rows: readonly (readonly string[])[]
    /** Of images: a small PNG of each row, in base64. */
    readonly pictures?: readonly string[]
  }
  readonly data?: { readonly rows: number; readonly columns: readonly ColumnSummary[] }
  readonly network?: readonly LayerSummary[]
  readonly study?: StudyReport
  readonly warnings: readonly string[]
  readonly commands: readonly string[]
}
