import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A safeguard that is taken out of a copy of the source, and the test that must fail then. */
export interface Sabotage {
  readonly without: string
  readonly file: string
  readonly code: string
  readonly instead: string
  readonly test: readonly [file: string, name: string]
}

const powerLoss = ['test/checkpoints/powerLoss.test.ts', 'power loss'] as const
const format = 'test/checkpoints/format.test.ts'

export const sabotages: readonly Sabotage[] = [
  {
    without: 'the fsync of a checkpoint',
    file: 'src/formats/atomicFiles.ts',
    code: '      await file.sync()\n',
    instead: '',
    test: powerLoss,
  },
  {
    without: 'the fsync of the directory',
    file: 'src/checkpoints/store.ts',
    code: '      await syncFolder(this.#files, this.#directory)\n',
    instead: '',
    test: powerLoss,
  },
  {
    without: 'the rename',
    file: 'src/checkpoints/store.ts',
    code: 'temporary, pieces)\n      await this.#files.rename(temporary, path)',
    instead: 'path, pieces)',
    test: powerLoss,
  },
  {
    without: 'the length check',
    file: 'src/checkpoints/reading.ts',
    code: 'if (length !== BigInt(size))',
    instead: 'if (length < 0n)',
    test: [format, 'another length at its end'],
  },
  {
    without: 'the checksum',
    file: 'src/checkpoints/reading.ts',
    code: 'if (sha256 !== stated)',
    instead: 'if (sha256.length === 0)',
    test: [format, 'a bit in any byte'],
  },
  {
    without: 'the lock',
    file: 'src/checkpoints/lock.ts',
    code: 'if (await isAlive(files, owner, boot))',
    instead: 'if (owner.pid < 0)',
    test: ['test/checkpoints/store.test.ts', 'that of another process that lives is respected'],
  },
  {
    without: 'the fixed order of a reduction',
    file: 'src/graph/graph.ts',
    code: 'for (const span of this.cells.spans) sum.push(one(span))',
    instead: 'for (const span of this.cells.spans.toReversed()) sum.push(one(span))',
    test: ['test/model.test.ts', 'leaves one at a time gives the same bits'],
  },
  {
    without: 'the abort check in the barrier',
    file: 'src/runtime/control.ts',
    code: "if (Atomics.load(this.words, words.abort) !== 0) throw new RunAborted('the run was aborted')",
    instead: '',
    test: ['test/barrier.test.ts', 'wakes those who sleep at a barrier'],
  },
  {
    without: 'the counter in the key of dropout',
    file: 'src/runtime/stepper.ts',
    code: 'ints[key + 2] = step',
    instead: 'ints[key + 2] = 0',
    test: ['test/noise.test.ts', 'dropout drops other elements in each step'],
  },
]

const root = fileURLToPath(new URL('..', import.meta.url))

/** A copy of what tests run. */
export function copySource(): string {
  const copy = mkdtempSync(join(tmpdir(), 'sabotage-'))
  for (const name of ['src', 'test', 'build', 'package.json', 'vitest.config.ts'])
    cpSync(join(root, name), join(copy, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

/** Runs one test of the copy; tells how many passed and failed. */
export function runTest(copy: string, [file, name]: Sabotage['test']): { passed: number; failed: number } {
  const vitest = join(copy, 'node_modules/vitest/vitest.mjs')
  const { stdout } = spawnSync(process.execPath, [vitest, 'run', file, '-t', name, '--reporter=json'], {
    cwd: copy,
    encoding: 'utf8',
    // A run within a run would take itself for a part of it.
    env: Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('VITEST'))),
  })
  const { numPassedTests: passed, numFailedTests: failed } = JSON.parse(stdout.slice(stdout.indexOf('{"')))
  return { passed, failed }
}

/** Runs its test while the safeguard is missing. @throws Error where the code is not there, or more than once */
export function runSabotaged(copy: string, { file, code, instead, test }: Sabotage) {
  const path = join(copy, file)
  const source = readFileSync(path, 'utf8')
  if (source.split(code).length !== 2) throw new Error(`${file} must have once: ${code}`)
  writeFileSync(
    path,
    source.replace(code, () => instead),
  )
  try {
    return runTest(copy, test)
  } finally {
    writeFileSync(path, source)
  }
}
