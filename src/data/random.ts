import { nonNegativeInteger } from '../errors.ts'

/** 32 random bits a call, from a seed (splitmix32; Steele, Lea & Flood, 2014). */
export function randomBits(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
}

let nextModelSeed: number | undefined
let drawBits = () => Math.floor(Math.random() * 2 ** 32)

/**
 * Makes all that is drawn afterwards a function of n: the initial weights of models (each its own), and the seed of
 * whatever is given none, such as a training, a shuffled dataset or random numbers.
 * @throws {RangeError} unless n is an integer of at least 0.
 */
export function seed(n: number): void {
  nextModelSeed = nonNegativeInteger('seed', 'n', n)
  drawBits = randomBits(n)
}

/** As `seed(n)`, for what `make` draws alone. */
export async function seeded<T>(n: number, make: () => Promise<T>): Promise<T> {
  const before = [nextModelSeed, drawBits] as const
  seed(n)
  try {
    return await make()
  } finally {
    ;[nextModelSeed, drawBits] = before
  }
}

/** A seed for what was given none. */
export const drawSeed = (): number => drawBits()

/** The seed of the next model's weights: n of `seed(n)` and the number of models since, or drawn. */
export const takeModelSeed = (): number => (nextModelSeed === undefined ? drawSeed() : nextModelSeed++)

/** A number for a seed as TensorFlow.js takes it: text is hashed (FNV-1a), none is drawn. */
export function seedOf(where: string, seed: number | string | null | undefined): number {
  if (seed === undefined || seed === null) return drawSeed()
  if (typeof seed === 'number') return nonNegativeInteger(where, 'seed', seed)
  let hash = 0x811c9dc5
  for (const character of seed) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193)
  return hash
}

/** Numbers in [0, 1), from a seed. */
export function randomNumbers(seed: number): () => number {
  const draw = randomBits(seed)
  return () => draw() / 2 ** 32
}

/** Normally distributed numbers, from a seed (Box & Muller, 1958). */
export function normalNumbers(seed: number): () => number {
  const draw = randomNumbers(seed)
  return () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw())
}
