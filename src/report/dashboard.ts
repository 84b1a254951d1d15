import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { judge } from './gate.ts'
import { html } from './markup.ts'
import { livePageOf, livePolicyOf } from './page.ts'
import type { RunReport } from './report.ts'
import { type Section, sectionsOf } from './view.ts'

export interface DashboardOptions {
  /** Default 0: any that is free. */
  readonly port?: number
  /** Readers that are told of events, at most. Default 16. */
  readonly mostReaders?: number
  /** Bytes that may wait for a reader before it is dropped. Default 2 MiB. */
  readonly mostWaitingBytes?: number
  /** Shortest time between two updates. Default 400. */
  readonly intervalMs?: number
}

/** Puts each section that comes in the place of what it was. */
const script = `
const state = document.getElementById('state')
const source = new EventSource('/events')
source.onopen = () => { state.textContent = 'live' }
source.onerror = () => { state.textContent = 'not connected: training has ended, or the page was dropped' }
source.onmessage = event => {
  const { id, content } = JSON.parse(event.data)
  const section = document.getElementById(id)
  if (section) section.innerHTML = content
}
`

const headers: Readonly<Record<string, string>> = {
  'Content-Security-Policy': livePolicyOf(script),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
}

const reasons: Readonly<Record<number, string>> = {
  400: 'The address is none of this server.',
  401: 'The address must be the one that was printed, with its token.',
  403: 'This server answers to its own page on this machine only.',
  404: 'There is nothing here.',
  405: 'This server can only be read from.',
  503: 'There are too many readers.',
}

/** How long readers may take for the last update before the server ends. */
const farewellMs = 300

/** A page that follows a training, for browsers on this machine. Nothing that happens to it stops the training. */
export class Dashboard {
  /** With the token. */
  readonly url: string
  private readonly server: Server
  private readonly port: number
  private readonly token: string
  private readonly options: Required<DashboardOptions>
  private readonly readers = new Set<ServerResponse>()
  private current: (() => RunReport) | undefined
  private sent = new Map<string, string>()
  private timer: NodeJS.Timeout | undefined

  private constructor(server: Server, token: string, options: Required<DashboardOptions>) {
    this.server = server
    this.token = token
    this.options = options
    this.port = (server.address() as AddressInfo).port
    this.url = `http://127.0.0.1:${this.port}/?token=${token}`
    server.on('request', (request, response) => this.answer(request, response))
  }

  /** @throws Error where the port cannot be had */
  static async open(given: DashboardOptions = {}): Promise<Dashboard> {
    const options = { port: 0, mostReaders: 16, mostWaitingBytes: 2 ** 21, intervalMs: 400, ...given }
    const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000, maxHeaderSize: 16_384 })
    server.maxConnections = 4 * options.mostReaders
    server.on('connection', socket => socket.unref())
    server.on('clientError', (_, socket) => socket.destroy())
    await new Promise<void>((resolve, reject) => {
      server.once('error', error =>
        reject(new Error(`dashboard: port ${options.port} must be free, got ${error.message}; name another`)),
      )
      server.listen(options.port, '127.0.0.1', resolve)
    })
    // What goes wrong later takes the page away, and nothing else.
    server.on('error', () => {})
    server.unref()
    return new Dashboard(server, randomBytes(24).toString('base64url'), options)
  }

  /** Shows a report from now on; it is asked for as often as readers are told. */
  show(current: () => RunReport): void {
    this.current = current
    if (this.readers.size === 0 || this.timer) return
    this.timer = setTimeout(() => this.update(), this.options.intervalMs)
    this.timer.unref()
  }

  /** Ends the server, once readers have the last report. */
  async close(): Promise<void> {
    if (this.readers.size > 0) this.update()
    const gone = [...this.readers].map(
      reader => new Promise<void>(resolve => reader.once('close', resolve).end()),
    )
    const late = new Promise<void>(resolve => setTimeout(resolve, farewellMs).unref())
    if (gone.length > 0) await Promise.race([Promise.all(gone), late])
    clearTimeout(this.timer)
    this.server.close()
    this.server.closeAllConnections()
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume()
    response.on('error', () => response.destroy())
    const verdict = judge(request, this.port, this.token)
    if (verdict.status === 303) {
      response.writeHead(303, { ...headers, Location: '/', 'Set-Cookie': verdict.cookie }).end()
    } else if (verdict.status !== 200) this.refuse(response, verdict.status)
    else if (verdict.what === 'page') this.sendPage(response)
    else this.listen(response)
  }

  private refuse(response: ServerResponse, status: number): void {
    const more = status === 405 ? { Allow: 'GET' } : {}
    response.writeHead(status, { ...headers, ...more, 'Content-Type': 'text/plain; charset=utf-8' })
    response.end(`${reasons[status]}\n`)
  }

  /** What there is to show: where that cannot be drawn, why. */
  private drawn(): { readonly title: string; readonly sections: readonly Section[] } {
    try {
      const report = this.current?.()
      return { title: report?.title ?? 'Training', sections: report ? sectionsOf(report) : [] }
    } catch (error) {
      const content = html`<p>This page cannot be drawn: ${String(error)}. The training goes on.</p>`
      return { title: 'Training', sections: [{ id: 'failure', content }] }
    }
  }

  private sections(): { id: string; content: string }[] {
    return this.drawn().sections.map(({ id, content }) => ({ id, content: String(content) }))
  }

  /** The page with empty sections, which the first events fill. */
  private sendPage(response: ServerResponse): void {
    const { title, sections } = this.drawn()
    const empty = sections.map(({ id }) => html`<section id="${id}"></section>`)
    const body = html`<main><p id="state" class="state">connecting</p>${empty}</main>`
    response.writeHead(200, { ...headers, 'Content-Type': 'text/html; charset=utf-8' })
    response.end(String(livePageOf(title, body, script)))
  }

  private listen(response: ServerResponse): void {
    if (this.readers.size >= this.options.mostReaders) {
      this.refuse(response, 503)
      return
    }
    response.writeHead(200, { ...headers, 'Content-Type': 'text/event-stream; charset=utf-8' })
    this.readers.add(response)
    response.on('close', () => this.readers.delete(response))
    for (const section of this.sections()) this.tell(response, section)
  }

  /** Tells all readers what has changed. */
  private update(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    const sections = this.sections()
    const changed = sections.filter(({ id, content }) => this.sent.get(id) !== content)
    this.sent = new Map(sections.map(({ id, content }) => [id, content]))
    for (const reader of this.readers) for (const section of changed) this.tell(reader, section)
  }

  /** A reader for whom too much waits is dropped: it may come again, and is told all there is. */
  private tell(reader: ServerResponse, section: { id: string; content: string }): void {
    if (reader.destroyed) return
    reader.write(`data: ${JSON.stringify(section)}\n\n`)
    if (reader.writableLength > this.options.mostWaitingBytes) reader.destroy()
  }
}
