import { add } from './arrays';
import { multiply } from './dropout';
import { GRADIENT_SCRATCH, productGradient } from './gradient';
import { splat } from './math';
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
import { storeFirst } from './rows';
import { madd } from './simd';

// Gates in the order z, r, g: z (samples,time,3·units), whose last third is the candidate g of the new state.
// The reset gate works on the state before the product. See recurrent.ts for the order of the steps.

/** y (n) = g + z·(h - g). */
export function mix(n: i32, z: usize, h: usize, g: usize, y: usize): void {
  const stop = (<usize>n) << 2;
  let c: usize = 0;
  for (; c + 32 <= stop; c += 32) {
    const u = v128.load(g + c);
    const v = v128.load(g + c, 16);
    const s = madd(v128.load(z + c), f32x4.sub(v128.load(h + c), u), u);
    const t = madd(v128.load(z + c, 16), f32x4.sub(v128.load(h + c, 16), v), v);
    v128.store(y + c, s);
    v128.store(y + c, t, 16);
  }
  for (; c < stop; c += 16) {
    const u = v128.load(g + c);
    const s = madd(v128.load(z + c), f32x4.sub(v128.load(h + c), u), u);
    storeFirst(y + c, s, <i32>((stop - c) >> 2));
  }
}

/**
 * z = x·w + b becomes the gates after their activations: of z + h·u, g of z + (r·h)·u; state g + z·(h - g);
 * reset (samples,time,units) = r·h; steps, mask, h0, h and y as those of lstm. u in panels (3·units/16, units,
 * 16); scratch: BLOCK + 1 rows of units + 16. begin, end in samples.
 */
export function gru(
  begin: i32,
  end: i32,
  z: usize,
  u: usize,
  steps: usize,
  mask: usize,
  h0: usize,
  h: usize,
  reset: usize,
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
  // The candidate's columns of u begin somewhere in a panel: its product takes the whole of it.
  const skip = (2 * units) & 15;
  const width = units + skip;
  const panels = u + ((<usize>((2 * units) >> 4) * bytes) << 4);
  const pitch = (<usize>width) << 2;
  const fresh = scratch + <usize>BLOCK * pitch;
  for (let first = begin; first < end; first += BLOCK) {
    const m = min(BLOCK, end - first);
    for (let s = 0; s < time; s++) {
      const t = place(s, time, backwards);
      const before = h + <usize>first * row + <usize>t * bytes;
      const kept = reset + (before - h);
      const gates = z + 3 * (before - h);
      if (!s) for (let i = 0; i < m; i++) setOut(h0, mask, before + <usize>i * row, first + i, units);
      if (s || h0) addProduct(m, before, row, units, u, bytes << 4, gates, 3 * row, 2 * units, true);
      for (let i = 0; i < m; i++) {
        const own = gates + <usize>i * (3 * row);
        const offset = <usize>i * row;
        if (!counts(steps, first + i, t, time)) {
          memory.fill(kept + offset, 0, bytes);
          continue;
        }
        applyCurve(recurrentActivation, own, 2 * units);
        multiply(0, units, own + bytes, before + offset, kept + offset);
      }
      const product = s > 0 || h0 != 0;
      if (product) addProduct(m, kept, row, units, panels, bytes << 4, scratch, pitch, width, false);
      for (let i = 0; i < m; i++) {
        const sample = first + i;
        const own = gates + <usize>i * (3 * row);
        const candidate = own + 2 * bytes;
        const part = scratch + <usize>i * pitch + ((<usize>skip) << 2);
        const old = before + <usize>i * row;
        let state = fresh;
        if (counts(steps, sample, t, time)) {
          if (product) add(0, units, candidate, part, candidate);
          applyCurve(activation, candidate, units);
          mix(units, own, old, candidate, state);
        } else state = stateBefore(h0, old, y, sample, s, time, units, sequences);
        passOn(state, steps, mask, h, y, sample, s, time, units, sequences, backwards);
      }
    }
  }
}

/**
 * The gates z become the gradients of what they were activations of; dy is that of y, dh0 that of h0; ut the
 * panels of u's transpose. scratch: 2·BLOCK + 2 rows of units. begin, end in samples.
 */
export function gruGradient(
  begin: i32,
  end: i32,
  z: usize,
  ut: usize,
  steps: usize,
  mask: usize,
  h0: usize,
  h: usize,
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
  const dhs = scratch;
  const dresets = dhs + <usize>BLOCK * bytes;
  const spare = dresets + <usize>BLOCK * bytes;
  const pitch = bytes * 48;
  for (let first = begin; first < end; first += BLOCK) {
    const m = min(BLOCK, end - first);
    memory.fill(dhs, 0, <usize>BLOCK * bytes);
    for (let s = time - 1; s >= 0; s--) {
      const t = place(s, time, backwards);
      const before = h + <usize>first * row + <usize>t * bytes;
      const gates = z + 3 * (before - h);
      for (let i = 0; i < m; i++) {
        const own = gates + <usize>i * (3 * row);
        const dh = dhs + <usize>i * bytes;
        takeIn(dh, dy, first + i, s, time, units, sequences);
        if (!counts(steps, first + i, t, time)) {
          memory.fill(own, 0, 3 * bytes);
          continue;
        }
        mixGradient(units, own, before + <usize>i * row, own + 2 * bytes, dh, spare, spare + bytes);
        applySlope(recurrentActivation, own, spare, own, units);
        applySlope(activation, own + 2 * bytes, spare + bytes, own + 2 * bytes, units);
        if (!s && !h0) memory.fill(own + bytes, 0, bytes);
      }
      if (!s && !h0) break;
      // To the gradients of states that stay, the products add zeros.
      const candidates = ut + ((<usize>units) << 7);
      addProduct(m, gates + 2 * bytes, 3 * row, units, candidates, pitch, dresets, bytes, units, false);
      for (let i = 0; i < m; i++) {
        const gate = gates + <usize>i * (3 * row) + bytes;
        const dreset = dresets + <usize>i * bytes;
        addMultiply(units, dreset, gate, dhs + <usize>i * bytes);
        multiply(0, units, dreset, before + <usize>i * row, dreset);
        applySlope(recurrentActivation, gate, dreset, gate, units);
      }
      addProduct(m, gates, 3 * row, 2 * units, ut, pitch, dhs, bytes, units, true);
      unmask(m, first, dhs, steps, mask, t, time, units);
    }
    putOut(m, first, dhs, dh0, units);
  }
}

/** Of y = g + z·(h - g): dz = dy·(h - g), dg = dy·(1 - z), and dy becomes dh = dy·z, each (n). */
export function mixGradient(n: i32, z: usize, h: usize, g: usize, dy: usize, dz: usize, dg: usize): void {
  const stop = (<usize>n) << 2;
  const one = splat(1);
  let c: usize = 0;
  for (; c + 32 <= stop; c += 32) {
    const d = v128.load(dy + c);
    const e = v128.load(dy + c, 16);
    const p = v128.load(z + c);
    const q = v128.load(z + c, 16);
    const s = f32x4.mul(d, f32x4.sub(v128.load(h + c), v128.load(g + c)));
    const t = f32x4.mul(e, f32x4.sub(v128.load(h + c, 16), v128.load(g + c, 16)));
    v128.store(dz + c, s);
    v128.store(dz + c, t, 16);
    const u = f32x4.mul(d, f32x4.sub(one, p));
    const v = f32x4.mul(e, f32x4.sub(one, q));
    v128.store(dg + c, u);
    v128.store(dg + c, v, 16);
    v128.store(dy + c, f32x4.mul(d, p));
    v128.store(dy + c, f32x4.mul(e, q), 16);
  }
  for (; c < stop; c += 16) {
    const d = v128.load(dy + c);
    const gate = v128.load(z + c);
    const left = <i32>((stop - c) >> 2);
    storeFirst(dz + c, f32x4.mul(d, f32x4.sub(v128.load(h + c), v128.load(g + c))), left);
    storeFirst(dg + c, f32x4.mul(d, f32x4.sub(one, gate)), left);
    storeFirst(dy + c, f32x4.mul(d, gate), left);
  }
}

/**
 * du = Σ hᵀ·dz in the columns of the gates z and r, Σ resetᵀ·dz in those of g, over the rows of samples span[0]
 * … span[1] - 1; begin, end in slices of du, panels (3·units/16, units, 16). scratch: that of
 * productGradient, then a panel of units rows.
 */
export function gruWeightGradient(
  begin: i32,
  end: i32,
  h: usize,
  reset: usize,
  dz: usize,
  du: usize,
  span: usize,
  time: i32,
  units: i32,
  scratch: usize,
): void {
  const n = 3 * units;
  const split = ((2 * units) >> 4) * units;
  const columns = (2 * units) & 15;
  const gatesEnd = min(end, columns ? split + units : split);
  if (begin < gatesEnd) productGradient(begin, gatesEnd, h, dz, du, span, time, units, n, scratch);
  const rest = max(begin, columns ? split + units : split);
  if (rest < end) productGradient(rest, end, reset, dz, du, span, time, units, n, scratch);
  // One panel may hold columns of both.
  const from = max(begin, split);
  const to = min(end, split + units);
  if (!columns || from >= to) return;
  const base = scratch + GRADIENT_SCRATCH - ((<usize>split) << 6);
  productGradient(from, to, reset, dz, base, span, time, units, n, scratch);
  const copied = (<usize>(16 - columns)) << 2;
  for (let unit = from; unit < to; unit++) {
    const at = ((<usize>unit) << 6) + ((<usize>columns) << 2);
    memory.copy(du + at, base + at, copied);
  }
}
