import { request } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Dashboard } from '../../src/report/dashboard.ts'
import { plainReport } from '../../src/report/plain.ts'

let dashboard: Dashboard
let port: number
let token: string
beforeAll(async () => {
  dashboard = await Dashboard.open({ mostReaders: 3, intervalMs: 5, mostWaitingBytes: 300_000 })
  const url = new URL(dashboard.url)
  port = Number(url.port)
  token = url.searchParams.get('token')!
  dashboard.show(() => plainReport({ title: 't', epochs: [], planned: 1, network: [], isDone: false }))
})
afterAll(() => dashboard.close())

interface Answer {
  status: number
  headers: Record<string, unknown>
  body: string
}

/** The answer to a request; of one that does not end, its head. */
function ask(method: string, path: string, headers: Record<string, string | string[]>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, response => {
      let body = ''
      const answer = () => resolve({ status: response.statusCode!, headers: response.headers, body })
      if (response.headers['content-type']?.startsWith('text/event-stream')) {
        answer()
        response.destroy()
        return
      }
      response.on('data', text => (body += text)).on('end', answer)
    })
    sent.on('error', reject).end()
  })
}

const hosts = (own: number) =>
  [
    ['own', `127.0.0.1:${own}`],
    ['own', `localhost:${own}`],
    ['other', 'evil.example'],
    ['other', `evil.example:${own}`],
    ['other', '127.0.0.1'],
    ['other', `127.0.0.1:${own + 1}`],
    ['other', `127.0.0.1.evil.example:${own}`],
    ['other', `[::1]:${own}`],
  ] as const
const origins = (host: string) =>
  [
    ['none', undefined],
    ['own', `http://${host}`],
    ['other', 'http://evil.example'],
    ['other', 'null'],
  ] as const
const methods = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'] as const
const proofs = ['none', 'cookie', 'wrong cookie', 'token', 'wrong token'] as const
const paths = ['/', '/events', '/../etc/passwd'] as const

function expected(
  host: string,
  origin: string,
  method: string,
  proof: (typeof proofs)[number],
  path: string,
): number {
  if (host === 'other' || origin === 'other') return 403
  if (method !== 'GET') return 405
  if (path === '/' && proof === 'token') return 303
  if (path === '/' && proof === 'wrong token') return 403
  if (proof !== 'cookie') return 401
  return path === '/' || path === '/events' ? 200 : 404
}

test('every request gets the status that its host, origin, method, token and path deserve', async () => {
  const cases = hosts(port).flatMap(([kind, host]) =>
    origins(host).flatMap(([originKind, origin]) =>
      methods.flatMap(method =>
        proofs.flatMap(proof => paths.map(path => ({ kind, host, originKind, origin, method, proof, path }))),
      ),
    ),
  )
  expect(cases.length).toBeGreaterThanOrEqual(500)
  const wrong: string[] = []
  const check = async ({ kind, host, originKind, origin, method, proof, path }: (typeof cases)[number]) => {
    const altered = `${token.startsWith('A') ? 'B' : 'A'}${token.slice(1)}`
    const cookie = proof === 'cookie' ? token : proof === 'wrong cookie' ? altered : undefined
    const query = proof === 'token' ? `?token=${token}` : proof === 'wrong token' ? `?token=${altered}` : ''
    const { status, headers, body } = await ask(method, `${path}${query}`, {
      host,
      ...(origin !== undefined && { origin }),
      ...(cookie !== undefined && { cookie: `a=b; lockstep-${port}=${cookie}` }),
    })
    const what = `${method} ${path} of ${host}, origin ${origin}, ${proof}`
    if (status !== expected(kind, originKind, method, proof, path)) wrong.push(`${what}: ${status}`)
    for (const [name, value] of [
      ['x-content-type-options', /^nosniff$/],
      ['referrer-policy', /^no-referrer$/],
      ['cache-control', /^no-store$/],
      ['content-security-policy', /^default-src 'none'; style-src 'sha256-\S+'; .*frame-ancestors 'none'$/],
    ] as const)
      if (!value.test(String(headers[name]))) wrong.push(`${what}: ${name} ${headers[name]}`)
    if (status === 303 && !/; HttpOnly; SameSite=Strict/.test(String(headers['set-cookie'])))
      wrong.push(`${what}: cookie`)
    if (status !== 303 && headers['set-cookie']) wrong.push(`${what}: a cookie for nothing`)
    if (headers['access-control-allow-origin'] || body.includes(token)) wrong.push(`${what}: tells too much`)
  }
  for (let i = 0; i < cases.length; i += 12) await Promise.all(cases.slice(i, i + 12).map(check))
  expect(wrong).toEqual([])
}, 60_000)

const known = () => ({ host: `127.0.0.1:${port}`, cookie: `lockstep-${port}=${token}` })

test.each([
  ['a whole address', 'http://evil.example/', 400],
  ['two slashes', '//evil.example/', 400],
  ['two tokens', '/?token=a&token=b', 403],
  ['an empty token', '/?token=', 403],
  ['a token elsewhere', '/events?token=', 200],
])('an odd address: %s', async (_, path, status) => {
  expect((await ask('GET', path, known())).status).toBe(status)
})

test('requests that another site makes are refused, by what browsers say of them', async () => {
  for (const [site, status] of [
    ['cross-site', 403],
    ['same-site', 403],
    ['same-origin', 200],
    ['none', 200],
  ] as const)
    expect((await ask('GET', '/', { ...known(), 'sec-fetch-site': site })).status).toBe(status)
})

/** Sends text as it is; resolves with the first line of the answer, if any. */
const raw = (text: string): Promise<string> =>
  new Promise(resolve => {
    let said = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.on('data', data => (said += data)).on('error', () => {})
    socket.on('close', () => resolve(said.split('\r\n')[0]!))
  })

test('two hosts, none, and what is no HTTP are refused', async () => {
  const own = `127.0.0.1:${port}`
  expect(
    await raw(`GET / HTTP/1.1\r\nHost: ${own}\r\nHost: evil.example\r\nConnection: close\r\n\r\n`),
  ).toMatch('403')
  expect(await raw('GET / HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch('400')
  expect(await raw('GET / HTTP/1.0\r\n\r\n')).toMatch('403')
  expect(await raw(`GET evil HTTP/1.1\r\nHost: ${own}\r\n\r\n`)).toBe('')
  expect(await raw('\u0000\r\n\r\n')).toBe('')
})

/** A reader of events that goes on reading, unless it is told to stand still; `tail` is what it read last. */
function read(
  isSlow = false,
): Promise<{ status: number; tail: () => string; closed: Promise<void>; end: () => void }> {
  return new Promise(resolve => {
    const options = { host: '127.0.0.1', port, path: '/events', headers: known(), agent: false }
    const sent = request(options, response => {
      let tail = ''
      const closed = new Promise<void>(done => response.on('close', done))
      response.on('error', () => {})
      if (isSlow) response.socket.pause()
      else
        response.on('data', data => {
          tail = `${tail}${data}`.slice(-300_000)
        })
      resolve({ status: response.statusCode!, tail: () => tail, closed, end: () => sent.destroy() })
    })
    sent.on('error', () => {}).end()
  })
}

test('readers are few; a slow one is dropped, while the others hear all', async () => {
  const [first, slow, third, fourth] = [await read(), await read(true), await read(), await read()]
  expect([first, slow, third, fourth].map(({ status }) => status)).toEqual([200, 200, 200, 503])
  third!.end()
  await third!.closed
  const filler = 'x'.repeat(200_000)
  let told = 0
  // A reader that was dropped makes room for another.
  let place = 503
  while (place === 503 && told < 300) {
    const title = `number ${++told}`
    dashboard.show(() =>
      plainReport({ title: `${filler} ${title}`, epochs: [], planned: 1, network: [], isDone: false }),
    )
    for (let i = 0; i < 2000 && !first!.tail().includes(`${title}<`); i++)
      await new Promise(done => setTimeout(done, 2))
    expect(first!.tail()).toContain(`${title}<`)
    const [next, last] = [await read(), await read()]
    place = last.status
    for (const one of [next, last]) one.end()
    await Promise.all([next, last].map(({ closed }) => closed))
    await new Promise(done => setTimeout(done, 5))
  }
  expect(place).toBe(200)
  expect(told).toBeGreaterThan(1)
  first!.end()
  slow!.end()
})

test('a report that cannot be drawn is told of on the page, and stops nothing', async () => {
  const wrong = () => {
    throw new TypeError('no <b>report</b>')
  }
  dashboard.show(wrong)
  const { status, body } = await ask('GET', '/', known())
  expect(status).toBe(200)
  expect(body).toContain('<section id="failure"></section>')
  const reader = await read()
  for (let i = 0; i < 2000 && !reader.tail().includes('goes on'); i++)
    await new Promise(done => setTimeout(done, 2))
  expect(reader.tail()).toContain(
    'cannot be drawn: TypeError: no &lt;b&gt;report&lt;/b&gt;. The training goes on.',
  )
  dashboard.show(() => plainReport({ title: 'again', epochs: [], planned: 1, network: [], isDone: false }))
  for (let i = 0; i < 2000 && !reader.tail().includes('again'); i++)
    await new Promise(done => setTimeout(done, 2))
  expect(reader.tail()).toContain('again')
  reader.end()
})
