import { add } from './arrays';
import { multiply } from './dropout';
import { mix, mixGradient } from './gru';
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

// The GRU whose reset gate works after the product; gates and the order of the steps as in gru.ts.

/** first, second (n) = the rows of b (2,n), all padded to slices of 16; begin, end in slices of b. */
export function splitRows(begin: i32, end: i32, b: usize, first: usize, second: usize): void {
  for (let u = begin; u < end; u++) {
    const target = (u & 1 ? second : first) + ((<usize>(u >> 1)) << 6);
    memory.copy(target, b + ((<usize>u) << 6), 64);
  }
}

/**
 * inner (samples,time,3·units) = h·u + bias; z = x·w + b becomes the gates after their activations: of z +
 * inner, g of z + r·inner; state g + z·(h - g); bias 0 for none; the rest as gru; scratch: a row of units.
 * begin, end in samples.
 */
export function gruAfter(
  begin: i32,
  end: i32,
  z: usize,
  u: usize,
  bias: usize,
  steps: usize,
  mask: usize,
  h0: usize,
  h: usize,
  inner: usize,
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
      const offset = (before - h) * 3;
      for (let i = 0; i < m; i++) {
        const own = inner + offset + <usize>i * (3 * row);
        if (!s) setOut(h0, mask, before + <usize>i * row, first + i, units);
        if (bias) memory.copy(own, bias, 3 * bytes);
        else memory.fill(own, 0, 3 * bytes);
      }
      if (s || h0) addProduct(m, before, row, units, u, bytes << 4, inner + offset, 3 * row, 3 * units, true);
      for (let i = 0; i < m; i++) {
        const sample = first + i;
        const own = z + offset + <usize>i * (3 * row);
        const part = inner + offset + <usize>i * (3 * row);
        const old = before + <usize>i * row;
        let state = scratch;
        if (counts(steps, sample, t, time)) {
          add(0, 2 * units, own, part, own);
          applyCurve(recurrentActivation, own, 2 * units);
          addMultiply(units, own + bytes, part + 2 * bytes, own + 2 * bytes);
          applyCurve(activation, own + 2 * bytes, units);
          mix(units, own, old, own + 2 * bytes, state);
        } else state = stateBefore(h0, old, y, sample, s, time, units, sequences);
        passOn(state, steps, mask, h, y, sample, s, time, units, sequences, backwards);
      }
    }
  }
}

/**
 * The gates z become the gradients of what they were activations of, inner its own gradient; dy is that of y,
 * dh0 that of h0; ut the panels of u's transpose. scratch: BLOCK + 2 rows of units. begin, end in samples.
 */
export function gruAfterGradient(
  begin: i32,
  end: i32,
  z: usize,
  ut: usize,
  steps: usize,
  mask: usize,
  h: usize,
  inner: usize,
  dy: usize,
  dh0: usize,
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
  const spare = scratch + <usize>BLOCK * bytes;
  const second = spare + bytes;
  for (let first = begin; first < end; first += BLOCK) {
    const m = min(BLOCK, end - first);
    memory.fill(scratch, 0, <usize>BLOCK * bytes);
    for (let s = time - 1; s >= 0; s--) {
      const t = place(s, time, backwards);
      const before = h + <usize>first * row + <usize>t * bytes;
      const offset = (before - h) * 3;
      for (let i = 0; i < m; i++) {
        const own = z + offset + <usize>i * (3 * row);
        const part = inner + offset + <usize>i * (3 * row) + 2 * bytes;
        const candidate = own + 2 * bytes;
        const dh = scratch + <usize>i * bytes;
        takeIn(dh, dy, first + i, s, time, units, sequences);
        if (!counts(steps, first + i, t, time)) {
          memory.fill(own, 0, 3 * bytes);
          memory.fill(part - 2 * bytes, 0, 3 * bytes);
          continue;
        }
        mixGradient(units, own, before + <usize>i * row, candidate, dh, spare, second);
        applySlope(recurrentActivation, own, spare, own, units);
        applySlope(activation, candidate, second, candidate, units);
        multiply(0, units, candidate, part, second);
        multiply(0, units, candidate, own + bytes, part);
        applySlope(recurrentActivation, own + bytes, second, own + bytes, units);
        memory.copy(part - 2 * bytes, own, 2 * bytes);
      }
      if (!s && !dh0) break;
      // To the gradients of states that stay, the product adds zeros.
      addProduct(m, inner + offset, 3 * row, 3 * units, ut, bytes * 48, scratch, bytes, units, true);
      unmask(m, first, scratch, steps, mask, t, time, units);
    }
    putOut(m, first, scratch, dh0, units);
  }
}
