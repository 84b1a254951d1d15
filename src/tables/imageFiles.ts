import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join, relative } from 'node:path'
import { show } from '../errors.ts'
import { codeOf } from '../formats/files.ts'
import { isPng, type Pixels, readPng } from '../formats/png.ts'
import type { ReadingProgress } from './lines.ts'
import { square } from './pixels.ts'
import type { Warnings } from './warnings.ts'

/** An image that is to be read. */
export interface ImageFile {
  readonly path: string
  /** The sub-folder that it is in. */
  readonly label: string
}

const isImage = (name: string) => /\.(png|jpe?g|webp|gif|tiff?|avif)$/i.test(name)
/** Images that are read at a time. */
const together = 8

async function entriesOf(folder: string): Promise<{ folders: string[]; images: string[]; others: string[] }> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'))
  const names = (wanted: (typeof entries)[number][]) => wanted.map(({ name }) => name).sort()
  const files = entries.filter(entry => !entry.isDirectory())
  return {
    folders: names(entries.filter(entry => entry.isDirectory())),
    images: names(files.filter(({ name }) => isImage(name))),
    others: names(files.filter(({ name }) => !isImage(name))),
  }
}

/** Whether a folder holds images, or folders of images. */
export async function holdsImages(folder: string): Promise<boolean> {
  const { folders, images } = await entriesOf(folder)
  if (images.length > 0) return true
  for (const name of folders) if (await holdsImages(join(folder, name))) return true
  return false
}

/** Images of a folder and of those in it. */
async function imagesBelow(folder: string, warnings: Warnings): Promise<string[]> {
  const { folders, images, others } = await entriesOf(folder)
  if (others.length > 0)
    warnings.add('files that are no images, and are passed over', join(folder, others[0]!), others.length)
  const below: string[] = []
  for (const name of folders) below.push(...(await imagesBelow(join(folder, name), warnings)))
  return [...images.map(name => join(folder, name)), ...below]
}

/** Images of a folder, each labelled with the sub-folder that it is in. */
async function labelledBelow(folder: string, warnings: Warnings): Promise<ImageFile[]> {
  const { folders, images, others } = await entriesOf(folder)
  const strays = [...images, ...others]
  if (strays.length > 0)
    warnings.add(
      'files beside the folders of the classes, which are passed over',
      join(folder, strays[0]!),
      strays.length,
    )
  const files: ImageFile[] = []
  for (const label of folders) {
    const paths = await imagesBelow(join(folder, label), warnings)
    if (paths.length === 0) warnings.say(`${join(folder, label)}: holds no images, and is passed over`)
    for (const path of paths) files.push({ path, label })
  }
  return files
}

/**
 * The images of a folder with one sub-folder a class, or of its folders train and test with such sub-folders.
 * @throws RangeError for a folder without sub-folders that hold images
 */
export async function labelledImages(
  folder: string,
  warnings: Warnings,
): Promise<{ train: ImageFile[]; test?: ImageFile[] }> {
  const found = (await stat(folder)).isDirectory()
  const folders = found ? (await entriesOf(folder)).folders : []
  const isParted = folders.includes('train') && folders.every(name => name === 'train' || name === 'test')
  const train = isParted
    ? await labelledBelow(join(folder, 'train'), warnings)
    : found
      ? await labelledBelow(folder, warnings)
      : []
  if (train.length === 0)
    throw new RangeError(
      `${folder}: must be a folder with one folder of images for each class, got ${show(folders)}; make some`,
    )
  if (!isParted || !folders.includes('test')) return { train }
  return { train, test: await labelledBelow(join(folder, 'test'), warnings) }
}

/** One image, or those of a folder and of the folders in it; their names are as seen from there. */
export async function imagesAt(path: string, warnings: Warnings): Promise<ImageFile[]> {
  if (!(await stat(path)).isDirectory()) return [{ path, label: basename(path) }]
  const paths = await imagesBelow(path, warnings)
  if (paths.length === 0) throw new RangeError(`${path}: must hold images, got none; give another folder`)
  return paths.map(one => ({ path: one, label: relative(path, one) }))
}

/** What is used of the package sharp. */
type Sharp = (bytes: Buffer) => {
  autoOrient(): ReturnType<Sharp>
  flatten(options: { background: string }): ReturnType<Sharp>
  toColourspace(name: string): ReturnType<Sharp>
  raw(): { toBuffer(options: { resolveWithObject: true }): Promise<{ data: Buffer; info: Pixels }> }
}

/** The package is a peer: who has only plain PNGs does without. */
const packageName = 'sharp'

async function loadSharp(path: string): Promise<Sharp> {
  try {
    return (await import(packageName)).default as Sharp
  } catch (error) {
    if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error(
      `${path}: must be a plain PNG of 8 bits a channel where the package sharp is not installed, got another image; ` +
        `npm install sharp@0.35`,
    )
  }
}

/** An image that cannot be read; others may be sound. */
class BadImage extends Error {}

async function pixelsOf(path: string): Promise<Pixels> {
  const bytes = await readFile(path)
  try {
    const plain = isPng(bytes) ? readPng(path, bytes) : undefined
    if (plain) return plain
  } catch (error) {
    throw new BadImage((error as Error).message)
  }
  const sharp = await loadSharp(path)
  try {
    const image = sharp(bytes).autoOrient().flatten({ background: '#fff' }).toColourspace('srgb')
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true })
    return { height: info.height, width: info.width, channels: info.channels, values: data }
  } catch (error) {
    throw new BadImage(`${path}: must be an image, got ${(error as Error).message.split('\n')[0]}`)
  }
}

/**
 * The images as size × size × 3 bytes, in their order; those that cannot be read are counted in the warnings.
 * @throws Error where the package sharp is needed and not installed
 */
export async function* readImages(
  files: readonly ImageFile[],
  size: number,
  warnings: Warnings,
  progress?: ReadingProgress,
): AsyncGenerator<{ file: ImageFile; values: Uint8Array }> {
  for (let from = 0; from < files.length; from += together) {
    const some = files.slice(from, from + together)
    const read = await Promise.all(
      some.map(({ path }) =>
        pixelsOf(path).catch(error => {
          if (!(error instanceof BadImage)) throw error
          return error
        }),
      ),
    )
    for (const [i, pixels] of read.entries()) {
      if (pixels instanceof BadImage)
        warnings.add('images that cannot be read, and are set aside', pixels.message)
      else yield { file: some[i]!, values: square(pixels, size) }
    }
    progress?.(Math.min(from + together, files.length), files.length)
  }
}
