import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readPng } from '../../src/formats/png.ts'
import { Tensor } from '../../src/index.ts'
import type { Trainable } from '../../src/model/trainable.ts'
import { Dashboard } from '../../src/report/dashboard.ts'
import type { RunReport } from '../../src/report/report.ts'
import type { Target } from '../../src/tables/encoding.ts'
import { train } from '../../src/tables/index.ts'
import type { ClassScores } from '../../src/tables/scores.ts'
import { examine } from '../../src/tables/story.ts'
import { thumbnailOf } from '../../src/tables/thumbnails.ts'
import { pngOf } from '../formats/pngFile.ts'
import { hasBrowser, launch, views, watchedPage } from './browser.ts'

const folder = mkdtempSync(join(tmpdir(), 'pictures-'))
let browser: Browser | undefined
beforeAll(async () => {
  for (let i = 0; i < 40; i++)
    for (const label of ['bright', 'dark']) {
      const values = Uint8Array.from(
        { length: 300 },
        (_, k) => (label === 'dark' ? 90 : 150) + ((k * i) % 50),
      )
      mkdirSync(join(folder, 'images', label), { recursive: true })
      const image = pngOf({ height: 10, width: 10, channels: 3, values }, 0)
      writeFileSync(join(folder, 'images', label, `${i}.png`), image)
    }
  if (hasBrowser) browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

const pixelsOf = (base64: string) => readPng('thumbnail', Buffer.from(base64, 'base64'))!

test('thumbnails: bytes as bright as they are, other numbers between their ends, large ones by every third pixel', () => {
  const bytes = new Tensor(Uint8Array.of(9, 9, 0, 8, 16, 4), [2, 3, 1, 1], 'uint8')
  expect(pixelsOf(thumbnailOf(bytes, 1, 16))).toEqual({
    height: 3,
    width: 1,
    channels: 1,
    values: Uint8Array.of(128, 255, 64),
  })
  const colours = new Tensor(Float32Array.of(-1, 0, 1, 7, 0.5, -0.5, 0, 7), [1, 1, 2, 4], 'float32')
  expect(pixelsOf(thumbnailOf(colours, 0, 1))).toEqual({
    height: 1,
    width: 2,
    channels: 3,
    values: Uint8Array.of(0, 128, 255, 191, 64, 128),
  })
  const wide = new Tensor(
    Uint8Array.from({ length: 130 * 2 }, (_, i) => i),
    [1, 2, 130, 1],
    'uint8',
  )
  const { height, width, values } = pixelsOf(thumbnailOf(wide, 0, 255))
  expect([height, width, ...values.subarray(0, 3)]).toEqual([1, 44, 0, 3, 6])
  const most = new Tensor(new Float32Array(300 * 300 * 3).map(Math.random), [1, 300, 300, 3], 'float32')
  expect(thumbnailOf(most, 0, 1).length).toBeLessThan(17_000)
})

test('what the report says of probabilities is what predict says: calibrated, and by the threshold', async () => {
  const outputs = Float32Array.of(0.9, 0.1, 0.1, 0.9)
  const model = {
    inputShapes: [[1]],
    predictAsync: async () => new Tensor(outputs, [2, 2], 'float32'),
  } as unknown as Trainable
  const target: Target = {
    name: 'y',
    task: 'class',
    type: 'category',
    classes: ['no', 'yes'],
    temperature: 2,
    threshold: 0.2,
  }
  const story = {
    target,
    truth: () => [1, 1],
    inputs: () => new Tensor(new Float32Array(2), [2, 1], 'float32'),
    place: { name: 'row', at: (_: string, row: number) => row },
  }
  const scores = { confusion: [], calibrationError: 0.1, uncalibratedError: 0.3 } as unknown as ClassScores
  const found = await examine(model, { ...story, columns: [] }, 'test', scores, { seed: 1, workers: 1 })
  // softmax(log p / 2) of 0.9 and 0.1.
  expect(found.classes!.calibration.bins.map(({ predicted }) => predicted)).toEqual([
    expect.closeTo(0.25, 6),
    expect.closeTo(0.75, 6),
  ])
  expect(found.classes!.calibration).toMatchObject({ error: 0.1, before: 0.3 })
  expect(found.worst!.rows).toEqual([
    ['0', 'yes', 'yes', '25 %'],
    ['1', 'yes', 'yes', '75 %'],
  ])
})

test.runIf(hasBrowser)(
  'worst images are seen from disk and in the dashboard, and nothing is asked for',
  {
    timeout: 60_000,
  },
  async () => {
    const dashboard = await Dashboard.open({ intervalMs: 20 })
    const { origin } = new URL(dashboard.url)
    const shots: RunReport[] = []
    const progress = {
      report(current: () => RunReport) {
        shots.push(current())
        dashboard.show(current)
      },
    }
    const options = { size: 10, filters: [4], hidden: [8], epochs: 2, workers: 1, progress }
    const live = await watchedPage(
      browser!,
      views[0],
      url => url.startsWith(`${origin}/`) || /^data:image/.test(url),
    )
    dashboard.show(() => ({ ...emptyReport, title: 'before' }))
    await live.page.goto(dashboard.url)
    await train({ ...options, data: join(folder, 'images'), out: join(folder, 'model') })
    expect(shots.at(-1)!.worst!.pictures).toHaveLength(10)
    expect(shots.at(-1)!.network![0]).toMatchObject({ type: 'Conv2D', shape: '10×10×4' })
    const seen = () => [...document.images].map(image => [image.complete, image.naturalWidth])
    await live.page.waitForFunction(
      () => [...document.images].filter(image => image.naturalWidth).length === 10,
    )
    expect(live.troubles).toEqual([])
    await live.page.context().close()
    await dashboard.close()
    for (const view of views) {
      const url = pathToFileURL(join(folder, 'model', 'report.html')).href
      const { page, troubles } = await watchedPage(
        browser!,
        view,
        asked => asked === url || /^data:image/.test(asked),
      )
      await page.goto(url)
      expect(await page.evaluate(seen)).toEqual(Array.from({ length: 10 }, () => [true, 10]))
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(view[0])
      expect(troubles).toEqual([])
      await page.context().close()
    }
    const [shown] = /base64,([^"]*)"/
      .exec(readFileSync(join(folder, 'model', 'report.html'), 'utf8'))!
      .slice(1)
    expect(pixelsOf(shown!)).toMatchObject({ height: 10, width: 10, channels: 3 })
  },
)

const emptyReport: RunReport = {
  format: 'lockstep report 1',
  title: '',
  subtitle: '',
  state: 'training',
  facts: [],
  remarks: [],
  warnings: [],
  commands: [],
}
