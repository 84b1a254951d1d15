import { randomBits } from '../data/random.ts'

/** 32 bits that follow from a seed and a number: seeds of trials, of their parts, of dimensions. */
export function derive(seed: number, n: number): number {
  const high = Math.floor(seed / 2 ** 32)
  const first = randomBits((seed | 0) ^ Math.imul(high, 0x85ebca6b))()
  return randomBits(first ^ Math.imul(n + 1, 0x9e3779b1))()
}
