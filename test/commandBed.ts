import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect } from 'vitest'
import { installedCommand } from './installed.ts'

const built = fileURLToPath(new URL('../dist/command/index.js', import.meta.url))

/**
 * A folder of its own for a file of tests, and `lockstep` as a process in it: as it was built, or `installed` from the
 * packed library.
 */
export function commandBed(name: string, installed = false) {
  let program = built
  if (installed)
    beforeAll(async () => {
      program = await installedCommand()
    }, 60_000)
  const folder = mkdtempSync(join(tmpdir(), `${name}-`))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
      cwd: folder,
      encoding: 'utf8',
    })
    return { status, stdout, stderr }
  }
  return {
    folder,
    run,
    /** Where the command is, once tests run. */
    program: () => program,
    /** What is said on the standard output, with code 0. */
    done(...args: string[]): string {
      const { status, stdout, stderr } = run(...args)
      expect(stderr.match(/lockstep: .*/)?.[0]).toBeUndefined()
      expect(status).toBe(0)
      return stdout
    },
    /** The message of a command that fails with this code. */
    refused(code: number, ...args: string[]): string {
      const { status, stdout, stderr } = run(...args)
      expect(stdout).toBe('')
      expect(status).toBe(code)
      return stderr
    },
  }
}
