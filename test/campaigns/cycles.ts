import { leftBehind } from '../surroundings/cycling.ts'
import type { Campaign } from './index.ts'

/** Ten thousand models on one engine, then five hundred on engines of their own. */
export const cycles: Campaign = async print => {
  const failures: string[] = []
  for (const each of [
    { engines: 'shared', warm: 1000, count: 10_000, heap: 4e6, rss: 100e6 },
    { engines: 'own', warm: 50, count: 500, heap: 4e6, rss: 60e6 },
  ] as const) {
    const found = await leftBehind(each)
    print(`${each.count} cycles, engines ${each.engines}: ${found.length === 0 ? 'nothing left' : found}`)
    failures.push(...found)
  }
  return failures
}
