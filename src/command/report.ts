import { stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { show } from '../errors.ts'
import { writeFilesAtomically } from '../formats/atomicFiles.ts'
import type { RunReport } from '../report/report.ts'
import { studyReport } from '../report/search.ts'
import { reportPage } from '../report/view.ts'
import { files, readJson } from '../tables/folder.ts'
import { readStudy } from '../tune/study.ts'
import { say } from './terminal.ts'

async function reportOf(folder: string): Promise<RunReport> {
  const path = join(folder, files.report)
  const report = (await readJson(path, 'give the folder that train wrote')) as RunReport | null
  if (report?.format === 'lockstep report 1') return report
  throw new RangeError(
    `${path}: format must be "lockstep report 1", got ${show(report?.format)}; train again`,
  )
}

/** `lockstep report`: the page about a model's folder, or about the file of a search. */
export async function report(
  path: string,
  { output, json }: { output?: string; json?: boolean },
): Promise<number> {
  const isFolder = (await stat(path)).isDirectory()
  const made = isFolder ? await reportOf(path) : studyReport(await readStudy(path), basename(path))
  if (json) {
    say(JSON.stringify(made))
    return 0
  }
  const target = resolve(
    output ?? (isFolder ? join(path, files.page) : `${path.replace(/\.[^.]+$/, '')}.html`),
  )
  await writeFilesAtomically(dirname(target), [[basename(target), [Buffer.from(String(reportPage(made)))]]])
  say(`written to ${target}`)
  return 0
}
