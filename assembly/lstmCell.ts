import { add } from './arrays';
import { forward, HARD_SIGMOID, SIGMOID, slope, TANH } from './curves';
import { multiply } from './dropout';
import { addMultiply, applyCurve, applySlope } from './recurrent';
import { madd } from './simd';

// One sample at one step of an LSTM: rows of `units`. With the usual activations, and units a multiple of eight,
// one pass over all of them instead of eight or ten, so that their cache misses overlap.

// @ts-ignore: decorator
@inline function usual(units: i32, activation: i32, gate: i32, last: usize): bool {
  return last != 0 && (units & 7) == 0 && activation == TANH && (gate == SIGMOID || gate == HARD_SIGMOID);
}

/** Gates i, f, g, o of z get their activations; cell = f·last + i·g, state = o·activation(cell); last 0 for zeros. */
export function step(
  z: usize,
  last: usize,
  cell: usize,
  state: usize,
  units: i32,
  activation: i32,
  gate: i32,
): void {
  const bytes = (<usize>units) << 2;
  if (usual(units, activation, gate, last)) {
    if (gate == SIGMOID) usualStep(SIGMOID, z, last, cell, state, bytes);
    else usualStep(HARD_SIGMOID, z, last, cell, state, bytes);
    return;
  }
  applyCurve(gate, z, 2 * units);
  applyCurve(activation, z + 2 * bytes, units);
  applyCurve(gate, z + 3 * bytes, units);
  multiply(0, units, z, z + 2 * bytes, cell);
  if (last) addMultiply(units, z + bytes, last, cell);
  memory.copy(state, cell, bytes);
  applyCurve(activation, state, units);
  multiply(0, units, state, z + 3 * bytes, state);
}

// @ts-ignore: decorator
@inline function usualStep(gate: i32, z: usize, last: usize, cell: usize, state: usize, bytes: usize): void {
  for (let end = z + bytes; z < end; z += 32, last += 32, cell += 32, state += 32) {
    const f = z + bytes;
    const g = f + bytes;
    const o = g + bytes;
    const i0 = forward(gate, v128.load(z), 0);
    const i1 = forward(gate, v128.load(z, 16), 0);
    const f0 = forward(gate, v128.load(f), 0);
    const f1 = forward(gate, v128.load(f, 16), 0);
    const g0 = forward(TANH, v128.load(g), 0);
    const g1 = forward(TANH, v128.load(g, 16), 0);
    const o0 = forward(gate, v128.load(o), 0);
    const o1 = forward(gate, v128.load(o, 16), 0);
    const c0 = madd(f0, v128.load(last), f32x4.mul(i0, g0));
    const c1 = madd(f1, v128.load(last, 16), f32x4.mul(i1, g1));
    const h0 = f32x4.mul(forward(TANH, c0, 0), o0);
    const h1 = f32x4.mul(forward(TANH, c1, 0), o1);
    v128.store(z, i0);
    v128.store(z, i1, 16);
    v128.store(f, f0);
    v128.store(f, f1, 16);
    v128.store(g, g0);
    v128.store(g, g1, 16);
    v128.store(o, o0);
    v128.store(o, o1, 16);
    v128.store(cell, c0);
    v128.store(cell, c1, 16);
    v128.store(state, h0);
    v128.store(state, h1, 16);
  }
}

/** z from gates to gradients, dc from this cell's (plus what comes by dh) to that of `last`. spare: 3 rows. */
export function cellGradient(
  z: usize,
  c: usize,
  last: usize,
  dh: usize,
  dc: usize,
  spare: usize,
  units: i32,
  activation: i32,
  gate: i32,
): void {
  const bytes = (<usize>units) << 2;
  if (usual(units, activation, gate, last)) {
    if (gate == SIGMOID) usualGradient(SIGMOID, z, c, last, dh, dc, bytes);
    else usualGradient(HARD_SIGMOID, z, c, last, dh, dc, bytes);
    return;
  }
  const second = spare + bytes;
  const third = second + bytes;
  memory.copy(spare, c, bytes);
  applyCurve(activation, spare, units);
  multiply(0, units, dh, z + 3 * bytes, second);
  applySlope(activation, spare, second, second, units);
  add(0, units, dc, second, dc);
  multiply(0, units, dh, spare, spare);
  applySlope(gate, z + 3 * bytes, spare, z + 3 * bytes, units);
  multiply(0, units, dc, z + 2 * bytes, spare);
  if (last) multiply(0, units, dc, last, second);
  else memory.fill(second, 0, bytes);
  multiply(0, units, dc, z, third);
  multiply(0, units, dc, z + bytes, dc);
  applySlope(gate, z, spare, z, 2 * units);
  applySlope(activation, z + 2 * bytes, third, z + 2 * bytes, units);
}

// prettier-ignore
// @ts-ignore: decorator
@inline function usualGradient(
  gate: i32, z: usize, c: usize, last: usize, dh: usize, dc: usize, bytes: usize,
): void {
  for (let end = z + bytes; z < end; z += 32, c += 32, last += 32, dh += 32, dc += 32) {
    const f = z + bytes;
    const g = f + bytes;
    const o = g + bytes;
    const i0 = v128.load(z), i1 = v128.load(z, 16);
    const f0 = v128.load(f), f1 = v128.load(f, 16);
    const g0 = v128.load(g), g1 = v128.load(g, 16);
    const o0 = v128.load(o), o1 = v128.load(o, 16);
    const h0 = v128.load(dh), h1 = v128.load(dh, 16);
    const s0 = forward(TANH, v128.load(c), 0), s1 = forward(TANH, v128.load(c, 16), 0);
    const byState0 = f32x4.mul(f32x4.mul(h0, o0), slope(TANH, s0, 0));
    const byState1 = f32x4.mul(f32x4.mul(h1, o1), slope(TANH, s1, 0));
    const d0 = f32x4.add(v128.load(dc), byState0), d1 = f32x4.add(v128.load(dc, 16), byState1);
    const di0 = f32x4.mul(f32x4.mul(d0, g0), slope(gate, i0, 0));
    const di1 = f32x4.mul(f32x4.mul(d1, g1), slope(gate, i1, 0));
    const df0 = f32x4.mul(f32x4.mul(d0, v128.load(last)), slope(gate, f0, 0));
    const df1 = f32x4.mul(f32x4.mul(d1, v128.load(last, 16)), slope(gate, f1, 0));
    const dg0 = f32x4.mul(f32x4.mul(d0, i0), slope(TANH, g0, 0));
    const dg1 = f32x4.mul(f32x4.mul(d1, i1), slope(TANH, g1, 0));
    const do0 = f32x4.mul(f32x4.mul(h0, s0), slope(gate, o0, 0));
    const do1 = f32x4.mul(f32x4.mul(h1, s1), slope(gate, o1, 0));
    const dl0 = f32x4.mul(d0, f0), dl1 = f32x4.mul(d1, f1);
    v128.store(z, di0);
    v128.store(z, di1, 16);
    v128.store(f, df0);
    v128.store(f, df1, 16);
    v128.store(g, dg0);
    v128.store(g, dg1, 16);
    v128.store(o, do0);
    v128.store(o, do1, 16);
    v128.store(dc, dl0);
    v128.store(dc, dl1, 16);
  }
}
