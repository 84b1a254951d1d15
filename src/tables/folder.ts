import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFilesAtomically } from '../formats/atomicFiles.ts'
import { codeOf } from '../formats/files.ts'
import { parseJson } from '../formats/strictJson.ts'

/** Names of what the folder of a trained model holds, besides model.json and its weights. */
export const files = {
  configuration: 'configuration.json',
  preprocessing: 'preprocessing.json',
  metrics: 'metrics.json',
  checkpoints: 'checkpoints',
  refit: 'checkpoints-refit',
  report: 'report.json',
  page: 'report.html',
} as const

/** @throws RangeError for a file that is no JSON, or has keys twice, Error where there is none */
export async function readJson(path: string, missing: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(error => {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR')
      throw new Error(`${path}: must be there, got no file; ${missing}`)
    throw error
  })
  return parseJson(`${path}:`, text)
}

/** Writes a value as JSON, all or nothing. */
export async function writeJson(folder: string, name: string, value: unknown): Promise<void> {
  await writeFilesAtomically(folder, [[name, [Buffer.from(`${JSON.stringify(value, null, 2)}\n`)]]])
}

export const modelUrl = (folder: string): string => `file://${folder}`
export const checkpointFolder = (folder: string): string => join(folder, files.checkpoints)
