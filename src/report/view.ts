import { html, type Markup, type Part } from './markup.ts'
import { pageOf } from './page.ts'
import type { RunReport } from './report.ts'
import { figure } from './scales.ts'
import { columnsTable, layersTable, resultsSection, trainingSection, worstTable } from './sections.ts'
import { studySection } from './studies.ts'

/** A part of the page, which can be put in place of what it was before. */
export interface Section {
  readonly id: string
  readonly content: Markup
}

const cards = (charts: Part): Part => charts && html`<div class="cards">${charts}</div>`

const headOf = ({ title, subtitle, facts }: RunReport): Markup => {
  const shown = facts.map(
    ({ name, value, note }) =>
      html`<div><dt>${name}</dt><dd>${value}${note !== undefined && html` <small>${note}</small>`}</dd></div>`,
  )
  return html`<h1>${title}</h1><p class="sub">${subtitle}</p><dl class="facts">${shown}</dl>`
}

/** Options that a sentence names are not broken at their hyphens. */
const sentence = (text: string): Part =>
  text.split(/(--[a-z][a-z\d-]*)/).map((words, i) => (i % 2 === 1 ? html`<code>${words}</code>` : words))

const said = (lines: readonly { readonly kind: string; readonly text: string }[]): Part =>
  lines.length > 0 &&
  html`<ul class="said">${lines.map(({ kind, text }) => html`<li class="${kind}">${sentence(text)}</li>`)}</ul>`

/** The sections of a report, in their order; those with nothing in them are empty. */
export function sectionsOf(report: RunReport): Section[] {
  const { part, data, remarks, warnings, commands, network } = report
  const rows = data && `${figure(data.rows)} rows, ${data.columns.length} columns.`
  const listed: [id: string, title: string, note: string | undefined, content: Part][] = [
    ['remarks', 'What this run says', undefined, said(remarks)],
    ['training', 'Training', undefined, cards(trainingSection(report))],
    [
      'results',
      'Results',
      part && `Of the ${part} part, which was not trained on.`,
      cards(resultsSection(report)),
    ],
    ['search', 'Search', undefined, cards(studySection(report))],
    [
      'worst',
      'Worst examples',
      part && `Rows of the ${part} part with the highest loss.`,
      worstTable(report),
    ],
    ['data', 'Data', rows, columnsTable(report)],
    [
      'network',
      'Network',
      network && `${figure(network.reduce((sum, { weights }) => sum + weights, 0))} weights.`,
      layersTable(report),
    ],
    ['warnings', 'Warnings', undefined, said(warnings.map(text => ({ kind: 'look', text })))],
    [
      'repeat',
      'To repeat it',
      undefined,
      commands.length > 0 && commands.map(command => html`<pre>${command}</pre>`),
    ],
  ]
  const sections = listed.map(([id, title, note, content]) => ({
    id,
    content: content ? html`<h2>${title}</h2>${note && html`<p class="note">${note}</p>`}${content}` : html``,
  }))
  return [{ id: 'head', content: headOf(report) }, ...sections]
}

/** A report as a page that needs no other file. */
export function reportPage(report: RunReport): Markup {
  const sections = sectionsOf(report).map(({ id, content }) => html`<section id="${id}">${content}</section>`)
  return pageOf(report.title, html`<main>${sections}</main>`)
}
