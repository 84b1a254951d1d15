import { add } from './arrays';
import { multiply } from './dropout';
import {
  addMultiply,
  addProduct,
  applyCurve,
  applySlope,
  BLOCK,
  passOn,
  place,
  takeIn,
  unmask,
} from './recurrent';

// Gates in the order i, f, g, o: z (samples,time,4·units). See recurrent.ts for the order of the steps.

/**
 * z = x·w + b becomes the gates after their activations, those of z + h·u; c (samples,time,units) = f·c' +
 * i·g; state o·activation(c); h (samples,time,units) the state before each step, times mask (samples,units)
 * if there is one; y the states of all steps (`sequences`), or the last. u in panels (4·units/16, units, 16);
 * scratch: a row of units. begin, end in samples.
 */
export function lstm(
  begin: i32,
  end: i32,
  z: usize,
  u: usize,
  mask: usize,
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
      const before = h + <usize>first * row + <usize>place(s, time, backwards) * bytes;
      const gates = z + ((before - h) << 2);
      if (s) addProduct(m, before, row, units, u, bytes << 4, gates, row << 2, 4 * units, true);
      for (let i = 0; i < m; i++) {
        if (!s) memory.fill(before + <usize>i * row, 0, bytes);
        const own = gates + <usize>i * (row << 2);
        const cell = c + <usize>(first + i) * row + <usize>s * bytes;
        applyCurve(recurrentActivation, own, 2 * units);
        applyCurve(activation, own + 2 * bytes, units);
        applyCurve(recurrentActivation, own + 3 * bytes, units);
        multiply(0, units, own, own + 2 * bytes, cell);
        if (s) addMultiply(units, own + bytes, cell - bytes, cell);
        memory.copy(scratch, cell, bytes);
        applyCurve(activation, scratch, units);
        multiply(0, units, scratch, own + 3 * bytes, scratch);
        passOn(scratch, mask, h, y, first + i, s, time, units, sequences, backwards);
      }
    }
  }
}

/**
 * The gates z become the gradients of what they were activations of; dy is that of y; ut the panels of u's
 * transpose. scratch: 2·BLOCK + 3 rows of units. begin, end in samples.
 */
export function lstmGradient(
  begin: i32,
  end: i32,
  z: usize,
  ut: usize,
  mask: usize,
  c: usize,
  dy: usize,
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
    for (let s = time - 1; s >= 0; s--) {
      const gates = z + ((<usize>first * row + <usize>place(s, time, backwards) * bytes) << 2);
      for (let i = 0; i < m; i++) {
        const dh = dhs + <usize>i * bytes;
        const cell = c + <usize>(first + i) * row + <usize>s * bytes;
        const own = gates + <usize>i * (row << 2);
        takeIn(dh, dy, first + i, s, time, units, sequences);
        cellGradient(own, cell, dh, dcs + <usize>i * bytes, spare, s, units, activation, recurrentActivation);
      }
      if (!s) break;
      addProduct(m, gates, row << 2, 4 * units, ut, bytes << 6, dhs, bytes, units, false);
      unmask(m, first, dhs, mask, units);
    }
  }
}

/** One sample at one step: z from gates to gradients, dc from this cell's to that of the cell before. */
function cellGradient(
  z: usize,
  c: usize,
  dh: usize,
  dc: usize,
  spare: usize,
  s: i32,
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
  if (s) multiply(0, units, dc, c - bytes, second);
  else memory.fill(second, 0, bytes);
  multiply(0, units, dc, z, third);
  multiply(0, units, dc, z + bytes, dc);
  applySlope(recurrentActivation, z, spare, z, 2 * units);
  applySlope(activation, z + 2 * bytes, third, z + 2 * bytes, units);
}
