import { addProduct, applyCurve, applySlope, BLOCK, passOn, place, takeIn, unmask } from './recurrent';

/**
 * z (samples,time,units) = x·w + b becomes the states activation(z + h·u) of all steps; h, mask and y as those
 * of lstm; u in panels. begin, end in samples.
 */
export function simpleRnn(
  begin: i32,
  end: i32,
  z: usize,
  u: usize,
  mask: usize,
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
      const before = h + <usize>first * row + <usize>place(s, time, backwards) * bytes;
      const states = z + (before - h);
      if (s) addProduct(m, before, row, units, u, bytes << 4, states, row, units, true);
      for (let i = 0; i < m; i++) {
        if (!s) memory.fill(before + <usize>i * row, 0, bytes);
        applyCurve(activation, states + <usize>i * row, units);
        passOn(states + <usize>i * row, mask, h, y, first + i, s, time, units, sequences, backwards);
      }
    }
  }
}

/**
 * The states z become the gradients of what they were activations of; dy is that of y; ut the panels of u's
 * transpose. scratch: BLOCK rows of units. begin, end in samples.
 */
export function simpleRnnGradient(
  begin: i32,
  end: i32,
  z: usize,
  ut: usize,
  mask: usize,
  dy: usize,
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
      const states = z + <usize>first * row + <usize>place(s, time, backwards) * bytes;
      for (let i = 0; i < m; i++) {
        const dh = scratch + <usize>i * bytes;
        takeIn(dh, dy, first + i, s, time, units, sequences);
        applySlope(activation, states + <usize>i * row, dh, states + <usize>i * row, units);
      }
      if (!s) break;
      addProduct(m, states, row, units, ut, bytes << 4, scratch, bytes, units, false);
      unmask(m, first, scratch, mask, units);
    }
  }
}
