import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect } from 'vitest'
import { installedCommand } from './installed.ts'

const built = fileURLToPath(new URL('../dist/command/index.js', import.meta.url))

/**
 * A folder of its own for a file of tests, and `lockstep` as a process in it: installed from the packed library without
 * optional packages, or as it was `built`, where these are.
 */
export function commandBed(name: string, isBuilt = false) {
  let program = built
  if (!isBuilt)
    beforeAll(async () => {
      program = await installedCommand()
    }, 150_000)
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
    /** Exit code and messages of a command that gets signals once it has said `when`. */
    signalled(when: RegExp, signals: readonly NodeJS.Signals[], ...args: string[]) {
      const child = spawn(process.execPath, [program, ...args], {
        cwd: folder,
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      return new Promise<{ code: number | null; said: string }>(resolve => {
        let said = ''
        child.stderr.on('data', text => {
          if (!when.test(said) && when.test(`${said}${text}`))
            for (const signal of signals) child.kill(signal)
          said += text
        })
        child.on('close', code => resolve({ code, said }))
      })
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
