import type { Engine } from '../runtime/engine.ts'
import type { RandomSource } from '../training/initializers.ts'

/** A seed as the kernels take it: two unsigned halves. */
export type Seed = readonly [low: number, high: number]

export const splitSeed = (seed: number): Seed => [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0]

/** Random arrays by kernel, each keyed by (seed, site): no JavaScript engine's Math is asked. */
export class KernelRandom implements RandomSource {
  private readonly engine: Engine
  private readonly seed: Seed
  private site: number

  constructor(engine: Engine, seed: number, site: number) {
    this.engine = engine
    this.seed = splitSeed(seed)
    this.site = site
  }

  uniform(count: number, low: number, high: number): Float32Array {
    return this.fill(count, (y, key, site) =>
      this.engine.kernels.randomUniform(0, count, y, key, site, low, high),
    )
  }

  normal(count: number, mean: number, deviation: number): Float32Array {
    return this.fill(count, (y, key, site) =>
      this.engine.kernels.randomNormal(0, count, y, key, site, mean, deviation),
    )
  }

  truncatedNormal(count: number, mean: number, deviation: number): Float32Array {
    const { kernels } = this.engine
    return this.fill(count, (y, key, site) =>
      kernels.truncatedNormal(0, count, y, key, site, mean, deviation),
    )
  }

  private fill(count: number, draw: (y: number, key: number, site: number) => void): Float32Array {
    const { arena } = this.engine
    const block = arena.allocate(4 * count + 64, 'random numbers')
    const { buffer } = arena.memory
    new Int32Array(buffer, block.address, 3).set([...this.seed, 0])
    draw(block.address + 64, block.address, this.site++)
    const values = new Float32Array(buffer, block.address + 64, count).slice()
    arena.free(block)
    return values
  }
}
