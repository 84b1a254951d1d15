import { appendFile, stat, truncate } from 'node:fs/promises'
import type { Audience } from '../training/announcing.ts'
import type { EpochRecord } from '../training/recorder.ts'

const lineOf = ({ epoch, logs, learningRate, pace }: EpochRecord): string =>
  `${JSON.stringify({ epoch: epoch - 1, learningRate, ...logs, ...pace })}\n`

/** A file to which a line is added for each epoch. What a resumed training had written after its checkpoint is cut off. */
export async function openLines(path: string, append: boolean): Promise<Audience> {
  await appendFile(path, '')
  let bytes = append ? (await stat(path)).size : 0
  let isCut = false
  const cut = async () => {
    if (!isCut) await truncate(path, Math.min(bytes, (await stat(path)).size))
    isCut = true
  }
  return {
    async told(epochs) {
      await cut()
      await appendFile(path, lineOf(epochs.at(-1)!))
      bytes = (await stat(path)).size
    },
    end: cut,
    getState: () => bytes,
    setState(state) {
      bytes = state
    },
  }
}
