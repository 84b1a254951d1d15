import { basename, join } from 'node:path'
import { openStore } from '../../src/checkpoints/store.ts'
import { bytesOf, numbered } from './bytes.ts'
import { Disk, fingerprint, numbers } from './disk.ts'

/**
 * A run saves checkpoints; the power goes at any moment, and of what was not synced anything may be lost. The next
 * run must find the last checkpoint whose save was done, or a later one, byte for byte.
 */
const directory = '/runs/one'
const keep = 2
const isBest = (step: number) => step % 3 === 0

/** When, counted in changes of the disk, a save began and was done. */
interface Mark {
  readonly step: number
  readonly from: number
  readonly done: number
}

async function train(disk: Disk, steps: readonly number[]): Promise<Mark[]> {
  const store = await openStore({ directory, keep }, disk)
  const marks: Mark[] = []
  for (const step of steps) {
    const from = disk.log.length
    await store.save(numbered(step), { step, best: isBest(step) })
    marks.push({ step, from, done: disk.log.length })
  }
  await store.close()
  return marks
}

/** What is wrong when the machine starts again. `before` was the newest, and `best` the best, when the run began. */
async function nextStart(
  disk: Disk,
  marks: readonly Mark[],
  told: number,
  before: number,
): Promise<string[]> {
  const done = marks.filter(mark => mark.done <= told).map(({ step }) => step)
  const possible = [
    done.at(-1) ?? before,
    ...marks.filter(mark => mark.from < told && mark.done > told).map(({ step }) => step),
  ]
  const store = await openStore({ directory, keep }, disk)
  const newest = await store.newest()
  const list = await store.list()
  const wrong = (newest?.skipped ?? []).map(({ reason }) => `skipped: ${reason}`)
  const step = Number(newest?.checkpoint.header.step ?? 0)
  if (!possible.includes(step)) wrong.push(`the newest is ${step}, not of ${possible.join(', ')}`)
  const best = done.findLast(isBest)
  if (best !== undefined && !list.some(each => each.best && each.step >= best))
    wrong.push(`the best, ${best}, is lost`)
  for (const { path, step } of list)
    if (!disk.bytes(path).equals(bytesOf(numbered(step)))) wrong.push(`${path} is not what was saved`)
  const known = new Set(list.map(({ path }) => basename(path)))
  const rubbish = (await disk.readdir(directory)).filter(name => !known.has(name))
  if (rubbish.length !== 1 || !rubbish[0]!.startsWith('.lock')) wrong.push(`left: ${rubbish.join(', ')}`)
  await store.close()
  return wrong
}

export interface PowerLossReport {
  /** Distinct states of the disk that were tried, and how many the same came up again. */
  states: number
  repeated: number
  failures: string[]
}

/** Tries `count` distinct states; every twentieth is where another run begins, whose power goes too. */
export async function runPowerLoss(count: number, seed: number): Promise<PowerLossReport> {
  const draw = numbers(seed)
  const seen = new Set<string>()
  const report: PowerLossReport = { states: 0, repeated: 0, failures: [] }

  /** Tries states of one run. */
  const tryStates = async (disk: Disk, marks: Mark[], before: number, most: number, boot: number) => {
    for (let tries = 0; tries < most && report.states < count; tries++) {
      const told = Math.floor(draw() * (disk.log.length + 1))
      const inodes = disk.afterPowerLoss(told, draw)
      const print = fingerprint(inodes)
      if (seen.has(print)) {
        report.repeated++
        continue
      }
      seen.add(print)
      report.states++
      const wrong = await nextStart(new Disk(inodes, `boot-${boot}`), marks, told, before)
      report.failures.push(
        ...wrong.map(what => `seed ${seed}, state ${report.states}, after ${told} changes: ${what}`),
      )
      if (boot === 1 && report.states % 20 === 0) await goOn(new Disk(inodes, 'boot-1'))
    }
  }

  /** Another run goes on from what is left, until the power goes again. */
  const goOn = async (disk: Disk) => {
    const store = await openStore({ directory, readOnly: true }, disk)
    const before = Number((await store.newest())?.checkpoint.header.step ?? 0)
    const marks = await train(disk, [before + 1, before + 2])
    await tryStates(disk, marks, before, 10, 2)
  }

  // Checkpoints of other sizes each time.
  for (let first = 1; report.states < count; first++) {
    const disk = new Disk()
    const marks = await train(
      disk,
      [0, 1, 2, 3, 4, 5].map(i => first + i),
    )
    await tryStates(disk, marks, 0, 5000, 1)
  }
  return report
}

/** What is written without a fault is the same in memory as on a real disk. */
export async function filesInMemory(): Promise<Map<string, Buffer>> {
  const disk = new Disk()
  await train(disk, [1, 2, 3, 4])
  return new Map((await disk.readdir(directory)).map(name => [name, disk.bytes(join(directory, name))]))
}
