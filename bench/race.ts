// Several processes that do the same work, in turns.
import type { Answer, Peer } from './peers/peer.ts'
import { undisturbed } from './quiet.ts'
import { median, short } from './table.ts'

/** A peer in a race, and what it answered. */
export interface Side {
  readonly peer: Peer
  readonly ms: number
  readonly capMs: number
  readonly answers: Answer[]
}

/** Rounds of all sides in turns, forwards and backwards; a side that refused is not asked again. */
export async function race(
  sides: readonly Side[],
  workload: { readonly name: string },
  rounds: number,
): Promise<void> {
  // The first question builds the model and warms up: its figure is dropped.
  for (let round = -1; round < rounds; round++) {
    for (const { peer, ms, capMs, answers } of round % 2 === 0 ? sides : sides.toReversed()) {
      if (answers.some(answer => !('cpuMs' in answer))) continue
      const ask = () => peer.measure(workload, ms, capMs + ms)
      const answer = round < 0 ? await ask() : await undisturbed(ask, a => ('cpuMs' in a ? a.cpuMs : 0))
      if (round >= 0 || !('cpuMs' in answer)) answers.push(answer)
    }
  }
}

/** Samples/s by round; a string says why there are none. */
export function figures(answers: readonly Answer[], batchSize: number): readonly number[] | string {
  const speeds: number[] = []
  for (const answer of answers) {
    if ('capped' in answer) return `< ${(batchSize / answer.capped).toPrecision(2)}`
    if ('error' in answer) return 'cannot'
    speeds.push(answer.samplesPerSecond)
  }
  return speeds
}

/** The least of the ratios to several peers that there are; NaN without one. */
export function leastRatio(
  own: readonly number[] | string,
  peers: readonly (readonly number[] | string)[],
): number {
  const ratios = peers.map(peer => ratio(own, peer)).filter(each => each > 0)
  return ratios.length > 0 ? Math.min(...ratios) : Number.NaN
}

/** Median over the rounds; a peer that was capped counts with the speed that it stayed below. */
export function ratio(own: readonly number[] | string, peer: readonly number[] | string): number {
  if (typeof own === 'string' || peer === 'cannot') return Number.NaN
  const bound = typeof peer === 'string' ? Number(peer.slice(1)) : 0
  return median(own.map((speed, round) => speed / (typeof peer === 'string' ? bound : peer[round]!)))
}

/** Median (best). */
export const show = (speeds: readonly number[] | string) =>
  typeof speeds === 'string' ? speeds : `${short(median(speeds))} (${short(Math.max(...speeds))})`
