import { spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { openStore } from '../../src/checkpoints/store.ts'
import { type OpenFile, realFiles } from '../../src/formats/files.ts'
import { caught } from '../caught.ts'
import { bytesOf, numbered } from './bytes.ts'
import { Disk } from './disk.ts'
import { filesInMemory } from './powerLoss.ts'

const root = mkdtempSync(join(tmpdir(), 'store-'))
let directory = ''
let runs = 0
beforeEach(() => void (directory = join(root, `run${runs++}`, 'inner')))
afterAll(() => rmSync(root, { recursive: true }))

const open = (options = {}) => openStore({ directory, ...options })
const names = () => readdirSync(directory).sort()

describe('saving', () => {
  test('the newest of what was saved is read again, equal in all', async () => {
    const store = await open()
    expect(await store.newest()).toBeUndefined()
    for (const step of [1, 2]) await store.save(numbered(step), { step })
    const newest = (await store.newest())!
    expect(newest.checkpoint).toEqual(numbered(2))
    expect(newest.skipped).toEqual([])
    expect(basename(newest.path)).toBe('step-000000000002-save-000002.ckpt')
    await store.close()
    expect(names()).toEqual(['step-000000000001-save-000001.ckpt', 'step-000000000002-save-000002.ckpt'])
  })

  test('all but the newest and the best are removed', async () => {
    const store = await open({ keep: 2 })
    for (const step of [1, 2, 3, 4, 5, 6]) await store.save(numbered(step), { step, best: step < 3 })
    expect((await store.list()).map(({ step, best }) => [step, best])).toEqual([
      [2, true],
      [5, false],
      [6, false],
    ])
    await store.close()
  })

  test('three are kept unless told; saves that are not waited for keep their order', async () => {
    const store = await open()
    await Promise.all([1, 2, 3, 4, 5].map(step => store.save(numbered(step), { step })))
    expect((await store.list()).map(({ step }) => step)).toEqual([3, 4, 5])
    await store.close()
  })

  test('the newest is the last one saved, though an older run went further', async () => {
    const store = await open({ keep: 1 })
    await store.save(numbered(50), { step: 50 })
    const path = await store.save(numbered(3), { step: 3 })
    expect((await store.newest())!.path).toBe(path)
    expect((await store.list()).map(({ step }) => step)).toEqual([3])
    await store.close()
  })

  test('what no file can hold is refused, and nothing is left of it', async () => {
    const store = await open()
    const header = { loss: Number.NaN }
    expect(await caught(() => store.save({ header, tensors: new Map() }, { step: 1 }))).toBe(
      'TypeError: save: header must be an object of what JSON can hold, got { loss }; put other numbers into a tensor',
    )
    await store.close()
    expect(names()).toEqual([])
  })

  test.each([
    [{ step: -1 }, 'RangeError: save: step must be a non-negative integer, got -1'],
    [{ step: 1e12 }, 'RangeError: save: step must be less than 1000000000000, got 1000000000000'],
    [{ step: 1, bets: true }, 'TypeError: save: unknown option "bets"; did you mean "best"?'],
  ])('save %j', async (options, message) => {
    const store = await open()
    expect(await caught(() => store.save(numbered(1), options))).toBe(message)
    await store.close()
  })

  test.each([
    [{ directory: '' }, 'TypeError: openStore: directory must be a path, got ""'],
    [{ directory: 'x', keep: 0 }, 'RangeError: openStore: keep must be a positive integer, got 0'],
    [{ directory: 'x', kept: 1 }, 'TypeError: openStore: unknown option "kept"; did you mean "keep"?'],
  ])('openStore %j', async (options, message) => {
    expect(await caught(() => openStore(options))).toBe(message)
  })
})

describe('reading', () => {
  test('what does not validate is skipped, with the reason', async () => {
    const store = await open()
    const [, second, third] = await Promise.all([1, 2, 3].map(step => store.save(numbered(step), { step })))
    const bytes = readFileSync(third!)
    bytes[bytes.length - 50]! ^= 1
    writeFileSync(third!, bytes)
    writeFileSync(second!, readFileSync(second!).subarray(0, -1))
    symlinkSync('nowhere', join(directory, 'step-000000000009-save-000009.ckpt'))
    const { path, checkpoint, skipped } = (await store.newest())!
    expect(checkpoint).toEqual(numbered(1))
    expect(path).toContain('step-000000000001')
    expect(skipped.map(each => basename(each.path, '.ckpt'))).toEqual([
      'step-000000000009-save-000009',
      'step-000000000003-save-000003',
      'step-000000000002-save-000002',
    ])
    expect(skipped.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('ENOENT'),
      expect.stringContaining('must have'),
      expect.stringContaining('must have'),
    ])
    await store.close()
  })

  test('where none validates it is said why, rather than that there is none', async () => {
    const store = await open()
    const path = await store.save(numbered(1), { step: 1 })
    writeFileSync(path, 'nothing')
    expect(await caught(() => store.newest())).toBe(
      `Error: newest: ${directory} must have a checkpoint that can be read, got 1 that cannot: ` +
        `newest: ${path} must have at least 56 bytes, got 7`,
    )
    await store.close()
  })

  test('a reader needs no lock, makes nothing and saves nothing', async () => {
    const reader = await open({ readOnly: true })
    expect([await reader.newest(), await reader.list()]).toEqual([undefined, []])
    const writer = await open()
    await writer.save(numbered(1), { step: 1 })
    expect((await reader.newest())!.checkpoint).toEqual(numbered(1))
    expect(await caught(() => reader.save(numbered(2), { step: 2 }))).toBe(
      'Error: save: the store must be open for writing, got one that is read-only; open another one',
    )
    await reader.close()
    await writer.close()
    expect(names()).toHaveLength(1)
  })

  test('a reader whose file a writer has just replaced takes the newer one', async () => {
    const disk = new Disk()
    const writer = await openStore({ directory: '/a', keep: 1 }, disk)
    await writer.save(numbered(1), { step: 1 })
    const original = disk.open.bind(disk)
    disk.open = async (path, flags) => {
      if (path.endsWith('.ckpt')) {
        disk.open = original
        await writer.save(numbered(2), { step: 2 })
      }
      return original(path, flags)
    }
    const reader = await openStore({ directory: '/a', readOnly: true }, disk)
    const { checkpoint, skipped } = (await reader.newest())!
    expect([checkpoint, skipped]).toEqual([numbered(2), []])
  })

  test('a folder that cannot be listed is an error of its own', async () => {
    const store = await open()
    rmSync(directory, { recursive: true })
    expect(await caught(() => store.list())).toContain('ENOENT')
    expect(await caught(() => store.save(numbered(1), { step: 1 }))).toContain('ENOENT')
  })
})

describe('the lock', () => {
  const self = () => names().find(name => name.startsWith('.lock'))!
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const startOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ')[19]
  const lockOf = (pid: number, start: unknown, ofBoot = boot) => {
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, `.lock-pid-${pid}-start-${start}-boot-${ofBoot}`), '')
  }

  test('it names this process, when it began and the boot', async () => {
    const store = await open()
    expect(self()).toBe(`.lock-pid-${process.pid}-start-${startOf(process.pid)}-boot-${boot}`)
    expect(await caught(() => open())).toBe(
      `Error: openStore: ${directory} must have one writer, got this process, which holds ${self()}; ` +
        'close it, wait for it, or choose another directory',
    )
    await store.close()
    await store.close()
    await (await open()).close()
    expect(names()).toEqual([])
  })

  test('that of another process that lives is respected', async () => {
    lockOf(process.ppid, startOf(process.ppid))
    const [name] = names()
    expect(await caught(() => open())).toBe(
      `Error: openStore: ${directory} must have one writer, got process ${process.ppid}, which holds ${name}; ` +
        'close it, wait for it, or choose another directory',
    )
    expect(names()).toEqual([name])
  })

  test('those of the dead are taken over: ended, of an earlier boot, or with a number that another has now', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    lockOf(pid, 1)
    lockOf(process.ppid, startOf(process.ppid), '00000000-0000-4000-8000-000000000000')
    lockOf(process.ppid, 1)
    lockOf(process.pid, 1)
    const store = await open()
    expect(names()).toEqual([
      expect.stringContaining(`.lock-pid-${process.pid}-start-${startOf(process.pid)}`),
    ])
    await store.close()
  })

  test('where the system does not tell when a process began, one that lives holds it', async () => {
    const files = {
      ...realFiles,
      open: async (path: string, flags: string | number): Promise<OpenFile> => {
        if (path.startsWith('/proc')) throw new Error('ENOENT')
        return realFiles.open(path, flags)
      },
    }
    lockOf(process.ppid, 0, 'unknown')
    expect(await caught(() => openStore({ directory }, files))).toContain(`got process ${process.ppid}`)
    rmSync(directory, { recursive: true })
    lockOf(spawnSync(process.execPath, ['-e', '']).pid, 0, 'unknown')
    const store = await openStore({ directory }, files)
    expect(names()).toEqual([`.lock-pid-${process.pid}-start-0-boot-unknown`])
    await store.close()
  })

  test('a process of another user counts as alive', async () => {
    lockOf(process.ppid, startOf(process.ppid))
    const kill = vi.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error('EPERM'), { code: 'EPERM' })
    })
    expect(await caught(() => open())).toContain(`got process ${process.ppid}`)
    kill.mockRestore()
  })

  test('a writer that lost it, or is closed, writes no more', async () => {
    const store = await open()
    rmSync(join(directory, self()))
    expect(await caught(() => store.save(numbered(1), { step: 1 }))).toMatch(
      /^Error: save: .* must have this process' lock .lock-pid-\d+.*, got none: another may be writing; open the store again$/,
    )
    const second = await open()
    await second.close()
    expect(await caught(() => second.save(numbered(1), { step: 1 }))).toBe(
      'Error: save: the store must be open for writing, got one that is closed; open another one',
    )
    expect(names()).toEqual([])
  })
})

describe('disks that lie', () => {
  /** Saves 1, then 2 on a disk that is changed before, and tells what is there after. */
  async function saveOn(change: (disk: Disk) => void) {
    const disk = new Disk()
    const store = await openStore({ directory: '/a', keep: 1 }, disk)
    await store.save(numbered(1), { step: 1 })
    change(disk)
    const message = await caught(() => store.save(numbered(2), { step: 2 }))
    return { message, steps: (await store.list()).map(({ step }) => step) }
  }
  const path = '/a/step-000000000002-save-000002.ckpt'

  test('a bit that changes on its way is noticed before the old one is removed', async () => {
    const { message, steps } = await saveOn(disk => {
      const open = disk.open.bind(disk)
      disk.open = async (path, flags) => {
        const file = await open(path, flags)
        const write: OpenFile['write'] = (source, offset, length) => {
          const bytes = Buffer.from(source)
          bytes[offset + length - 1]! ^= 4
          return file.write(bytes, offset, length)
        }
        return { ...file, write }
      }
    })
    expect(message).toMatch(
      new RegExp(`^Error: save: ${path} must be written whole, got .*; the older ones are as they were$`),
    )
    expect(steps).toEqual([1])
  })

  test('another file in its place, though whole, is noticed', async () => {
    const { message, steps } = await saveOn(disk => {
      const rename = disk.rename.bind(disk)
      disk.rename = async (from, to) => {
        await rename(from, to)
        disk.bytes(to).set(bytesOf(numbered(1)).subarray(0, disk.bytes(to).length))
      }
    })
    expect(message).toMatch(
      /got the SHA-256 [0-9a-f]{64} when it was read again; the older ones are as they were$/,
    )
    expect(steps).toEqual([1])
  })

  test('a disk that writes nothing and says so is no endless loop', async () => {
    const { message, steps } = await saveOn(disk => {
      const open = disk.open.bind(disk)
      disk.open = async (path, flags) => ({
        ...(await open(path, flags)),
        write: async () => ({ bytesWritten: 0 }),
      })
    })
    expect(message).toContain('got writing must go on, got 0 bytes written;')
    expect(steps).toEqual([1])
  })

  test('a file system that syncs no folders does', async () => {
    const sync = (code: string) => (disk: Disk) => {
      const open = disk.open.bind(disk)
      disk.open = async (path, flags) => {
        const file = await open(path, flags)
        const sync = async () => Promise.reject(Object.assign(new Error(code), { code }))
        return path === '/a' ? { ...file, sync } : file
      }
    }
    expect(await saveOn(sync('EINVAL'))).toEqual({ message: 'nothing', steps: [2] })
    expect((await saveOn(sync('EIO'))).steps).toEqual([1])
  })
})

test('the disk in memory, on which losses of power are tried, holds what a real one does', async () => {
  const store = await openStore({ directory, keep: 2 })
  for (const step of [1, 2, 3, 4]) await store.save(numbered(step), { step, best: step % 3 === 0 })
  await store.close()
  const found = await filesInMemory()
  expect([...found.keys()].sort()).toEqual(names())
  for (const [name, bytes] of found)
    expect(bytes.equals(readFileSync(join(directory, name))), name).toBe(true)
})
