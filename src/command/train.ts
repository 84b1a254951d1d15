import { join } from 'node:path'
import type { Dashboard } from '../report/dashboard.ts'
import type { RunReport } from '../report/report.ts'
import { files, readJson } from '../tables/folder.ts'
import * as kinds from '../tables/kinds.ts'
import type { TrainResult } from '../tables/learning.ts'
import { checkConfiguration, type TrainOptions, type TrainProgress } from '../tables/options.ts'
import { nameOf } from '../tables/selection.ts'
import { details, headline } from './describe.ts'
import { barOf, interruption, isLive, note, say, UsageError, warn } from './terminal.ts'

/** Epochs of which a line is printed where nobody looks on. */
const lines = 20

type Given = Partial<TrainOptions> & { config?: string; json?: boolean; dashboard?: number | true }

/** What was typed over what a configuration says. @throws UsageError where something is missing */
export async function optionsOf(
  where: string,
  { config, json: _json, dashboard: _dashboard, ...given }: Given,
): Promise<TrainOptions> {
  const saved =
    given.resume && !config && given.out !== undefined ? join(given.out, files.configuration) : config
  const read =
    saved === undefined
      ? {}
      : checkConfiguration(saved, await readJson(saved, 'give the one that train wrote'))
  // Another network is no longer the one that was saved.
  if (given.model !== undefined) delete read.modelSha256
  const options = { ...read, ...given }
  if (options.resume && given.out === undefined)
    throw new UsageError(`${where}: --resume needs --out FOLDER, got none; name the folder`)
  if (!options.data)
    throw new UsageError(`${where}: DATA must be given, got none; name a file, or --config FILE`)
  if (!options.target && (await kinds.kindOf(options as TrainOptions)) === 'table')
    throw new UsageError(`${where}: --target must be given, got none; name the column to predict`)
  return options as TrainOptions
}

export async function progressOf(say: (line: string) => void): Promise<TrainProgress & { stop(): void }> {
  const reading = await barOf('reading {bar} {percentage} %')
  const training = await barOf('epoch {value}/{total} {bar} loss {loss}  validation {val_loss}  {eta} s left')
  let epochs = 1
  return {
    reading: (bytes, total) => {
      reading.update(bytes, total)
      if (bytes >= total) reading.stop()
    },
    choosing({ standard, folds }) {
      reading.stop()
      say(`choosing a network, ${nameOf(standard)} or another, by ${folds}-fold cross-validation`)
    },
    begin(about) {
      reading.stop()
      epochs = about.epochs
      warn(about.warnings)
      say(
        `training on ${about.rows} rows, ${about.inputs} inputs, ${about.weights} weights, at most ${epochs} epochs`,
      )
    },
    epoch(epoch, logs) {
      const [loss, validation] = [logs.loss!.toFixed(4), logs.val_loss!.toFixed(4)]
      training.update(epoch + 1, epochs, { loss, val_loss: validation })
      if (!isLive() && (epoch + 1) % Math.max(1, Math.ceil(epochs / lines)) === 0)
        say(`epoch ${epoch + 1}/${epochs}  loss ${loss}  validation loss ${validation}`)
    },
    refit: ({ rows, epochs }) => {
      training.stop()
      say(`training again on ${rows} rows, those of the validation among them, ${epochs} epochs`)
    },
    stop() {
      reading.stop()
      training.stop()
    },
  }
}

/** Where the time went. */
function spent({ seconds: { reading, encoding, choosing, training }, rowsPerSecond }: TrainResult): string {
  const parts = Object.entries({ reading, encoding, choosing, training })
  const known = parts.filter(([, spent]) => spent !== undefined)
  const times = known.map(([name, spent]) => `${name} ${spent!.toFixed(1)} s`).join(', ')
  return `time: ${times} (${rowsPerSecond.toLocaleString('en')} rows a second)`
}

/** The page that follows training, if one is wanted; training goes on where there can be none. */
async function dashboardOf({ dashboard }: Given): Promise<Dashboard | undefined> {
  if (dashboard === undefined) return undefined
  const { Dashboard } = await import('../report/dashboard.ts')
  try {
    const opened = await Dashboard.open(dashboard === true ? {} : { port: dashboard })
    note(`dashboard: ${opened.url}`)
    return opened
  } catch (error) {
    note(`warning: ${(error as Error).message}; training goes on without it`)
    return undefined
  }
}

const choiceLine = ({ tried, folds, ...chosen }: NonNullable<TrainResult['choice']>) =>
  `chosen: ${nameOf(chosen)}, of ${tried.map(nameOf).join(', ')} by ${folds}-fold cross-validation`

export function print(result: TrainResult): void {
  const { rows, network, scores } = result
  const what = result.task === 'text' ? 'characters' : 'rows'
  const setAside = rows.setAside > 0 ? `, ${rows.setAside} set aside` : ''
  say(`${result.task} of "${result.target}" from ${result.from} (${network.inputs} inputs)`)
  say(`${what}: ${rows.training} training, ${rows.validation} validation, ${rows.test} test${setAside}`)
  say(`network: ${network.shape}, ${network.weights} weights`)
  if (result.choice) say(choiceLine(result.choice))
  say(`stopped after ${result.epochs} epochs: ${result.stopReason}`)
  if (result.refit)
    say(`trained again for ${result.refit.epochs} epochs on all ${result.refit.rows} rows but the test's`)
  say(spent(result))
  say(`${scores!.part}: ${headline(scores!.model)}`)
  say(`baseline: ${headline(scores!.baseline)}`)
  for (const line of details(scores!.model)) say(line)
  say(`written to ${result.folder}`)
}

/** `lockstep train`. Resolves with the exit code. */
export async function train(given: Given): Promise<number> {
  const options = await optionsOf('train', given)
  const interrupted = interruption()
  const dashboard = await dashboardOf(given)
  const progress = {
    ...(await progressOf(note)),
    ...(dashboard && { report: (current: () => RunReport) => dashboard.show(current) }),
  }
  try {
    const result = await kinds.train({ ...options, signal: interrupted.signal, progress })
    progress.stop()
    if (result.interrupted) {
      note(`stopped, and saved; lockstep train --resume --out ${result.folder} goes on from there`)
      return interrupted.code() ?? 1
    }
    if (given.json) say(JSON.stringify(result))
    else print(result)
    return 0
  } finally {
    progress.stop()
    await dashboard?.close()
  }
}
