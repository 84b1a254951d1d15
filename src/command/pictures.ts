import { basename, dirname } from 'node:path'
import { writeFilesAtomically } from '../formats/atomicFiles.ts'
import { type LineOptions, lineChart } from '../report/charts.ts'
import { html } from '../report/markup.ts'
import { pageOf } from '../report/page.ts'
import { note, UsageError } from './terminal.ts'

/** @throws UsageError for a picture that is no .html, before anything is done for it */
export function checkPicture(where: string, output: string | undefined): void {
  if (output !== undefined && !output.endsWith('.html'))
    throw new UsageError(`${where}: --output must end in .html, got ${output}; rename it`)
}

/** Writes a page with charts, if one is asked for. */
export async function writePicture(
  output: string | undefined,
  title: string,
  charts: readonly LineOptions[],
): Promise<void> {
  if (output === undefined) return
  const page = pageOf(title, html`<main><h1>${title}</h1>${charts.map(lineChart)}</main>`)
  await writeFilesAtomically(dirname(output), [[basename(output), [Buffer.from(String(page))]]])
  note(`written to ${output}`)
}
