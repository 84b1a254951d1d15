import {
  elu,
  eluGradient,
  hardSigmoid,
  hardSigmoidGradient,
  relu,
  reluGradient,
  relu6,
  relu6Gradient,
  selu,
  seluGradient,
  sigmoid,
  sigmoidGradient,
  softplus,
  softplusGradient,
  tanh,
  tanhGradient,
} from './activations';
import { add } from './arrays';
import { multiply } from './dropout';
import { storeFirst } from './rows';
import { madd } from './simd';
import { strip } from './tile';

// What the recurrent kernels share. A kernel takes its samples through the whole sequence by itself, BLOCK
// at a time, so that a block's step and the recurrent weights stay in the second-level cache and no barrier
// lies between two steps. Arrays of all steps are (samples,time,·). Gates `z` and states `h` lie in the order
// of the input, as does `steps`, which is 1 where a step counts and 0 where the state stays as it is and is put
// out again; what a layer puts out, and `c`, in the order of the steps, which is the reverse of it with
// `backwards`. An address of 0 stands for steps that all count, for a mask of ones, for initial states of zeros,
// and for gradients that do not come or are not asked for.

/** Samples that go through the sequence together; a multiple of the six rows of a tile. */
export const BLOCK: i32 = 48;
/** Summands in one pass, as in product.ts. */
const KC: i32 = 512;

const TANH: i32 = 1;
const SIGMOID: i32 = 2;
const HARD_SIGMOID: i32 = 3;
const RELU: i32 = 4;
const RELU6: i32 = 5;
const ELU: i32 = 6;
const SELU: i32 = 7;
const SOFTPLUS: i32 = 8;

/** Where step s lies in the order of the input. */
// @ts-ignore: decorator
@inline export function place(s: i32, time: i32, backwards: i32): i32 {
  return backwards ? time - 1 - s : s;
}

/** x (n) = f(x); 0 is the identity. */
export function applyCurve(f: i32, x: usize, n: i32): void {
  if (f == TANH) tanh(0, n, x, x);
  else if (f == SIGMOID) sigmoid(0, n, x, x);
  else if (f == HARD_SIGMOID) hardSigmoid(0, n, x, x);
  else if (f == RELU) relu(0, n, x, x);
  else if (f == RELU6) relu6(0, n, x, x);
  else if (f == ELU) elu(0, n, x, x, 1);
  else if (f == SELU) selu(0, n, x, x);
  else if (f == SOFTPLUS) softplus(0, n, x, x);
}

/** dx (n) = dy·f', y = f(x). */
export function applySlope(f: i32, y: usize, dy: usize, dx: usize, n: i32): void {
  if (f == TANH) tanhGradient(0, n, y, dy, dx);
  else if (f == SIGMOID) sigmoidGradient(0, n, y, dy, dx);
  else if (f == HARD_SIGMOID) hardSigmoidGradient(0, n, y, dy, dx);
  else if (f == RELU) reluGradient(0, n, y, dy, dx);
  else if (f == RELU6) relu6Gradient(0, n, y, dy, dx);
  else if (f == ELU) eluGradient(0, n, y, dy, dx, 1);
  else if (f == SELU) seluGradient(0, n, y, dy, dx);
  else if (f == SOFTPLUS) softplusGradient(0, n, y, dy, dx);
  else if (dx != dy) memory.copy(dx, dy, (<usize>n) << 2);
}

/** y (n) += a·b. */
export function addMultiply(n: i32, a: usize, b: usize, y: usize): void {
  const stop = (<usize>n) << 2;
  let c: usize = 0;
  for (; c + 32 <= stop; c += 32) {
    const u = madd(v128.load(a + c), v128.load(b + c), v128.load(y + c));
    const v = madd(v128.load(a + c, 16), v128.load(b + c, 16), v128.load(y + c, 16));
    v128.store(y + c, u);
    v128.store(y + c, v, 16);
  }
  for (; c < stop; c += 16) {
    const u = madd(v128.load(a + c), v128.load(b + c), v128.load(y + c));
    storeFirst(y + c, u, <i32>((stop - c) >> 2));
  }
}

/**
 * c (m,n) = (keep ? c : 0) + a (m,k)·b, rows lda and ldc bytes apart; b the panels (·,pitch/64,16), from a
 * row of its own, pitch bytes apart.
 */
export function addProduct(
  m: i32,
  a: usize,
  lda: usize,
  k: i32,
  b: usize,
  pitch: usize,
  c: usize,
  ldc: usize,
  n: i32,
  keep: bool,
): void {
  for (let p = 0; p < k; p += KC) {
    const steps = min(KC, k - p);
    const kept = keep || p > 0 ? -1 : 0;
    const block = a + ((<usize>p) << 2);
    for (let j = 0; j < n; j += 16) {
      const panel = b + <usize>(j >> 4) * pitch + ((<usize>p) << 6);
      const to = c + ((<usize>j) << 2);
      strip(m, block, lda, 4, steps, 0, 1, panel, to, ldc, kept, to, ldc, n - j, -Infinity);
    }
  }
}

/** Whether the step at place t of the input counts. */
// @ts-ignore: decorator
@inline export function counts(steps: usize, sample: i32, t: i32, time: i32): bool {
  return !steps || load<f32>(steps + ((<usize>(sample * time + t)) << 2)) != 0;
}

/** h (units) = the masked state before the first step, from h0 (samples,units). */
export function setOut(h0: usize, mask: usize, h: usize, sample: i32, units: i32): void {
  const bytes = (<usize>units) << 2;
  const from = <usize>sample * bytes;
  if (!h0) memory.fill(h, 0, bytes);
  else if (mask) multiply(0, units, h0 + from, mask + from, h);
  else memory.copy(h, h0 + from, bytes);
}

/**
 * Where the state of one sample before step s lies, unmasked: `h` is that of the first step, masked. Without
 * `sequences`, y holds the latest state as long as there are `steps`.
 */
export function stateBefore(
  h0: usize,
  h: usize,
  y: usize,
  sample: i32,
  s: i32,
  time: i32,
  units: i32,
  sequences: i32,
): usize {
  const bytes = (<usize>units) << 2;
  if (s) return y + <usize>(sequences ? sample * time + s - 1 : sample) * bytes;
  return h0 ? h0 + <usize>sample * bytes : h;
}

/** Puts the new state of one sample where it belongs: into the layer's output, and masked before step s + 1. */
export function passOn(
  state: usize,
  steps: usize,
  mask: usize,
  h: usize,
  y: usize,
  sample: i32,
  s: i32,
  time: i32,
  units: i32,
  sequences: i32,
  backwards: i32,
): void {
  const bytes = (<usize>units) << 2;
  if (sequences) memory.copy(y + <usize>(sample * time + s) * bytes, state, bytes);
  else if (s + 1 == time || steps) memory.copy(y + <usize>sample * bytes, state, bytes);
  if (s + 1 == time) return;
  const next = h + <usize>(sample * time + place(s + 1, time, backwards)) * bytes;
  if (mask) multiply(0, units, state, mask + <usize>sample * bytes, next);
  else memory.copy(next, state, bytes);
}

/** Adds the gradient of the layer's output at step s to dh, that of one sample's state. */
export function takeIn(
  dh: usize,
  dy: usize,
  sample: i32,
  s: i32,
  time: i32,
  units: i32,
  sequences: i32,
): void {
  if (!dy || (!sequences && s + 1 < time)) return;
  const bytes = (<usize>units) << 2;
  const from = dy + <usize>(sequences ? sample * time + s : sample) * bytes;
  add(0, units, dh, from, dh);
}

/**
 * dh (m,units) becomes the gradient of the unmasked states of m samples from `first` on, where the step at place
 * t counts.
 */
export function unmask(
  m: i32,
  first: i32,
  dh: usize,
  steps: usize,
  mask: usize,
  t: i32,
  time: i32,
  units: i32,
): void {
  if (!mask) return;
  const bytes = (<usize>units) << 2;
  for (let i = 0; i < m; i++) {
    const row = dh + <usize>i * bytes;
    if (counts(steps, first + i, t, time)) multiply(0, units, row, mask + <usize>(first + i) * bytes, row);
  }
}

/** to (samples,units) = the gradients dh of m samples from `first` on, if it is asked for. */
export function putOut(m: i32, first: i32, dh: usize, to: usize, units: i32): void {
  const bytes = (<usize>units) << 2;
  if (to) memory.copy(to + <usize>first * bytes, dh, <usize>m * bytes);
}
