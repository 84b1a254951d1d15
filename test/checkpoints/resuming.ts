import { copyFile, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as ls from '../../src/index.ts'
import { hashOf, network, type OptimizerName, rehearse } from './rehearsal.ts'

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
  optimizer: OptimizerName,
  every: number,
  folder: string,
): Promise<{ saving: string; steps: number[]; different: number[] }> {
  const directory = join(folder, 'all')
  const model = network(optimizer)
  const checkpoint = ls.callbacks.checkpoint({ directory, every: { steps: every }, keep: 1000 })
  const patience = new Patience(directory, every)
  const history = await rehearse(model, optimizer, { callbacks: [patience, checkpoint], workers: 1 })
  const expected = hashOf(model, history)
  model.dispose()
  const steps: number[] = []
  const different: number[] = []
  const names = (await readdir(directory)).filter(name => name.endsWith('.ckpt'))
  // The last one is that of the end, which always is.
  for (const name of names.sort().slice(0, -1)) {
    const own = join(folder, 'one')
    await mkdir(own)
    await copyFile(join(directory, name), join(own, name))
    const again = network(optimizer)
    const options = { resume: own, workers: [1, 2, 2, 1, 3][steps.length % 5]! }
    const ended = await rehearse(again, optimizer, options)
    steps.push(ended.resumed!.step)
    if (hashOf(again, ended) !== expected) different.push(ended.resumed!.step)
    again.dispose()
    await rm(own, { recursive: true })
  }
  return { saving: expected, steps, different }
}
