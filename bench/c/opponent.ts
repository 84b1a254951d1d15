import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** product.c as a process that measures on demand. */
export interface Opponent {
  /** Least seconds of one call of the task at (m, n, k) within `ms`. */
  time(task: string, size: readonly number[], ms: number): Promise<number>
  stop(): void
}

const source = fileURLToPath(new URL('./product.c', import.meta.url))

/**
 * Compiles and starts product.c with vectors of so many bits; undefined where there is no C compiler for x64.
 */
export async function startOpponent(bits: 128 | 256): Promise<Opponent | undefined> {
  if (process.arch !== 'x64') return undefined
  const directory = await mkdtemp(join(tmpdir(), 'lockstep-bench-'))
  try {
    const program = join(directory, 'product')
    const flags = bits === 256 ? ['-mavx2', '-mfma'] : ['-mfma', '-DNARROW']
    await promisify(execFile)('cc', ['-O3', ...flags, source, '-o', program])
    const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    return {
      async time(task, size, ms) {
        child.stdin.write(`${task} ${size.join(' ')} ${ms}\n`)
        const { done, value } = await lines.next()
        if (done) throw new Error(`${source}: ended during ${task} ${size.join('×')}`)
        return Number(value)
      },
      stop: () => child.stdin.end(),
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  } finally {
    await rm(directory, { recursive: true })
  }
}
