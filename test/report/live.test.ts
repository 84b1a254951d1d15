import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import * as ls from '../../src/index.ts'
import { installedCommand } from '../installed.ts'
import { hasBrowser, launch, views, watchedPage } from './browser.ts'

const folder = mkdtempSync(join(tmpdir(), 'live-'))
let browser: Browser | undefined
beforeAll(async () => {
  if (hasBrowser) browser = await launch()
})
afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

const x = Float32Array.from({ length: 3 * 100 }, (_, i) => ((i * 7919) % 101) / 101)
const y = Float32Array.from({ length: 100 }, (_, i) => x[3 * i]! - x[3 * i + 1]! + 0.1)

function modelOf() {
  const model = ls.sequential({ layers: [ls.layers.dense({ units: 1, inputShape: [3] })], seed: 3 })
  model.compile({ optimizer: ls.train.sgd(0.1), loss: 'meanSquaredError', metrics: ['meanAbsoluteError'] })
  return model
}

/** Resolves when it is called. */
function gate() {
  let open = () => {}
  const passed = new Promise<void>(resolve => (open = resolve))
  return { open: () => open(), passed }
}

test.runIf(hasBrowser).each(views)('a page at %i px, %s, follows training', async (...view) => {
  const address = gate()
  const [halfway, seen] = [gate(), gate()]
  let url = ''
  const dashboard = ls.callbacks.dashboard({
    title: '<script>alert(1)</script>',
    onUrl: told => {
      url = told
      address.open()
    },
  })
  const fitted = modelOf().fit(x, y, {
    epochs: 30,
    workers: 1,
    validationData: [x, y],
    callbacks: [
      dashboard,
      {
        onEpochEnd: async epoch => {
          if (epoch === 9) {
            halfway.open()
            await seen.passed
          }
        },
      },
    ],
  })
  await address.passed
  const { origin } = new URL(url)
  const { page, troubles } = await watchedPage(browser!, view, asked => asked.startsWith(`${origin}/`))
  await page.goto(url)
  expect(page.url()).toBe(`${origin}/`)
  await halfway.passed
  await page.waitForFunction(() => document.querySelector('#head dd')?.textContent?.startsWith('10'))
  const found = await page.evaluate(() => ({
    charts: document.querySelectorAll('figure.chart > svg').length,
    title: document.querySelector('h1')!.textContent,
    state: document.getElementById('state')!.textContent,
    across: document.documentElement.scrollWidth,
  }))
  expect(found).toMatchObject({ title: '<script>alert(1)</script>', state: 'live' })
  expect(found.charts).toBeGreaterThanOrEqual(4)
  expect(found.across).toBeLessThanOrEqual(view[0])
  seen.open()
  await page.waitForFunction(() => document.querySelector('#head dd')?.textContent?.startsWith('30'))
  await fitted
  // What the browser says when the server is gone is no fault of the page.
  expect(troubles.filter(trouble => !/net::ERR_/.test(trouble))).toEqual([])
  await page.context().close()
})

test('training goes on where the port is taken', async () => {
  const taken = createServer()
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as AddressInfo
  const said = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const { epoch } = await modelOf().fit(x, y, { epochs: 3, callbacks: ls.callbacks.dashboard({ port }) })
  expect(epoch).toEqual([0, 1, 2])
  expect(said.mock.calls[0]![0]).toMatch(`dashboard: port ${port} must be free, got listen EADDRINUSE`)
  said.mockRestore()
  taken.close()
  expect(() => ls.callbacks.dashboard({ port: 70_000 })).toThrow(
    'port must be an integer from 0 to 65535, got 70000; try 0',
  )
})

const data = fileURLToPath(new URL('../../examples/data/wine.csv', import.meta.url))

test('lockstep train --dashboard shows the page, and ends though a reader stays', {
  timeout: 150_000,
}, async () => {
  const program = await installedCommand()
  const args = [
    'train',
    data,
    '--target',
    'cultivar',
    '--out',
    join(folder, 'wine'),
    '--workers',
    '1',
    '--dashboard',
  ]
  const child = spawn(process.execPath, [program, ...args, '--epochs', '400', '--patience', '400'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = new Promise<number | null>(resolve => child.on('close', resolve))
  const url = await new Promise<string>(resolve => {
    let said = ''
    child.stderr.on('data', text => {
      said += text
      const found = /dashboard: (http\S+)\n/.exec(said)?.[1]
      if (found) resolve(found)
    })
  })
  const redirect = await fetch(url, { redirect: 'manual' })
  expect(redirect.status).toBe(303)
  const cookie = redirect.headers.get('set-cookie')!.split(';')[0]!
  const events = await fetch(new URL('/events', url), { headers: { cookie } })
  const reader = events.body!.getReader()
  let text = ''
  for (
    let piece = await reader.read();
    !piece.done;
    piece = await reader.read().catch(() => ({ done: true, value: undefined }))
  )
    text += Buffer.from(piece.value!).toString()
  expect(await ended).toBe(0)
  expect(text).toMatch('data: {"id":"head","content":"<h1>cultivar from wine.csv</h1>')
  expect(text).toMatch('Worst examples')
})
