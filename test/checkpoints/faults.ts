import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { openStore } from '../../src/checkpoints/store.ts'
import { type Files, type OpenFile, realFiles } from '../../src/formats/files.ts'
import { bytesOf, numbered } from './bytes.ts'
import { procFile } from './proc.ts'

/**
 * Each operation on files fails in each way, once or from then on. Whatever becomes of the run, the next one must
 * find the old or the new checkpoint, byte for byte, and clean up.
 */
export const faults = ['EIO', 'ENOSPC', 'EBUSY', 'short', 'crash before', 'crash after'] as const
type Fault = (typeof faults)[number]

/** Where something fails. A crash that lasts meets the next starts too. */
interface Cell {
  readonly at: number
  readonly fault: Fault
  readonly lasting: boolean
}

const boot = '0b5f2c9e-0000-4000-8000-000000000001'

/** What is tried: the directory as it was, and the steps that are saved then; those divisible by 3 as the best. */
export interface Plan {
  readonly keep: number
  readonly before: readonly number[]
  readonly steps: readonly number[]
}

/** A process that works on real files until a fault meets it. Nothing is synced: no power is lost here. */
class Process implements Files {
  /** What it has done, by name and kind of file. */
  readonly operations: string[] = []
  openFiles = 0
  dead = false
  readonly #start: number
  readonly #cell: Cell | undefined

  constructor(start: number, cell?: Cell) {
    this.#start = start
    this.#cell = cell
  }

  async #do<T>(name: string, run: () => Promise<T>, less = run): Promise<T> {
    if (this.dead) throw new Error('the process is dead')
    const n = this.operations.push(name) - 1
    const { at, fault, lasting } = this.#cell ?? {
      at: Number.POSITIVE_INFINITY,
      fault: 'EIO',
      lasting: false,
    }
    if (n < at || (n > at && !lasting)) return run()
    if (fault === 'short') return less()
    if (fault.startsWith('E')) throw Object.assign(new Error(`${fault}: ${name}`), { code: fault })
    this.dead = true
    if (fault === 'crash after') await ((await run()) as Partial<OpenFile> | undefined)?.close?.()
    throw new Error('the process is dead')
  }

  async open(path: string, flags: string | number): Promise<OpenFile> {
    const kind = kindOf(path)
    const isProc = path.startsWith('/proc/')
    const opened = await this.#do(`open ${kind}`, async () => {
      return isProc ? procFile(path, this.#start, boot) : realFiles.open(path, flags)
    })
    this.openFiles++
    return {
      stat: () => this.#do(`stat ${kind}`, () => opened.stat()),
      read: (target, offset, length, position) =>
        this.#do(
          `read ${kind}`,
          () => opened.read(target, offset, length, position),
          () => opened.read(target, offset, Math.ceil(length / 2), position),
        ),
      write: (source, offset, length) =>
        this.#do(
          `write ${kind}`,
          () => opened.write(source, offset, length),
          () => opened.write(source, offset, Math.ceil(length / 2)),
        ),
      sync: () => this.#do(`sync ${kind}`, async () => {}),
      close: async () => {
        this.openFiles--
        // The system closes a file even where it reports an error, or the process dies.
        await opened.close()
        await this.#do(`close ${kind}`, async () => {})
      },
    }
  }

  rename(from: string, to: string): Promise<void> {
    return this.#do(`rename ${kindOf(from)}`, () => realFiles.rename(from, to))
  }

  unlink(path: string): Promise<void> {
    return this.#do(`unlink ${kindOf(path)}`, () => realFiles.unlink(path))
  }

  mkdir(path: string, options: { recursive: true }): Promise<string | undefined> {
    return this.#do('mkdir', () => realFiles.mkdir(path, options))
  }

  readdir(path: string): Promise<string[]> {
    return this.#do('readdir', () => realFiles.readdir(path))
  }
}

function kindOf(path: string): string {
  const name = basename(path)
  if (path.startsWith('/proc/')) return name
  if (name.startsWith('.lock')) return 'lock'
  return name.endsWith('.ckpt') ? 'checkpoint' : name.startsWith('.step') ? 'temporary' : 'folder'
}

/** The steps whose checkpoint may be the newest; the first is that of the last save that succeeded. */
type Possible = number[]

const isBest = (step: number) => step % 3 === 0

/** Saves a few checkpoints as a training would, which goes on where one cannot be saved. */
async function train(
  files: Process,
  directory: string,
  { keep, steps }: Plan,
  possible: Possible,
): Promise<void> {
  const store = await openStore({ directory, keep }, files)
  await store.newest()
  for (const step of steps) {
    possible.push(step)
    await store.save(numbered(step), { step, best: isBest(step) }).then(
      () => possible.splice(0, possible.length, step),
      () => {},
    )
  }
  await store.close()
}

/** A directory with checkpoints, and what two writers left that were killed. */
function prepare(directory: string, { before }: Plan): void {
  const write = (name: string, bytes: Uint8Array) => writeFileSync(join(directory, name), bytes)
  const none = new Uint8Array()
  for (const step of before) {
    const digits = String(step).padStart(6, '0')
    write(`step-000000${digits}-save-${digits}${isBest(step) ? '-best' : ''}.ckpt`, bytesOf(numbered(step)))
  }
  const half = bytesOf(numbered(9)).subarray(0, 99)
  write('.step-000000000009-save-000009.ckpt.7e7c1a52-9d4e-4c1b-8a55-3f1d6c2b9e10', half)
  write(`.lock-pid-${process.pid}-start-5-boot-${boot}`, none)
  write('.lock-pid-1-start-77-boot-9c3d5b1f-0000-4000-8000-000000000000', none)
}

const isCheckpoint = (name: string) => name.startsWith('step-')

/** What is wrong with the checkpoints in a directory, each of which must be what was saved, byte for byte. */
function differences(directory: string): string[] {
  return readdirSync(directory)
    .filter(isCheckpoint)
    .filter(name => !readFileSync(join(directory, name)).equals(bytesOf(numbered(Number(name.slice(5, 17))))))
    .map(name => `${name} is not what was saved`)
}

/** What is wrong when the next process comes. */
async function nextStart(directory: string, { keep, before }: Plan, possible: Possible): Promise<string[]> {
  const next = new Process(1000)
  const store = await openStore({ directory, keep }, next)
  const newest = await store.newest()
  const step = (newest?.checkpoint.header.step ?? 0) as number
  const wrong = differences(directory)
  if (!possible.includes(step)) wrong.push(`the newest is ${step}, not of ${possible.join(', ')}`)
  for (const { path, reason } of newest?.skipped ?? []) wrong.push(`${path} was skipped: ${reason}`)
  const count = readdirSync(directory).filter(isCheckpoint).length
  if (count < Math.min(keep, before.length)) wrong.push(`only ${count} checkpoints are left`)
  const rubbish = readdirSync(directory).filter(name => !isCheckpoint(name))
  if (rubbish.length !== 1) wrong.push(`left: ${rubbish.join(', ')}`)
  await store.save(numbered(99), { step: 99 })
  if ((await store.list()).length > keep + 1) wrong.push('old ones were not removed')
  await store.close()
  const left = readdirSync(directory).filter(name => !isCheckpoint(name))
  return left.length === 0 ? wrong : [...wrong, `left at the end: ${left.join(', ')}`]
}

/** What is wrong after a fault. */
async function tryCell(root: string, plan: Plan, cell: Cell): Promise<string[]> {
  const directory = mkdtempSync(join(root, 'run-'))
  prepare(directory, plan)
  const possible: Possible = [plan.before.at(-1) ?? 0]
  const isCrash = cell.fault.startsWith('crash')
  for (let start = 10; start < (isCrash && cell.lasting ? 13 : 11); start++) {
    const files = new Process(start, cell)
    await train(files, directory, plan, possible).catch(() => {})
    if (files.openFiles !== 0) return [`${files.openFiles} files are open`]
    // What failed once and could be cleaned up must be as if it had not been tried; what is short goes on.
    if (!isCrash && !cell.lasting) possible.splice(1)
    if (cell.fault === 'short') possible.splice(0, possible.length, plan.steps.at(-1)!)
  }
  const wrong = await nextStart(directory, plan, possible)
  rmSync(directory, { recursive: true })
  return wrong
}

/** What came of every cell. */
export interface FaultReport {
  operations: string[]
  cells: number
  /** One line for each operation: its name, then for each fault once and lasting `.` passed, `X` failed, a blank none. */
  table: string[]
  failures: string[]
}

export async function runFaults(plan: Plan): Promise<FaultReport> {
  const root = mkdtempSync(join(tmpdir(), 'faults-'))
  try {
    const unharmed = new Process(10)
    const directory = mkdtempSync(join(root, 'run-'))
    prepare(directory, plan)
    await train(unharmed, directory, plan, [])
    const report: FaultReport = { operations: unharmed.operations, cells: 0, table: [], failures: [] }
    for (const [at, operation] of unharmed.operations.entries()) {
      let row = ''
      for (const fault of faults) {
        for (const lasting of [false, true]) {
          const applies = fault !== 'short' || /^(read|write)/.test(operation)
          const wrong = applies ? await tryCell(root, plan, { at, fault, lasting }) : []
          const name = `${at} ${operation}, ${fault} ${lasting ? 'from then on' : 'once'}`
          report.failures.push(...wrong.map(what => `${name}: ${what}`))
          if (applies) report.cells++
          row += applies ? (wrong.length === 0 ? '.' : 'X') : ' '
        }
        row += ' '
      }
      report.table.push(`${String(at).padStart(4)} ${operation.padEnd(20)} ${row}`)
    }
    return report
  } finally {
    rmSync(root, { recursive: true })
  }
}
