import { resolve } from 'node:path'
import { type CheckpointStore, openStore } from '../checkpoints/store.ts'
import type { BaseCallback } from '../training/callback.ts'
import { CheckpointCallback } from '../training/checkpointing.ts'
import { checkFits, type Restored, restored } from './capture.ts'
import { Continuity, type Resumption } from './continuity.ts'
import { differences, type Fingerprint } from './fingerprint.ts'
import type { Internals } from './internals.ts'
import { Keeper } from './keeper.ts'
import type { Changeable, TrainingSettings } from './options.ts'

/** Differences that a message names. */
const mostNamed = 3

/**
 * Whether data or configuration differ, or may: what datasets give is not known yet. @throws RangeError for differences
 * that were not allowed
 */
function compared(
  where: string,
  { told: { path }, state }: Resumption,
  fingerprint: Fingerprint,
  allowed: TrainingSettings['allowChange'],
): boolean {
  const found = differences(state.fingerprint, fingerprint)
  const allows = (kind: Changeable) => allowed === true || (allowed || []).includes(kind)
  const refused = found.filter(({ kind }) => !allows(kind))
  if (refused.length === 0)
    return found.some(({ kind }) => kind !== 'numerics') || (where === 'fitDataset' && allows('data'))
  const named = refused.slice(0, mostNamed).map(({ text }) => text)
  const more = refused.length > mostNamed ? `, and ${refused.length - mostNamed} more` : ''
  const kinds = [...new Set(refused.map(({ kind }) => `'${kind}'`))].join(', ')
  throw new RangeError(
    `${where}: what is resumed must be as it was saved in ${path}, got differences: ${named.join('; ')}${more}; ` +
      `restore it, or set allowChange: [${kinds}]`,
  )
}

/** The newest checkpoint that is sound. */
async function newest(where: string, store: CheckpointStore): Promise<Resumption | undefined> {
  const found = await store.newest()
  if (!found) return undefined
  const { path, checkpoint, skipped } = found
  for (const { path: damaged, reason } of skipped)
    process.emitWarning(`${where}: ${damaged} is damaged (${reason}); training goes on from ${path}`)
  const state = restored(where, checkpoint)
  return { state, told: { path, step: state.iterations + state.batch, skipped } }
}

/** @throws Error where there is nothing to go on from, and no checkpoint callback that will save there */
async function find(
  where: string,
  directory: string,
  own: { readonly store: CheckpointStore; readonly directory: string } | undefined,
): Promise<Resumption | undefined> {
  if (own && resolve(own.directory) === resolve(directory)) return newest(where, own.store)
  const store = await openStore({ directory, readOnly: true })
  try {
    const found = await newest(where, store)
    if (found) return found
    const hint = 'leave resume out, or give the same folder to callbacks.checkpoint to begin there'
    throw new Error(`${where}: resume must be a folder with checkpoints, got none in ${directory}; ${hint}`)
  } finally {
    await store.close()
  }
}

/** An epoch that was in progress with other data, or another configuration, begins anew. */
const begunAnew = (state: Restored): Restored => ({
  ...state,
  batch: 0,
  iterations: state.iterations + state.batch,
  course: {},
  stopCause: null,
})

/** The rate that was saved, unless another one is wanted now. */
function withRate(state: Restored, fingerprint: Fingerprint, model: Internals): Restored {
  const [was, is] = [state.fingerprint, fingerprint].map(
    ({ configuration }) => (configuration.optimizer as { learningRate: unknown }).learningRate,
  )
  return was === is ? state : { ...state, learningRate: model.compiled.optimizer.learningRate }
}

/**
 * Opens the folders that a training saves to and goes on from, which are compared with what there is. `seed` is what
 * the caller gave.
 * @throws Error or RangeError, before anything is changed
 */
export async function openContinuity(
  where: string,
  model: Internals,
  settings: Pick<TrainingSettings, 'resume' | 'allowChange' | 'callbacks'>,
  seed: number | undefined,
  describe: () => Promise<Fingerprint>,
): Promise<Continuity> {
  const { resume, allowChange } = settings
  const callbacks = settings.callbacks as readonly BaseCallback[]
  const [asked, another] = callbacks.filter(callback => callback instanceof CheckpointCallback)
  if (another)
    throw new RangeError(
      `${where}: callbacks must have one checkpoint, got another one; leave one of them out`,
    )
  if (!asked && resume === null) return new Continuity(model, callbacks)
  const store = asked && (await openStore({ directory: asked.directory, keep: asked.keep }))
  try {
    const keeper = asked && new Keeper(where, store!, asked)
    const own = asked && { directory: asked.directory, store: store! }
    const found = resume === null ? undefined : await find(where, resume, own)
    const fingerprint = await describe()
    if (!found) return new Continuity(model, callbacks, { keeper, fingerprint })
    checkFits(where, model, found.state)
    const seeded = (print: Fingerprint, own: number) => ({
      ...print,
      configuration: { ...print.configuration, seed: own },
    })
    const now = seeded(fingerprint, seed ?? found.state.seed)
    const before = { ...found.state, fingerprint: seeded(found.state.fingerprint, found.state.seed) }
    const changed = compared(where, { ...found, state: before }, now, allowChange)
    const rated = withRate({ ...found.state, seed: seed ?? found.state.seed }, fingerprint, model)
    const resumption = { ...found, state: changed ? begunAnew(rated) : rated }
    if (keeper && found.state.best !== null) keeper.best = found.state.best
    if (keeper && resolve(asked!.directory) === resolve(resume!)) keeper.path = found.told.path
    return new Continuity(model, callbacks, { keeper, resumption, fingerprint })
  } catch (error) {
    await store?.close()
    throw error
  }
}
