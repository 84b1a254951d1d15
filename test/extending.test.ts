import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = readFileSync(join(root, 'docs/extending.md'), 'utf8')
/** Each example with the heading above it. */
const examples = page
  .split(/^## /m)
  .flatMap(section =>
    [...section.matchAll(/^```ts\n(.+?)^```/gms)].map(
      ([, source]) =>
        [section.split('\n')[0]!, source!.replace("'lockstep'", "'../../src/index.ts'")] as const,
    ),
  )

/** Calls `use` with a file of this text, in a folder of its own. */
async function withFile<T>(text: string, use: (file: string, folder: string) => Promise<T>): Promise<T> {
  await mkdir(join(root, 'tmp'), { recursive: true })
  const folder = await mkdtemp(join(root, 'tmp/extending-'))
  try {
    const file = join(folder, 'example.ts')
    await writeFile(file, text)
    return await use(file, folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** What the compiler says of a file. */
function complaints(file: string): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const program = ts.createProgram([file], options)
  const found = ts.getPreEmitDiagnostics(program, program.getSourceFile(file))
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

describe('docs/extending.md', { timeout: 120_000 }, () => {
  test('has an example of each kind', () => {
    expect(examples.map(([title]) => title)).toEqual([
      'A layer',
      'A loss within a layer',
      'A cell',
      'A loss',
      'A metric',
      'An optimizer',
    ])
  })

  test.each(examples)('%s: the example compiles and runs', (_, source) =>
    withFile(source, async (file, folder) => {
      expect(complaints(file)).toEqual([])
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { cwd: folder })
      expect(stderr).toBe('')
      expect(stdout).toMatch(/\d/)
      const losses = [...stdout.matchAll(/\d+\.\d+/g)].map(Number)
      if (source.includes('console.log(history.loss)')) expect(losses.at(-1)).toBeLessThan(losses[0]! / 2)
    }),
  )
})
