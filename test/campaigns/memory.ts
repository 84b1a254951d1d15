import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Campaign } from './index.ts'

const command = fileURLToPath(new URL('../../dist/command/index.js', import.meta.url))
const rows = 3_000_000
/** What training is given, and what Node may take beside: the heap, code, threads, pages that were read. */
const [limit, beside] = [256 * 2 ** 20, 350 * 2 ** 20]

/** Twelve numbers, a word of 50, and a number that follows from them. */
async function writeTable(path: string): Promise<void> {
  const file = createWriteStream(path)
  const names = Array.from({ length: 12 }, (_, c) => `n${c}`)
  file.write(`${[...names, 'word', 'y'].join()}\n`)
  for (let from = 0; from < rows; from += 10_000) {
    let text = ''
    for (let i = from; i < from + 10_000; i++) {
      const numbers = names.map((_, c) => ((i * (7919 + 2 * c)) % 99_991) / 1000)
      const word = (i * 31) % 50
      text += `${numbers.join()},w${word},${(numbers[0]! - numbers[5]! + word).toFixed(3)}\n`
    }
    if (!file.write(text)) await once(file, 'drain')
  }
  file.end()
  await once(file, 'finish')
}

/** Trains in a process of its own; what it says, and the most memory that it had (Linux). */
async function trained(folder: string, data: string, ...options: string[]) {
  const args = [
    'train',
    data,
    '--target',
    'y',
    '--epochs',
    '3',
    '--json',
    '--out',
    join(folder, options.length > 0 ? 'limited' : 'whole'),
  ]
  const child = spawn(process.execPath, [command, ...args, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let [said, peak] = ['', 0]
  child.stdout.on('data', text => {
    said += text
  })
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
      peak = Math.max(peak, 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0))
    } catch {
      // It has ended.
    }
  }, 100)
  const [code] = await once(child, 'close')
  clearInterval(timer)
  if (code !== 0) throw new Error(`train ${options.join(' ')}: must end with code 0, got ${code}`)
  return { ...JSON.parse(said), peak }
}

const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`

/** A table of some 300 MB is trained on in memory, and within a limit that it does not fit into. */
export const memory: Campaign = async print => {
  const folder = mkdtempSync(join(tmpdir(), 'campaign-'))
  const failures: string[] = []
  try {
    const data = join(folder, 'table.csv')
    await writeTable(data)
    print(`${rows} rows, ${mib(statSync(data).size)}`)
    for (const options of [['--max-memory', String(limit)], []]) {
      const { peak, scores, seconds, rowsPerSecond } = await trained(folder, data, ...options)
      const times = Object.entries(seconds).map(
        ([name, spent]) => `${name} ${(spent as number).toFixed(1)} s`,
      )
      print(
        `${options.join(' ') || 'in memory'}: at most ${mib(peak)}, R² ${scores.model.r2.toFixed(4)}, ` +
          `${times.join(', ')}, ${rowsPerSecond} rows a second`,
      )
      if (options.length > 0 && peak > limit + beside)
        failures.push(`memory: must be at most ${mib(limit + beside)}, got ${mib(peak)}`)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return failures
}
