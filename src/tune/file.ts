import { basename, dirname } from 'node:path'
import { lock } from '../checkpoints/lock.ts'
import { isPlainObject, show } from '../errors.ts'
import { removeIfThere, writeFilesAtomically } from '../formats/atomicFiles.ts'
import {
  codeOf,
  type Files,
  type OpenFile,
  openRegularFile,
  readFully,
  writeFully,
} from '../formats/files.ts'
import { parseJson } from '../formats/strictJson.ts'
import { type FullPruner, fullPruner } from './pruning.ts'
import { type FullSampler, fullSampler } from './sampling.ts'
import { type Dimension, dimensionsOf, type Space } from './space.ts'
import type { Direction, TrialRecord } from './trial.ts'

/** What all proposals of a study follow from, besides the values of its trials: the first line of its file. */
export interface StudyHeader {
  readonly format: 'lockstep-study'
  readonly version: 1
  readonly space: Space
  readonly direction: Direction
  readonly seed: number
  readonly lag: number
  readonly sampler: FullSampler
  readonly pruner: FullPruner
  readonly about?: Readonly<Record<string, unknown>>
}

export interface StudyContent {
  readonly header: StudyHeader
  readonly trials: TrialRecord[]
}

const lineOf = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value)}\n`)

function requireThat(holds: boolean, where: string, what: string, value: unknown): void {
  if (!holds)
    throw new RangeError(`${where}: ${what}, got ${show(value)}; restore the file, or begin another`)
}

function headerOf(where: string, text: string): StudyHeader {
  const header = parseJson(where, text) as unknown
  requireThat(isPlainObject(header), where, 'the first line must describe a study', header)
  const { format, version, seed, lag, direction, space, sampler, pruner } = header as Partial<
    Record<keyof StudyHeader, unknown>
  >
  requireThat(format === 'lockstep-study', where, 'format must be "lockstep-study"', format)
  requireThat(version === 1, where, 'version must be 1', version)
  requireThat(Number.isSafeInteger(seed), where, 'seed must be an integer', seed)
  requireThat(Number.isSafeInteger(lag) && (lag as number) > 0, where, 'lag must be 1, 2, …', lag)
  const directions: unknown[] = ['minimize', 'maximize']
  requireThat(directions.includes(direction), where, 'direction must be minimize or maximize', direction)
  try {
    dimensionsOf(space)
    const whole = { sampler: fullSampler(sampler), pruner: fullPruner(pruner) }
    return { ...(header as unknown as StudyHeader), ...whole }
  } catch (error) {
    throw new RangeError(
      `${where}: the first line must describe a study, got another: ${(error as Error).message}`,
    )
  }
}

const isReport = (item: unknown): boolean =>
  Array.isArray(item) && item.length === 2 && item.every(Number.isFinite)

function recordOf(where: string, text: string, dimensions: readonly Dimension[]): TrialRecord {
  const trial = parseJson(where, text) as unknown
  requireThat(isPlainObject(trial), where, 'a line must be a trial', trial)
  const { number, parameters, state, value, reports, seconds } = trial as Record<string, unknown>
  requireThat(
    Number.isSafeInteger(number) && (number as number) >= 0,
    where,
    'number must be 0, 1, …',
    number,
  )
  const states: unknown[] = ['complete', 'pruned', 'failed']
  requireThat(states.includes(state), where, 'state must be complete, pruned or failed', state)
  requireThat(state === 'failed' || Number.isFinite(value), where, 'value must be a finite number', value)
  requireThat(
    Array.isArray(reports) && reports.every(isReport),
    where,
    'reports must be pairs of numbers',
    reports,
  )
  requireThat(Number.isFinite(seconds), where, 'seconds must be a finite number', seconds)
  requireThat(isPlainObject(parameters), where, 'parameters must be an object', parameters)
  for (const [name, found] of Object.entries(parameters as object)) {
    const unit = dimensions.find(each => each.name === name)?.unit(found)
    requireThat(unit !== undefined && unit >= 0 && unit <= 1, where, `${name} must be in the space`, found)
  }
  return trial as unknown as TrialRecord
}

/** All whole lines; what comes after the last line break was being written when the writer died. */
async function readLines(path: string, files: Files): Promise<{ lines: string[]; torn: boolean }> {
  const { file, size } = await openRegularFile(`tune: ${path}`, path, files)
  try {
    const bytes = Buffer.alloc(size)
    await readFully(`tune: ${path}`, file, bytes, 0)
    const end = bytes.lastIndexOf(0x0a) + 1
    return { lines: bytes.toString('utf8', 0, end).split('\n').slice(0, -1), torn: end < size }
  } finally {
    await file.close()
  }
}

function contentOf(path: string, lines: readonly string[]): StudyContent {
  const header = headerOf(`tune: ${path} line 1`, lines[0]!)
  const dimensions = dimensionsOf(header.space)
  const seen = new Set<number>()
  const trials = lines.slice(1).map((line, i) => {
    const where = `tune: ${path} line ${i + 2}`
    const trial = recordOf(where, line, dimensions)
    requireThat(!seen.has(trial.number), where, 'each trial must be there once', trial.number)
    seen.add(trial.number)
    return trial
  })
  return { header, trials }
}

/** What a study's file holds. @throws RangeError naming the line that is wrong; the file system's own errors */
export async function readStudyFile(path: string, files: Files): Promise<StudyContent> {
  const { lines } = await readLines(path, files)
  requireThat(lines.length > 0, `tune: ${path}`, 'a study must have a whole first line', 'none')
  return contentOf(path, lines)
}

/**
 * A study's file: a header, then a line for each trial in the order in which they ended. A line is on the disk before
 * the next trial begins that may know of it. One process at a time writes.
 */
export class StudyFile {
  private readonly path: string
  private readonly files: Files
  private readonly lockName: string
  private readonly file: OpenFile
  private queue: Promise<void> = Promise.resolve()

  private constructor(path: string, files: Files, lockName: string, file: OpenFile) {
    this.path = path
    this.files = files
    this.lockName = lockName
    this.file = file
  }

  /** Opens it, begins it with `header` if it is not there or has not one whole line, and gives what it holds. */
  static async open(
    path: string,
    files: Files,
    header: (found: StudyHeader | undefined) => StudyHeader,
  ): Promise<{ file: StudyFile; content: StudyContent }> {
    const directory = dirname(path)
    const lockName = await lock('tune', files, directory, basename(path))
    try {
      const found = await readLines(path, files).catch(error => {
        if (codeOf(error) === 'ENOENT') return { lines: [], torn: true }
        throw error
      })
      const content =
        found.lines.length > 0
          ? contentOf(path, found.lines)
          : { header: header(undefined), trials: [] as TrialRecord[] }
      if (found.lines.length > 0) header(content.header)
      if (found.torn || found.lines.length === 0) {
        const whole =
          found.lines.length > 0 ? Buffer.from(`${found.lines.join('\n')}\n`) : lineOf(content.header)
        await writeFilesAtomically(directory, [[basename(path), [whole]]], files)
      }
      return { file: new StudyFile(path, files, lockName, await files.open(path, 'a')), content }
    } catch (error) {
      await removeIfThere(files, `${directory}/${lockName}`)
      throw error
    }
  }

  /** Resolves once the trial is on the disk. */
  add(trial: TrialRecord): Promise<void> {
    this.queue = this.queue.then(async () => {
      await writeFully(this.file, lineOf(trial))
      await this.file.sync()
    })
    return this.queue
  }

  async close(): Promise<void> {
    await this.queue.catch(() => {})
    await this.file.close()
    await removeIfThere(this.files, `${dirname(this.path)}/${this.lockName}`)
  }
}
