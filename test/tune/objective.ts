import type { Trial } from '../../src/tune/tune.ts'

/** For threads: does what `mode` says. */
export default async ({
  parameters: { x, mode },
  report,
}: Trial<{ x: number; mode: string }>): Promise<number> => {
  if (mode === 'throw') throw new Error('as asked')
  if (mode === 'exit') process.exit(3)
  report(1, x)
  return x
}
