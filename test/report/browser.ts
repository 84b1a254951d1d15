import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
)

/** Whether there is a browser to test with; where there is none, that is said. */
export const hasBrowser = executablePath !== undefined
if (!hasBrowser) console.log('browser: there is no Chromium on this machine; what needs one is skipped')

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] })

/** Sizes and schemes that pages are looked at in. */
export const views = [
  [360, 'light'],
  [360, 'dark'],
  [1280, 'light'],
  [1280, 'dark'],
] as const

/** A page, and all that must not happen on it: errors, dialogs, requests beside those that `allowed` says. */
export async function watchedPage(
  browser: Browser,
  [width, colorScheme]: (typeof views)[number],
  allowed: (url: string) => boolean,
): Promise<{ page: Page; troubles: string[] }> {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme })
  const page = await context.newPage()
  const troubles: string[] = []
  page.on('console', message => troubles.push(`${message.type()}: ${message.text()}`))
  page.on('pageerror', error => troubles.push(error.message))
  page.on('dialog', dialog => {
    troubles.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', request => {
    if (!allowed(request.url())) troubles.push(`request: ${request.url()}`)
  })
  return { page, troubles }
}
