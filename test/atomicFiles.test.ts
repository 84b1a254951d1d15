import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tensor } from '../src/data/tensor.ts'
import { writeFilesAtomically } from '../src/formats/atomicFiles.ts'
import { type OpenFile, openRegularFile, readFully } from '../src/formats/files.ts'
import { writeLayersModel } from '../src/formats/layersModel.ts'
import { noise } from './bed.ts'
import { caught } from './caught.ts'
import { Disk, fingerprint, numbers } from './checkpoints/disk.ts'

const directory = '/models/digits'

/** A model that tells its number. */
const model = (n: number) => ({
  topology: { n },
  weights: [1, 2, 3].map(i => ({ name: `w${i}`, tensor: tensor(noise(20 * n, 7 * n + i)) })),
})

/** The number of the model on a disk, 0 where there is none; throws where it is not whole. */
function numberOn(disk: Disk): number {
  const path = join(directory, 'model.json')
  if (!disk.has(path)) return 0
  const { modelTopology, weightsManifest } = JSON.parse(disk.bytes(path).toString())
  const [name] = weightsManifest[0].paths
  const bytes = disk.bytes(join(directory, name))
  expect(name).toBe(`weights-${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}.bin`)
  expect(bytes).toHaveLength(3 * 4 * 20 * modelTopology.n)
  return modelTopology.n
}

test('whatever a loss of power leaves of the unsynced, a saved model is the old or the new one, whole', async () => {
  const disk = new Disk()
  const done: number[] = []
  for (const n of [1, 2, 3]) {
    await writeLayersModel(directory, model(n), disk)
    done.push(disk.log.length)
  }
  const draw = numbers(3)
  const seen = new Set<string>()
  for (let i = 0; i < 3000; i++) {
    const told = Math.floor(draw() * (disk.log.length + 1))
    const inodes = disk.afterPowerLoss(told, draw)
    const sure = done.filter(at => at <= told).length
    seen.add(fingerprint(inodes))
    expect([sure, sure + 1], `after ${told} changes`).toContain(numberOn(new Disk(inodes)))
  }
  expect(seen.size).toBeGreaterThan(150)
})

/** Makes the n-th operation, and all later ones if `lasting`, fail; tells how many there were. */
function failAt(disk: Disk, n: number, lasting: boolean): () => number {
  let count = 0
  const failing = <T extends object>(target: T, names: (keyof T)[]): T => {
    for (const name of names) {
      const run = (target[name] as (...given: unknown[]) => Promise<unknown>).bind(target)
      const replaced = async (...given: unknown[]) => {
        const at = count++
        if (at === n || (lasting && at > n)) throw Object.assign(new Error('EIO'), { code: 'EIO' })
        const result = await run(...given)
        return name === 'open'
          ? failing(result as OpenFile, ['stat', 'read', 'write', 'sync', 'close'])
          : result
      }
      Object.assign(target, { [name]: replaced })
    }
    return target
  }
  failing<Disk>(disk, ['open', 'rename', 'unlink', 'mkdir'])
  return () => count
}

test('whichever operation on files fails, a saved model is the old or the new one, whole', async () => {
  for (const lasting of [false, true]) {
    for (let n = 0, operations = 1; n < operations; n++) {
      const disk = new Disk()
      await writeLayersModel(directory, model(1), disk)
      const count = failAt(disk, n, lasting)
      const failed = await writeLayersModel(directory, model(2), disk).then(
        () => false,
        () => true,
      )
      operations = count()
      expect(failed ? [1, 2] : [2], `operation ${n}`).toContain(numberOn(disk))
      const names = await disk.readdir(directory)
      // What cannot be removed stays.
      if (!lasting) expect(names.filter(name => name.startsWith('.'))).toEqual([])
    }
  }
})

test('folders that are made are synced into those around them', async () => {
  const disk = new Disk()
  await writeLayersModel('/a/b/c', model(1), disk)
  const nothingMore = disk.afterPowerLoss(disk.log.length, () => 0.99)
  expect(new Disk(nothingMore).has('/a/b/c/model.json')).toBe(true)
})

test('a device is no file to read', async () => {
  expect(await caught(() => openRegularFile('read: it', '/dev/null'))).toBe(
    'RangeError: read: it must be a regular file, got something else',
  )
})

test('a file that shrinks while it is read is noticed', async () => {
  const disk = new Disk()
  await writeFilesAtomically('/a', [['x', [Buffer.alloc(5)]]], disk)
  const { file } = await openRegularFile('read: it', '/a/x', disk)
  expect(await caught(() => readFully('read: it', file, new Uint8Array(9), 2))).toBe(
    'RangeError: read: it must have 9 bytes at byte 2, got 3',
  )
})

test('Windows syncs no folders', async () => {
  const platform = Object.getOwnPropertyDescriptor(process, 'platform')!
  Object.defineProperty(process, 'platform', { ...platform, value: 'win32' })
  const disk = new Disk()
  await writeFilesAtomically('/a', [['x', [Buffer.alloc(5)]]], disk).finally(() =>
    Object.defineProperty(process, 'platform', platform),
  )
  expect(disk.log.filter(({ kind }) => kind === 'sync')).toHaveLength(1)
})
