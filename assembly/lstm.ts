import { add } from './arrays';
import { multiply } from './dropout';
import {
  addMultiply,
  addProduct,
  applyCurve,
  applySlope,
  BLOCK,
  counts,
  passOn,
  place,
  putOut,
  setOut,
  stateBefore,
  takeIn,
  unmask,
} from './recurrent';

// Gates in the order i, f, g, o: z (samples,time,4·units). See recurrent.ts for the order of the steps.

/**
 * z = x·w + b becomes the gates after their activations, those of z + h·u; c (samples,time,units) = f·c' +
 * i·g; state o·activation(c); steps (samples,time) which of them count; h (samples,time,units) the state before
 * each step, times mask (samples,units); h0 and c0 (samples,units) state and cell before the first; y the states
 * of all steps (`sequences`), or the last. u in panels (4·units/16, units, 16); scratch: a row of units. begin,
 * end in samples.
 */
export function lstm(
  begin: i32,
  end: i32,
  z: usize,
  u: usize,
  steps: usize,
  mask: usize,
  h0: usize,
  c0: usize,
  h: usize,
  c: usize,
  y: usize,
  scratch: usize,
  time: i32,
  units: i32,
  activation: i32,
  recurrentActivation: i32,
  sequences: i32,
  backwards: i32,
): void {
  const bytes = (<usize>units) << 2;
  const row = bytes * <usize>time;
  for (let first = begin; first < end; first += BLOCK) {
    const m = min(BLOCK, end - first);
    for (let s = 0; s < time; s++) {
      const t = place(s, time, backwards);
      const before = h + <usize>first * row + <usize>t * bytes;
      const gates = z + ((before - h) << 2);
      if (!s) for (let i = 0; i < m; i++) setOut(h0, mask, before + <usize>i * row, first + i, units);
      if (s || h0) addProduct(m, before, row, units, u, bytes << 4, gates, row << 2, 4 * units, true);
      for (let i = 0; i < m; i++) {
        const sample = first + i;
        const cell = c + <usize>sample * row + <usize>s * bytes;
        const last = cellBefore(c0, cell, sample, s, units);
        let state = scratch;
        if (counts(steps, sample, t, time)) {
          step(gates + <usize>i * (row << 2), last, cell, state, units, activation, recurrentActivation);
        } else {
          state = stateBefore(h0, before + <usize>i * row, y, sample, s, time, units, sequences);
          if (last) memory.copy(cell, last, bytes);
          else memory.fill(cell, 0, bytes);
        }
        passOn(state, steps, mask, h, y, sample, s, time, units, sequences, backwards);
      }
    }
  }
}

/** Where the cell of one sample before step s lies, `cell` being that of the step; 0 for zeros. */
// @ts-ignore: decorator
@inline function cellBefore(c0: usize, cell: usize, sample: i32, s: i32, units: i32): usize {
  const bytes = (<usize>units) << 2;
  if (s) return cell - bytes;
  return c0 ? c0 + <usize>sample * bytes : 0;
}

/** One sample at one step: its gates z after their activations, cell and state (units). */
function step(
  z: usize,
  last: usize,
  cell: usize,
  state: usize,
  units: i32,
  activation: i32,
  recurrentActivation: i32,
): void {
  const bytes = (<usize>units) << 2;
  applyCurve(recurrentActivation, z, 2 * units);
  applyCurve(activation, z + 2 * bytes, units);
  applyCurve(recurrentActivation, z + 3 * bytes, units);
  multiply(0, units, z, z + 2 * bytes, cell);
  if (last) addMultiply(units, z + bytes, last, cell);
  memory.copy(state, cell, bytes);
  applyCurve(activation, state, units);
  multiply(0, units, state, z + 3 * bytes, state);
}

/**
 * The gates z become the gradients of what they were activations of; dy is that of y, dc (samples,units) that of
 * the last cell, dh0 and dc0 those of h0 and c0; ut the panels of u's transpose. scratch: 2·BLOCK + 3 rows of
 * units. begin, end in samples.
 */
export function lstmGradient(
  begin: i32,
  end: i32,
  z: usize,
  ut: usize,
  steps: usize,
  mask: usize,
  c0: usize,
  c: usize,
  dy: usize,
  dc: usize,
  dh0: usize,
  dc0: usize,
  scratch: usize,
  time: i32,
  units: i32,
  activation: i32,
  recurrentActivation: i32,
  sequences: i32,
  backwards: i32,
): void {
  const bytes = (<usize>units) << 2;
  const row = bytes * <usize>time;
  const dhs = scratch;
  const dcs = dhs + <usize>BLOCK * bytes;
  const spare = dcs + <usize>BLOCK * bytes;
  for (let first = begin; first < end; first += BLOCK) {
    const m = min(BLOCK, end - first);
    memory.fill(dhs, 0, <usize>(2 * BLOCK) * bytes);
    if (dc) memory.copy(dcs, dc + <usize>first * bytes, <usize>m * bytes);
    for (let s = time - 1; s >= 0; s--) {
      const t = place(s, time, backwards);
      const gates = z + ((<usize>first * row + <usize>t * bytes) << 2);
      for (let i = 0; i < m; i++) {
        const sample = first + i;
        const dh = dhs + <usize>i * bytes;
        const cell = c + <usize>sample * row + <usize>s * bytes;
        const own = gates + <usize>i * (row << 2);
        takeIn(dh, dy, sample, s, time, units, sequences);
        if (!counts(steps, sample, t, time)) {
          memory.fill(own, 0, bytes << 2);
          continue;
        }
        const last = cellBefore(c0, cell, sample, s, units);
        const dcell = dcs + <usize>i * bytes;
        cellGradient(own, cell, last, dh, dcell, spare, units, activation, recurrentActivation);
        if (steps) memory.fill(dh, 0, bytes);
      }
      if (!s && !dh0) break;
      // To the gradients of states that stay, the product adds zeros.
      addProduct(m, gates, row << 2, 4 * units, ut, bytes << 6, dhs, bytes, units, steps != 0);
      unmask(m, first, dhs, steps, mask, t, time, units);
    }
    putOut(m, first, dhs, dh0, units);
    putOut(m, first, dcs, dc0, units);
  }
}

/** One sample at one step: z from gates to gradients, dc from this cell's to that of the one before, `last`. */
function cellGradient(
  z: usize,
  c: usize,
  last: usize,
  dh: usize,
  dc: usize,
  spare: usize,
  units: i32,
  activation: i32,
  recurrentActivation: i32,
): void {
  const bytes = (<usize>units) << 2;
  const second = spare + bytes;
  const third = second + bytes;
  memory.copy(spare, c, bytes);
  applyCurve(activation, spare, units);
  multiply(0, units, dh, z + 3 * bytes, second);
  applySlope(activation, spare, second, second, units);
  add(0, units, dc, second, dc);
  multiply(0, units, dh, spare, spare);
  applySlope(recurrentActivation, z + 3 * bytes, spare, z + 3 * bytes, units);
  multiply(0, units, dc, z + 2 * bytes, spare);
  if (last) multiply(0, units, dc, last, second);
  else memory.fill(second, 0, bytes);
  multiply(0, units, dc, z, third);
  multiply(0, units, dc, z + bytes, dc);
  applySlope(recurrentActivation, z, spare, z, 2 * units);
  applySlope(activation, z + 2 * bytes, third, z + 2 * bytes, units);
}
