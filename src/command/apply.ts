import { basename, dirname } from 'node:path'
import { writeFilesAtomically } from '../formats/atomicFiles.ts'
import { writeCsv } from '../formats/csv.ts'
import * as kinds from '../tables/kinds.ts'
import type { PredictedRow } from '../tables/predictions.ts'
import { type WritingOptions, write } from '../tables/writing.ts'
import { details, headline } from './describe.ts'
import { barOf, note, say, UsageError, warn } from './terminal.ts'

/** `lockstep evaluate`. */
export async function evaluate(
  model: string,
  data: string,
  { json, ...options }: kinds.ModelOptions & { json?: boolean },
): Promise<number> {
  const bar = await barOf('evaluating {bar} {percentage} %')
  const { scores, warnings } = await kinds
    .evaluate(model, data, { ...options, progress: bar.update })
    .finally(bar.stop)
  warn(warnings)
  if (json) say(JSON.stringify({ ...scores, warnings }))
  else for (const line of [`${scores.rows} rows: ${headline(scores)}`, ...details(scores)]) say(line)
  return 0
}

type PredictOptions = kinds.ModelOptions &
  WritingOptions & {
    prompt?: string
    output?: string
    as?: 'csv' | 'jsonl' | 'parquet'
    json?: boolean
  }

const csvField = (value: unknown): string => {
  const text = value === undefined ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

async function* linesOf(
  names: readonly string[],
  rows: AsyncIterable<PredictedRow>,
  isCsv: boolean,
): AsyncGenerator<string> {
  if (isCsv) yield `${names.map(csvField).join(',')}\n`
  for await (const row of rows)
    yield isCsv ? `${names.map(name => csvField(row[name])).join(',')}\n` : `${JSON.stringify(row)}\n`
}

/** Writes lines to the standard output, as fast as they are read there; a reader that has enough ends it. */
async function pour(lines: AsyncIterable<string>): Promise<void> {
  let closed = false
  let text = ''
  const flush = async () => {
    const piece = text
    text = ''
    await new Promise<void>(done =>
      process.stdout.write(piece, error => {
        closed ||= error !== undefined && error !== null
        done()
      }),
    )
  }
  for await (const line of lines) {
    text += line
    if (text.length >= 65_536) await flush()
    if (closed) return
  }
  await flush()
}

async function* bytesOf(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const line of lines) yield Buffer.from(line)
}

async function* piecesOf(prompt: string, written: AsyncIterable<string>): AsyncGenerator<string> {
  yield prompt
  yield* written
  yield '\n'
}

/** `lockstep predict --prompt`. */
async function continueText(
  model: string,
  data: string | undefined,
  prompt: string,
  { output, json, workers: _workers, prompt: _prompt, ...options }: PredictOptions,
): Promise<number> {
  if (data !== undefined)
    throw new UsageError(`predict: DATA must not be given with --prompt, got ${data}; leave one out`)
  const written = write(model, prompt, options)
  if (json) {
    let text = ''
    for await (const character of written) text += character
    say(JSON.stringify({ prompt, text }))
  } else if (output === undefined) await pour(piecesOf(prompt, written))
  else {
    await writeFilesAtomically(dirname(output), [[basename(output), bytesOf(piecesOf(prompt, written))]])
    note(`written to ${output}`)
  }
  return 0
}

/** `lockstep predict`. */
export async function predict(
  model: string,
  data: string | undefined,
  given: PredictOptions,
): Promise<number> {
  if (given.prompt !== undefined) return continueText(model, data, given.prompt, given)
  if (data === undefined)
    throw new UsageError(
      'predict: DATA must be given, got none; name a file, or write --prompt "…" for a model of text',
    )
  const { output, as, json, ...options } = given
  const ending = output === undefined ? undefined : /\.(csv|jsonl|parquet)$/.exec(output)?.[1]
  if (output !== undefined && ending === undefined && as === undefined)
    throw new UsageError(
      `predict: --output must end in .csv, .jsonl or .parquet, got ${output}; or say --as csv`,
    )
  const kind = as ?? ending ?? (json ? 'jsonl' : 'csv')
  if (!['csv', 'jsonl', 'parquet'].includes(kind))
    throw new UsageError(`predict: --as must be csv, jsonl or parquet, got ${kind}; write --as csv`)
  if (kind === 'parquet' && output === undefined)
    throw new UsageError('predict: --as parquet needs --output FILE, got none; name the file')
  const bar = await barOf('predicting {bar} {percentage} %')
  const { names, rows, warnings } = await kinds.predict(model, data, {
    ...options,
    progress: output ? bar.update : undefined,
  } as kinds.ModelOptions)
  try {
    if (output === undefined) await pour(linesOf(names, rows, kind === 'csv'))
    else if (kind === 'csv') await writeCsv(output, rows, { columnNames: names })
    else if (kind === 'parquet') {
      const { writeParquet } = await import('../formats/parquetWriting.ts')
      await writeParquet(output, rows, { columnNames: names })
    } else
      await writeFilesAtomically(dirname(output), [[basename(output), bytesOf(linesOf(names, rows, false))]])
  } finally {
    bar.stop()
  }
  warn(warnings.lines())
  if (output !== undefined) note(`written to ${output}`)
  return 0
}
