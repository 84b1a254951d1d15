import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunReport } from '../../src/report/report.ts'
import { studyReport } from '../../src/report/search.ts'
import { reportPage } from '../../src/report/view.ts'
import { trainTable } from '../../src/tables/index.ts'
import { tune } from '../../src/tune/tune.ts'
import { hasBrowser, launch, views, watchedPage } from './browser.ts'

const folder = mkdtempSync(join(tmpdir(), 'report-'))
let browser: Browser | undefined
afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

const columns = [
  '</script><script>alert(1)</script>',
  '"><img src=x onerror=alert(2)>',
  "it's <b>&amp;</b>",
  '\u202eabc😀',
]
const classes = ['<svg onload=alert(3)>', `'"><i>`, 'plain']
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`

/** A table whose names and values would run as code where they are not escaped. */
function hostileTable(): string {
  const path = join(folder, 'hostile <i>.csv')
  const lines = Array.from({ length: 300 }, (_, i) => {
    const c = i % 3
    const word = quoted(`<a href="javascript:alert(${i % 4})">`)
    const day = `2024-0${1 + (i % 7)}-11`
    return [i % 17 === 0 ? '' : c + Math.sin(i), word, day, Math.cos(7 * i), quoted(classes[c]!)].join(',')
  })
  writeFileSync(path, [[...columns, 'class'].map(quoted).join(','), ...lines].join('\n'))
  return path
}

const common = { epochs: 12, workers: 2, hidden: [8] }
const trained: RunReport[] = []
beforeAll(async () => {
  const progress = { report: (current: () => RunReport) => trained.push(current()) }
  const data = hostileTable()
  await trainTable({ ...common, data, target: 'class', out: join(folder, 'class'), progress })
  await trainTable({ ...common, data, target: columns[3]!, out: join(folder, 'number') })
  const space = {
    rate: { float: [1e-4, 1], log: true },
    [columns[0]!]: { choice: classes },
    n: { int: [1, 9] },
  } as const
  const study = await tune(
    space,
    ({ parameters, number }) => {
      if (number === 3) throw new Error(classes[0])
      return Math.abs(Math.log(parameters.rate) + 4) + parameters.n
    },
    { trials: 20, seed: 1 },
  )
  writeFileSync(join(folder, 'study.html'), String(reportPage(studyReport(study, classes[0]!))))
  if (hasBrowser) browser = await launch()
}, 240_000)

test('the report grows with each epoch, and says all at the end', () => {
  expect(trained.map(({ training }) => training!.epochs.length)).toEqual([
    ...Array.from({ length: 13 }, (_, i) => i),
    12,
  ])
  expect(trained.map(({ state }) => state)).toEqual([...Array.from({ length: 13 }, () => 'training'), 'done'])
  const last = trained.at(-1)!
  expect(JSON.parse(readFileSync(join(folder, 'class', 'report.json'), 'utf8'))).toEqual(
    JSON.parse(JSON.stringify(last)),
  )
  expect(last.training!.epochs[0]).toMatchObject({
    epoch: 1,
    logs: { loss: expect.any(Number), val_loss: expect.any(Number), gradientNorm: expect.any(Number) },
    learningRate: expect.closeTo(0.0003),
    pace: { samples: 210, barrierShares: [expect.any(Number), expect.any(Number)] },
  })
  expect(last.data!.columns.map(({ role }) => role)).toEqual(['input', 'input', 'input', 'input', 'target'])
  expect(last.data!.columns[0]).toMatchObject({ missing: 18, type: 'number' })
  expect(last.classes!.curves).toHaveLength(3)
  expect(last.importance!.columns[0]!.name).toBe(columns[0])
  expect(last.worst!.rows).toHaveLength(10)
  expect(last.commands[0]).toMatch(/^lockstep train '.*hostile <i>.csv' --/)
  for (const words of ['--target class', '--hidden 8', '--epochs 12'])
    expect(last.commands[0]).toContain(words)
})

test.runIf(hasBrowser).each(views)(
  'pages open from disk at %i px, %s: all charts, no error, no request',
  async (...view) => {
    const charts = { 'class/report': 10, 'number/report': 8, study: 6 }
    for (const [name, least] of Object.entries(charts)) {
      const url = pathToFileURL(join(folder, `${name}.html`)).href
      const { page, troubles } = await watchedPage(browser!, view, address => address === url)
      await page.goto(url)
      expect(troubles).toEqual([])
      const found = await page.evaluate(() => ({
        across: document.documentElement.scrollWidth,
        charts: [...document.querySelectorAll('figure.chart > svg')].map(
          svg => svg.getBoundingClientRect().height,
        ),
        lines: [...document.querySelectorAll<SVGPathElement>('.line')].map(line => line.getTotalLength()),
        foreign: document.querySelectorAll('script, img, iframe, a, i, section b b').length,
        paper: getComputedStyle(document.body).backgroundColor,
        narrow: [...document.querySelectorAll('figure:not(.wide) svg text')].filter(text => {
          const [inner, outer] = [text.getBoundingClientRect(), text.closest('svg')!.getBoundingClientRect()]
          return inner.left < outer.left - 2 || inner.right > outer.right + 2
        }).length,
      }))
      expect(found.across).toBeLessThanOrEqual(view[0])
      expect(found.charts.length).toBeGreaterThanOrEqual(least)
      expect(Math.min(...found.charts)).toBeGreaterThan(40)
      expect(found.lines.length).toBeGreaterThan(0)
      expect(Math.max(...found.lines)).toBeGreaterThan(100)
      expect(found.foreign).toBe(0)
      expect(found.narrow).toBe(0)
      expect(found.paper).toBe(view[1] === 'dark' ? 'rgb(17, 20, 24)' : 'rgb(246, 247, 249)')
      await page.context().close()
    }
  },
)
