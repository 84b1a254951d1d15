import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { readPng } from '../src/formats/png.ts'
import { square } from '../src/tables/pixels.ts'
import { commandBed } from './commandBed.ts'
import { bar, writeBars } from './sampleFiles.ts'

const { folder, run, done, refused } = commandBed('images')
/** Sharp is beside it, where it is installed. */
const built = commandBed('images-built', true)
const quick = ['--workers', '1']
const write = (name: string, bytes: Uint8Array | string) => {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), bytes)
}

test('a folder of images with a folder for each class', { timeout: 150_000 }, () => {
  writeBars(join(folder, 'bars'), 60, 3)
  write('bars/across/torn.png', readFileSync(join(folder, 'bars/across/000.png')).subarray(0, 90))
  write('bars/across/notes.txt', 'no image')
  write('bars/readme.md', 'no class')
  mkdirSync(join(folder, 'bars/empty'))
  const args = ['bars', '--size', '12', '--epochs', '12', '--filters', '8,16', '--hidden', '16']
  const trained = run('train', ...args, '--json', ...quick)
  expect(trained.stderr).toMatch(
    'warning: files beside the folders of the classes, which are passed over: 1 (the first: bars/readme.md)\n' +
      'warning: files that are no images, and are passed over: 1 (the first: bars/across/notes.txt)\n' +
      'warning: bars/empty: holds no images, and is passed over\n' +
      'warning: images that cannot be read, and are set aside: 1 ' +
      '(the first: bars/across/torn.png: must end with an IEND chunk, got 90 bytes; give a whole file)\n',
  )
  const result = JSON.parse(trained.stdout)
  expect(result).toMatchObject({
    kind: 'images',
    from: 'images of 12×12×3',
    rows: { training: 84, validation: 18, test: 18, setAside: 1 },
  })
  expect(result.scores.model.accuracy).toBeGreaterThan(0.9)
  expect(result.scores.model.classes.map(({ name }: { name: string }) => name)).toEqual(['across', 'upright'])

  writeBars(join(folder, 'new'), 12, 3)
  const scores = JSON.parse(done('evaluate', 'bars.model', 'new', '--json', ...quick))
  expect(scores).toMatchObject({ rows: 24 })
  const lines = done('predict', 'bars.model', 'new', ...quick)
    .trim()
    .split('\n')
  expect(lines[0]).toBe('file,prediction,probability across,probability upright')
  expect(lines[1]).toMatch(/^across\/000.png,(across|upright),/)
  expect(lines[24]).toMatch(/^upright\/011.png,/)
  const hits = lines.slice(1).filter(line => line.split('/')[0] === line.split(',')[1])
  expect(hits.length / 24).toBe(scores.accuracy)
  expect(done('predict', 'bars.model', 'new/upright/003.png', ...quick)).toMatch('\n003.png,')
  expect(done('inspect', 'bars.model')).toMatch('class of "folder" from samples of 12×12×3 (across, upright)')

  writeBars(join(folder, 'odd'), 1, 3)
  write('odd/sideways/1.png', readFileSync(join(folder, 'new/across/000.png')))
  expect(refused(1, 'evaluate', 'bars.model', 'odd')).toMatch(
    'odd/sideways/1.png: must be in the folder of a class of the training, got "sideways"; known are across, upright',
  )
})

test('grey images stay grey; train and test folders are the parts', { timeout: 150_000 }, () => {
  writeBars(join(folder, 'parts/train'), 20, 1)
  writeBars(join(folder, 'parts/test'), 5, 1)
  const args = ['parts', '--size', '8', '--epochs', '2', '--filters', '4', '--hidden', '8']
  const result = JSON.parse(done('train', ...args, '--json', ...quick))
  expect(result).toMatchObject({ from: 'images of 8×8×1', rows: { training: 34, validation: 6, test: 10 } })
  // Images in colours are seen by their brightness.
  writeBars(join(folder, 'coloured'), 3, 3)
  expect(JSON.parse(done('evaluate', 'parts.model', 'coloured', '--json', ...quick)).rows).toBe(6)
  expect(refused(1, 'train', 'parts/train/across', '--out', 'fresh')).toMatch(
    'parts/train/across: must be a folder with one folder of images for each class, got []',
  )
  expect(refused(1, 'train', 'parts', '--target', 'x', '--out', 'fresh')).toMatch(
    'target must not be given for a folder of images',
  )
})

test('other images need sharp: without it the message says so', () => {
  write('jpeg/across/1.jpg', Buffer.from('ffd8ffe0', 'hex'))
  write('jpeg/upright/1.jpg', Buffer.from('ffd8ffe0', 'hex'))
  expect(refused(1, 'train', 'jpeg')).toMatch(
    /jpeg\/(across|upright)\/1.jpg: must be a plain PNG .* where the package sharp is not installed, got another image; npm install sharp@0.35/,
  )
})

const sharpIsThere = (() => {
  try {
    return createRequire(import.meta.url).resolve('sharp') !== ''
  } catch {
    return false
  }
})()
if (!sharpIsThere) console.log('sharp is not installed: what is read with it is not tested')

test.runIf(sharpIsThere)('with sharp other images are read', { timeout: 150_000 }, async () => {
  const values = bar(true, 0, 3)
  const name = 'sharp'
  const { default: sharp } = await import(name)
  for (const [i, ending] of ['jpg', 'webp', 'png', 'gif'].entries())
    for (const label of ['across', 'upright'])
      for (let n = 0; n < 4; n++) {
        const raw = { raw: { width: 24, height: 20, channels: 3 } }
        const image = sharp(bar(label === 'upright', 4 * i + n, 3), raw)
        write(`mixed/${label}/${n}.${ending}`, await image.toFormat(ending, { palette: true }).toBuffer())
      }
  write('mixed/across/torn.jpg', readFileSync(join(folder, 'mixed/across/0.jpg')).subarray(0, 40))
  const args = [join(folder, 'mixed'), '--size', '12', '--epochs', '2', '--filters', '4', '--hidden', '8']
  const trained = built.run('train', ...args, '--json', ...quick)
  expect(trained.stderr).toMatch(
    /images that cannot be read, and are set aside: 1 \(the first: .*mixed\/across\/torn.jpg: must be an image, got/,
  )
  expect(JSON.parse(trained.stdout).rows.training).toBe(22)
  const lossless = await sharp(values, { raw: { width: 24, height: 20, channels: 3 } })
    .png()
    .toBuffer()
  expect(readPng('sharp', lossless)!.values).toEqual(values)
})

test('squares: the middle, averaged where it shrinks, linear where it grows, white where it is transparent', () => {
  const grey = (height: number, width: number, values: number[]) => ({
    height,
    width,
    channels: 1 as const,
    values: Uint8Array.from(values),
  })
  const first = (bytes: Uint8Array) => [...bytes].filter((_, i) => i % 3 === 0)
  expect(first(square(grey(1, 3, [1, 2, 3]), 1))).toEqual([2])
  expect(first(square(grey(2, 2, [10, 20, 30, 40]), 2))).toEqual([10, 20, 30, 40])
  expect(first(square(grey(2, 2, [10, 20, 30, 40]), 1))).toEqual([25])
  expect(first(square(grey(4, 4, new Array(16).fill(77)), 3))).toEqual(new Array(9).fill(77))
  // A ramp stays a ramp.
  const ramp = Array.from({ length: 64 }, (_, i) => 8 * (i % 8))
  expect(first(square(grey(8, 8, ramp), 4)).slice(4, 8)).toEqual([6, 20, 36, 50])
  expect(first(square(grey(2, 2, [0, 100, 0, 100]), 4)).slice(0, 4)).toEqual([0, 25, 75, 100])
  const alpha = { height: 1, width: 1, channels: 4 as const, values: Uint8Array.of(0, 100, 200, 51) }
  expect([...square(alpha, 1)]).toEqual([204, 224, 244])
})
