import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { inject } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What a program prints. @throws Error with all of that where it fails */
export function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw error ?? new Error(`${command} ${args.join(' ')}: ${status}\n${stdout}\n${stderr}`)
  return stdout
}

/** Packs the library and installs it, without optional packages, into a folder where there is nothing else. */
export function install(folder: string): void {
  const packed = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], root))
  writeFileSync(join(folder, 'package.json'), '{ "name": "consumer", "private": true }\n')
  const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--prefer-offline']
  run('npm', ['install', '--omit=optional', ...quiet, join(folder, packed[0].filename)], folder)
}

/** The command line of the installed package, which all test files of a run share: the first that asks installs it. */
export async function installedCommand(): Promise<string> {
  const folder = join(inject('installed'), 'consumer')
  const [done, failed] = [join(folder, 'done'), join(folder, 'failed')]
  let isFirst = true
  try {
    mkdirSync(folder)
  } catch {
    isFirst = false
  }
  if (isFirst) {
    try {
      install(folder)
    } catch (error) {
      writeFileSync(failed, '')
      throw error
    }
    writeFileSync(done, '')
  }
  while (!existsSync(done)) {
    if (existsSync(failed)) throw new Error('installed: another test file could not install the package')
    await sleep(100)
  }
  return join(folder, 'node_modules/lockstep/dist/command/index.js')
}
