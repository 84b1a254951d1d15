import {
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

/**
 * z (samples,time,units) = x·w + b becomes the states activation(z + h·u) of all steps; steps, mask, h0, h and y
 * as those of lstm; u in panels. begin, end in samples.
 */
export function simpleRnn(
  begin: i32,
  end: i32,
  z: usize,
  u: usize,
  steps: usize,
  mask: usize,
  h0: usize,
  h: usize,
  y: usize,
  time: i32,
  units: i32,
  activation: i32,
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
      const states = z + (before - h);
      if (!s) for (let i = 0; i < m; i++) setOut(h0, mask, before + <usize>i * row, first + i, units);
      if (s || h0) addProduct(m, before, row, units, u, bytes << 4, states, row, units, true);
      for (let i = 0; i < m; i++) {
        const sample = first + i;
        let state = states + <usize>i * row;
        if (counts(steps, sample, t, time)) applyCurve(activation, state, units);
        else state = stateBefore(h0, before + <usize>i * row, y, sample, s, time, units, sequences);
        passOn(state, steps, mask, h, y, sample, s, time, units, sequences, backwards);
      }
    }
  }
}

/**
 * The states z become the gradients of what they were activations of; dy is that of y, dh0 that of h0; ut the
 * panels of u's transpose. scratch: BLOCK rows of units. begin, end in samples.
 */
export function simpleRnnGradient(
  begin: i32,
  end: i32,
  z: usize,
  ut: usize,
  steps: usize,
  mask: usize,
  dy: usize,
  dh0: usize,
  scratch: usize,
  time: i32,
  units: i32,
  activation: i32,
  sequences: i32,
  backwards: i32,
): void {
  const bytes = (<usize>units) << 2;
  const row = bytes * <usize>time;
  for (let first = begin; first < end; first += BLOCK) {
    const m = min(BLOCK, end - first);
    memory.fill(scratch, 0, <usize>BLOCK * bytes);
    for (let s = time - 1; s >= 0; s--) {
      const t = place(s, time, backwards);
      const states = z + <usize>first * row + <usize>t * bytes;
      for (let i = 0; i < m; i++) {
        const dh = scratch + <usize>i * bytes;
        const state = states + <usize>i * row;
        takeIn(dh, dy, first + i, s, time, units, sequences);
        if (!counts(steps, first + i, t, time)) {
          memory.fill(state, 0, bytes);
          continue;
        }
        applySlope(activation, state, dh, state, units);
        if (steps) memory.fill(dh, 0, bytes);
      }
      if (!s && !dh0) break;
      // To the gradients of states that stay, the product adds zeros.
      addProduct(m, states, row, units, ut, bytes << 4, scratch, bytes, units, steps != 0);
      unmask(m, first, scratch, steps, mask, t, time, units);
    }
    putOut(m, first, scratch, dh0, units);
  }
}
