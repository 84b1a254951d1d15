/** What is covered of one entry of TensorFlow.js. */
export interface Row {
  readonly name: string
  readonly missing?: boolean
  /** The entry of which this is another name. */
  readonly twin?: string
  /** Options that are the same. */
  readonly covered?: readonly string[]
  /** Sentences. */
  readonly differs?: readonly string[]
  /** Options that are not there, or why the entry is not. */
  readonly absent?: readonly string[]
}

export const code = (text: unknown): string => `\`${typeof text === 'string' ? text : JSON.stringify(text)}\``

export const listed = <T>(item: T | undefined): T[] => (item === undefined ? [] : [item])

/** An option that is not there, and why. */
export const absent = (name: string, why: string | undefined): string =>
  why === undefined ? code(name) : `${code(name)} (${why})`

function verdict({ missing, differs = [], absent: without = [] }: Row): string {
  if (missing) return '**absent**'
  return differs.length + without.length > 0 ? 'differs' : 'covered'
}

const line = (row: Row): string => {
  const { name, covered = [], differs = [], absent: without = [], twin } = row
  const same = twin ? `as ${code(twin)}` : covered.map(code).join(', ')
  const cells = [code(name), verdict(row), same, differs.join('. '), without.join(', ')]
  return `| ${cells.join(' | ')} |`
}

/** A section of the page: what it is about, and a table. */
export const section = (title: string, text: string, rows: readonly Row[]): string[] => {
  const there = rows.filter(row => !row.missing).length
  return [
    `## ${title}`,
    '',
    `${text} ${there} of ${rows.length} are there.`.trim(),
    '',
    '| TensorFlow.js | | the same | differs | absent |',
    '|---|---|---|---|---|',
    ...rows.map(line),
    '',
  ]
}
