import { basename } from 'node:path'
import { writeFilesAtomically } from '../formats/atomicFiles.ts'
import { bestEpochOf } from '../report/curves.ts'
import { remarksOnClasses, remarksOnScore, remarksOnTraining } from '../report/remarks.ts'
import type { Fact, RunReport } from '../report/report.ts'
import { figure, percent } from '../report/scales.ts'
import { reportPage } from '../report/view.ts'
import { Recorder } from '../training/recorder.ts'
import { files } from './folder.ts'
import type { Lesson, TrainResult } from './learning.ts'
import { configurationOf, type TrainOptions } from './options.ts'
import type { Scores } from './scores.ts'
import { layersOf } from './selection.ts'
import { examine } from './story.ts'
import type { Warnings } from './warnings.ts'

/** A word as a shell takes it. */
const quoted = (word: string) => (/^[\w./:=,+@%-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)

const wordOf = (value: unknown): string =>
  Array.isArray(value)
    ? value.join(',')
    : typeof value === 'object'
      ? Object.entries(value as object)
          .map(([name, one]) => `${name}=${one}`)
          .join(',')
      : String(value)

/** The command line with these options. */
export function commandOf(options: TrainOptions): string {
  const { data, modelSha256: _, ...rest } = configurationOf(options)
  const words = Object.entries(rest).flatMap(([name, value]) => {
    const flag = `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
    if (name === 'header') return value === false ? ['--no-header'] : []
    if (name === 'refit') return [value ? flag : '--no-refit']
    if (typeof value === 'boolean') return value ? [flag] : []
    return [flag, quoted(wordOf(value))]
  })
  return ['lockstep train', quoted(data), ...words].join(' ')
}

function factsOf({ model, baseline }: { readonly model: Scores; readonly baseline: Scores }): Fact[] {
  if (model.task === 'class' && baseline.task === 'class')
    return [
      { name: 'Accuracy', value: percent(model.accuracy), note: `baseline ${percent(baseline.accuracy)}` },
      { name: 'Balanced accuracy', value: percent(model.balancedAccuracy) },
      { name: 'Log loss', value: figure(model.logLoss), note: `baseline ${figure(baseline.logLoss)}` },
    ]
  if (model.task === 'regression' && baseline.task === 'regression')
    return [
      { name: 'R²', value: model.r2.toFixed(3) },
      {
        name: 'Root mean squared error',
        value: figure(model.rootMeanSquaredError),
        note: `baseline ${figure(baseline.rootMeanSquaredError)}`,
      },
      { name: 'Mean absolute error', value: figure(model.meanAbsoluteError) },
    ]
  if (model.task === 'text' && baseline.task === 'text')
    return [
      { name: 'Nats a character', value: figure(model.nats), note: `baseline ${figure(baseline.nats)}` },
      { name: 'Bits a character', value: figure(model.bits) },
      { name: 'Perplexity', value: figure(model.perplexity) },
    ]
  return []
}

/** Makes the report of a training: while it goes on, and when it has ended. */
export class Reporter {
  readonly recorder: Recorder
  private readonly options: TrainOptions
  private readonly lesson: Lesson
  private readonly seed: number
  private readonly warnings: Warnings

  constructor(options: TrainOptions, lesson: Lesson, seed: number, warnings: Warnings) {
    this.options = options
    this.lesson = lesson
    this.seed = seed
    this.warnings = warnings
    const hear = options.progress?.report
    this.recorder = new Recorder(hear && (() => hear(() => this.now())))
  }

  /** As far as training has come. */
  now(result?: TrainResult): RunReport {
    const { lesson, options, seed } = this
    const epochs = [...this.recorder.epochs]
    const { rows, plan, model, monitor } = lesson
    const planned = plan.epochs
    const training = {
      epochs,
      planned,
      plan,
      monitor,
      ...(result && { workers: result.workers, stopReason: result.stopReason }),
    }
    const best = epochs[bestEpochOf(epochs, monitor)]
    const seconds = epochs.reduce((sum, { pace }) => sum + (pace?.seconds ?? 0), 0)
    const workers = result ? ` · ${result.workers} ${result.workers === 1 ? 'worker' : 'workers'}` : ''
    const what = { class: 'Classes', regression: 'A number', text: 'Characters' }[lesson.task]
    const network = model.layerSummaries()
    return {
      format: 'lockstep report 1',
      title: `${lesson.target} from ${basename(options.data)}`,
      subtitle: `${what} from ${lesson.from} · seed ${seed}${workers}`,
      state: result ? 'done' : 'training',
      facts: [
        ...(result?.scores ? factsOf(result.scores) : []),
        {
          name: 'Epochs',
          value: `${epochs.length}`,
          note: best ? `best ${best.epoch}, at most ${planned}` : `at most ${planned}`,
        },
        { name: 'Training', value: `${figure(Number(seconds.toPrecision(3)))} s` },
        {
          name: 'Rows',
          value: figure(rows.training),
          note: `${figure(rows.validation)} to validate, ${figure(rows.test)} to test`,
        },
        ...(lesson.choice
          ? [
              {
                name: 'Chosen',
                value: layersOf(lesson.choice),
                note: `l2 ${lesson.choice.l2}, of ${lesson.choice.tried.length} networks by ${lesson.choice.folds} folds`,
              },
            ]
          : []),
        { name: 'Weights', value: figure(network.reduce((sum, { weights }) => sum + weights, 0)) },
      ],
      remarks: result
        ? [...this.remarksOn(result), ...remarksOnTraining(training)]
        : remarksOnTraining(training),
      training,
      ...(lesson.story?.data && { data: lesson.story.data }),
      network,
      warnings: this.warnings.lines(),
      commands: result
        ? [
            commandOf({
              ...options,
              ...(plan.leaves! > 1 && { leaves: plan.leaves! }),
              ...(plan.disk === true && { disk: true }),
            }),
            `lockstep train --config ${quoted(result.folder)}/${files.configuration} --out again`,
          ]
        : [],
    }
  }

  private remarksOn({ scores, rows }: TrainResult) {
    if (!scores || scores.model.task === 'text') return []
    const { part, model, baseline } = scores
    if (model.task === 'regression')
      return remarksOnScore(part, rows[part], { name: 'R²', value: model.r2, baseline: 0 })
    const value = model.accuracy
    const score = { name: 'accuracy', value, baseline: (baseline as typeof model).accuracy }
    return [...remarksOnScore(part, rows[part], score), ...remarksOnClasses(model.classes)]
  }

  /** The report of a training that has ended, written beside the model. */
  async finish(result: TrainResult, { story, model }: Lesson): Promise<void> {
    const { options, seed } = this
    const { workers = 'auto', progress } = options
    const { scores } = result
    const examined =
      story && scores ? await examine(model, story, scores.part, scores.model, { seed, workers }) : {}
    const report: RunReport = { ...this.now(result), ...examined }
    await writeFilesAtomically(result.folder, [
      [files.report, [Buffer.from(`${JSON.stringify(report)}\n`)]],
      [files.page, [Buffer.from(String(reportPage(report)))]],
    ])
    progress?.report?.(() => report)
  }
}
