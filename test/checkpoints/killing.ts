import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import * as ls from '../../src/index.ts'
import { rehearsal } from './rehearsal.ts'

const victimFile = fileURLToPath(new URL('./victim.ts', import.meta.url))
/** Steps of a victim: more than it comes to in all its lives. */
const epochs = 24
/** A life lasts up to so long from its first checkpoint on. */
const longestMs = 30

const isCheckpoint = (name: string) => name.endsWith('.ckpt')

/** The newest checkpoint; saves are counted in the names. */
const newestIn = (directory: string): string | undefined =>
  readdirSync(directory).filter(isCheckpoint).sort().at(-1)

/** Whether a file is being written, or waits for its name. */
const isSaving = (directory: string): boolean =>
  readdirSync(directory).some(name => name.startsWith('.step-'))

/**
 * Starts the training in a process of its own, and kills that: some time after it has begun or, mostly, after it has saved
 * something; if so, in the middle of a save. False if it had ended before.
 */
async function kill(
  directory: string,
  workers: number,
  inSave: boolean,
  draw: () => number,
): Promise<boolean> {
  const child = spawn(process.execPath, [victimFile, directory, String(workers)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // Without the comparison of kernels, which takes longer than the training.
    env: { ...process.env, LOCKSTEP_TIER: 'simd128' },
  })
  const gone = new Promise<boolean>(resolve => {
    child.on('close', (_, signal) => resolve(signal === 'SIGKILL'))
  })
  const begun = new Promise<void>(resolve => child.stdout.once('data', () => resolve()))
  await Promise.race([begun, gone])
  const before = newestIn(directory)
  const isAlive = () => child.exitCode === null && child.signalCode === null
  if (draw() > 0.2) while (isAlive() && newestIn(directory) === before) await sleep(1)
  await sleep(longestMs * draw())
  if (inSave) {
    while (isAlive() && !isSaving(directory)) await sleep(0)
    const until = performance.now() + 3 * draw()
    while (performance.now() < until);
  }
  child.kill('SIGKILL')
  return gone
}

/** Goes on with a copy of what was killed, in this process. */
async function goOn(
  directory: string,
  copy: string,
  workers: number,
): Promise<{ hash: string; step: number }> {
  await mkdir(copy)
  const files = (await readdir(directory)).filter(isCheckpoint)
  for (const file of files) await copyFile(join(directory, file), join(copy, file))
  const resume = files.length === 0 ? {} : { resume: copy }
  const { history, hash } = await rehearsal(ls, 'adam', epochs).train({ ...resume, workers })
  await rm(copy, { recursive: true })
  return { hash, step: history.resumed?.step ?? 0 }
}

interface Kills {
  /** The hash of an undisturbed training. */
  readonly whole: string
  killed: number
  inSaves: number
  /** From which steps trainings went on. */
  readonly steps: number[]
  /** Trainings that ended with other hashes. */
  readonly different: string[]
}

/**
 * Kills one training so many times in a row, every third time inside a save. After each, a copy goes on to its end;
 * after the last, the training itself.
 */
export async function killInARow(kills: number, seed: number, folder: string): Promise<Kills> {
  const { hash: whole } = await rehearsal(ls, 'adam', epochs).train({ workers: 1 })
  const [directory, copy] = [join(folder, 'run'), join(folder, 'copy')]
  const found: Kills = { whole, killed: 0, inSaves: 0, steps: [], different: [] }
  const draw = numbers(seed)
  await mkdir(directory)
  for (let i = 0; i < kills; i++) {
    if (!(await kill(directory, 1 + (i % 2), i % 3 === 0, draw))) continue
    found.killed++
    if (isSaving(directory)) found.inSaves++
    const { hash, step } = await goOn(directory, copy, 2 - (i % 2))
    found.steps.push(step)
    if (hash !== whole) found.different.push(`kill ${i + 1} of seed ${seed}, gone on at step ${step}`)
  }
  return found
}

/** Seeded numbers in [0, 1). */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
