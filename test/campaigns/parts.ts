import { suggestion } from '../../src/errors.ts'

/** A part of a campaign, so that long ones can be run in pieces. */
export interface Part {
  readonly only?: string
  readonly from?: number
  readonly count?: number
}

/** Those that have this name, all if there is none. @throws RangeError if none has it */
export function chosen<T extends { readonly name: string }>(all: readonly T[], only?: string): readonly T[] {
  if (only === undefined) return all
  const found = all.filter(({ name }) => name === only)
  if (found.length > 0) return found
  const names = all.map(({ name }) => name)
  throw new RangeError(`campaign: --only must be a known name, got "${only}"; ${suggestion(only, names)}`)
}
