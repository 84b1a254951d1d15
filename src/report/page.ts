import { createHash } from 'node:crypto'
import { html, Markup } from './markup.ts'
import { style } from './style.ts'

const hashOf = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** What a page may load: pictures that it holds itself, and nothing else. Its own style is known by its hash. */
const policy = `default-src 'none'; style-src ${hashOf(style)}; img-src data:; base-uri 'none'; form-action 'none'`

/** What a page with this script may do, as the server that sends it says: ask that server, and run the script. */
export const livePolicyOf = (script: string): string =>
  `${policy}; script-src ${hashOf(script)}; connect-src 'self'; frame-ancestors 'none'`

const documentOf = (title: string, head: Markup, body: Markup) => html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
${head}<title>${title}</title><style>${new Markup(style)}</style></head>
<body>${body}</body></html>
`

/** A whole page that needs no other file. */
export function pageOf(title: string, body: Markup): Markup {
  const head = html`<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">`
  return documentOf(title, head, body)
}

/** A page that a server sends under `livePolicyOf(script)`; it asks for no icon. */
export const livePageOf = (title: string, body: Markup, script: string): Markup =>
  documentOf(
    title,
    html`<link rel="icon" href="data:,">`,
    html`${body}<script>${new Markup(script)}</script>`,
  )
