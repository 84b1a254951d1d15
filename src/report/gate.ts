import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** What is done with a request: refused, sent on with a cookie, shown the page, or told of events. */
export type Verdict =
  | { readonly status: 400 | 401 | 403 | 404 | 405 }
  | { readonly status: 303; readonly cookie: string }
  | { readonly status: 200; readonly what: 'page' | 'events' }

/** Hosts that a browser on this machine may call the server. */
export const hostsOf = (port: number): string[] => [`127.0.0.1:${port}`, `localhost:${port}`]

/** Cookies know no ports: the name says whose it is. */
const cookieName = (port: number) => `lockstep-${port}`

function isSecret(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)]
  return a.length === b.length && timingSafeEqual(a, b)
}

const countOf = ({ rawHeaders }: IncomingMessage, name: string) =>
  rawHeaders.filter((word, i) => i % 2 === 0 && word.toLowerCase() === name).length

/**
 * Judges a request before anything else looks at it: by its host, lest a name that was bound anew to 127.0.0.1 reach the
 * server; by its origin, lest another page ask; by its method; then by the token, in the address once, in the cookie after.
 */
export function judge(request: IncomingMessage, port: number, token: string): Verdict {
  const { method, url = '', headers } = request
  const hosts = hostsOf(port)
  if (countOf(request, 'host') !== 1 || !hosts.includes(headers.host!)) return { status: 403 }
  const { origin } = headers
  if (origin !== undefined && origin !== `http://${headers.host}`) return { status: 403 }
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return { status: 403 }
  if (method !== 'GET') return { status: 405 }
  const parts = /^(\/(?!\/)[^?#]*)(?:\?([^#]*))?$/.exec(url)
  if (!parts) return { status: 400 }
  const [, path, query] = parts
  const given = new URLSearchParams(query).getAll('token')
  if (path === '/' && given.length > 0) {
    if (given.length !== 1 || !isSecret(given[0]!, token)) return { status: 403 }
    return { status: 303, cookie: `${cookieName(port)}=${token}; HttpOnly; SameSite=Strict; Path=/` }
  }
  const cookies = (headers.cookie ?? '').split(';').map(cookie => cookie.trim().split('='))
  const isKnown = cookies.some(([name, value = '']) => name === cookieName(port) && isSecret(value, token))
  if (!isKnown) return { status: 401 }
  if (path === '/') return { status: 200, what: 'page' }
  return path === '/events' ? { status: 200, what: 'events' } : { status: 404 }
}
