import { copyFile, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as ls from '../../src/index.ts'
import { type OptimizerName, rehearsal } from './rehearsal.ts'

/** Waits for a checkpoint of each multiple of `every`, so that none is left out. */
class Patience extends ls.Callback {
  private steps = 0
  private readonly directory: string
  private readonly every: number

  constructor(directory: string, every: number) {
    super()
    this.directory = directory
    this.every = every
  }

  override async onBatchBegin(): Promise<void> {
    if (this.steps % this.every === 0) await this.written()
  }

  override onBatchEnd(): void {
    this.steps++
  }

  private async written(): Promise<void> {
    const name = `step-${String(this.steps).padStart(12, '0')}`
    while (this.steps > 0 && !(await readdir(this.directory)).some(each => each.startsWith(name)))
      await sleep(1)
  }
}

/**
 * Saves every so many steps, then goes on from each of these checkpoints, with other workers; tells those that end
 * differently.
 */
export async function resumeFromAll(
  name: OptimizerName,
  every: number,
  folder: string,
): Promise<{ saving: string; steps: number[]; different: number[] }> {
  const directory = join(folder, 'all')
  const { train } = rehearsal(ls, name)
  const checkpoint = ls.callbacks.checkpoint({ directory, every: { steps: every }, keep: 1000 })
  const saving = await train({ callbacks: [new Patience(directory, every), checkpoint], workers: 1 })
  const steps: number[] = []
  const different: number[] = []
  // The one of the end is there always, and may have taken the place of the one before it.
  const isDue = (file: string) => file.endsWith('.ckpt') && Number(file.slice(5, 17)) % every === 0
  for (const file of (await readdir(directory)).filter(isDue).sort()) {
    const own = join(folder, 'one')
    await mkdir(own)
    await copyFile(join(directory, file), join(own, file))
    const { history, hash } = await train({ resume: own, workers: [1, 2, 2, 1, 3][steps.length % 5]! })
    const { step } = history.resumed!
    steps.push(step)
    if (hash !== saving.hash) different.push(step)
    await rm(own, { recursive: true })
  }
  return { saving: saving.hash, steps: [...new Set(steps)], different }
}
