import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readStudy, type Study } from '../../src/tune/tune.ts'

const victimFile = fileURLToPath(new URL('./victim.ts', import.meta.url))

/** All of a study but the times. */
export const hashOf = ({ settings, trials }: Study<unknown>): string =>
  createHash('sha256')
    .update(JSON.stringify([settings, trials.map(trial => ({ ...trial, seconds: 0 }))]))
    .digest('hex')

/** Runs the victim; kills it after so many of its trials, if it comes so far. */
function live(file: string, trials: number, killAfter = Number.POSITIVE_INFINITY): Promise<boolean> {
  const child = spawn(process.execPath, [victimFile, file, String(trials)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let seen = 0
  child.stdout.on('data', (text: Buffer) => {
    seen += text.toString().split('.').length - 1
    if (seen >= killAfter) child.kill('SIGKILL')
  })
  return new Promise(resolve => child.on('close', (_, signal) => resolve(signal === 'SIGKILL')))
}

/** A study that is killed so many times and then left in peace, and one that never was. */
export async function killedStudy(
  folder: string,
  times: number,
  apart: number,
): Promise<{ kills: number; whole: string; found: string }> {
  const [whole, killed] = [join(folder, 'whole.jsonl'), join(folder, 'killed.jsonl')]
  const trials = times * (apart + 3) + 10
  await live(whole, trials)
  let kills = 0
  for (let i = 0; i < times; i++) if (await live(killed, trials, apart + (i % 3))) kills++
  await live(killed, trials)
  return { kills, whole: hashOf(await readStudy(whole)), found: hashOf(await readStudy(killed)) }
}
