import { storeFirst } from './rows';
import { storeLanes } from './simd';
import {
  forward,
  gate,
  gatedSlope,
  shared,
  slope,
  RELU,
  RELU6,
  LEAKY_RELU,
  ELU,
  SELU,
  SIGMOID,
  HARD_SIGMOID,
  SOFTPLUS,
  SOFTSIGN,
  TANH,
  SWISH,
  MISH,
  GELU,
  GELU_NEW,
  CLIPPED_RELU,
  THRESHOLDED_RELU,
} from './curves';

// Forward kernels: y = f(x). Gradient kernels: dx = dy · f'(s), where s is the output y if f' is a function
// of it (relu, relu6, clippedRelu, sigmoid, hardSigmoid, tanh, softplus, elu, selu) and the input x otherwise (softsign,
// leakyRelu, thresholdedRelu). swish, mish, gelu and geluNew can make f'(x) along with f(x), from the same exponential: keeping
// it costs less than making it again. begin, end in elements; y may be x, dx may be dy or s. Definitions are those of
// TensorFlow.js 4.22.

// @ts-ignore: decorator
@inline export function map(kind: i32, begin: i32, end: i32, x: usize, y: usize, alpha: f32): void {
  const stop = (<usize>end) << 2;
  let i = (<usize>begin) << 2;
  for (; i + 32 <= stop; i += 32) {
    const u = forward(kind, v128.load(x + i), alpha);
    const v = forward(kind, v128.load(x + i, 16), alpha);
    v128.store(y + i, u);
    v128.store(y + i, v, 16);
  }
  for (; i < stop; i += 16) {
    const u = forward(kind, v128.load(x + i), alpha);
    if (i + 16 <= stop) v128.store(y + i, u);
    else storeLanes(y + i, u, (<i32>(stop - i)) >> 2);
  }
}

// @ts-ignore: decorator
@inline export function chain(
  kind: i32,
  begin: i32,
  end: i32,
  s: usize,
  dy: usize,
  dx: usize,
  alpha: f32,
): void {
  const stop = (<usize>end) << 2;
  let i = (<usize>begin) << 2;
  for (; i + 32 <= stop; i += 32) {
    const u = f32x4.mul(v128.load(dy + i), slope(kind, v128.load(s + i), alpha));
    const v = f32x4.mul(v128.load(dy + i, 16), slope(kind, v128.load(s + i, 16), alpha));
    v128.store(dx + i, u);
    v128.store(dx + i, v, 16);
  }
  for (; i < stop; i += 16) {
    const u = f32x4.mul(v128.load(dy + i), slope(kind, v128.load(s + i), alpha));
    if (i + 16 <= stop) v128.store(dx + i, u);
    else storeLanes(dx + i, u, (<i32>(stop - i)) >> 2);
  }
}

/** y = f(x) and slopes = f'(x) of a function x·gate(x). */
// @ts-ignore: decorator
@inline function mapWithSlope(kind: i32, begin: i32, end: i32, x: usize, y: usize, slopes: usize): void {
  const stop = (<usize>end) << 2;
  let i = (<usize>begin) << 2;
  for (; i + 32 <= stop; i += 32) {
    const u = v128.load(x + i);
    const v = v128.load(x + i, 16);
    const d = shared(kind, u);
    const e = shared(kind, v);
    const g = gate(kind, u, d);
    const h = gate(kind, v, e);
    v128.store(slopes + i, gatedSlope(kind, u, d, g));
    v128.store(slopes + i, gatedSlope(kind, v, e, h), 16);
    v128.store(y + i, f32x4.mul(u, g));
    v128.store(y + i, f32x4.mul(v, h), 16);
  }
  for (; i < stop; i += 16) {
    const u = v128.load(x + i);
    const d = shared(kind, u);
    const g = gate(kind, u, d);
    const count = (<i32>(stop - i)) >> 2;
    storeFirst(slopes + i, gatedSlope(kind, u, d, g), count);
    storeFirst(y + i, f32x4.mul(u, g), count);
  }
}

/** y = max(x, 0). */
export function relu(begin: i32, end: i32, x: usize, y: usize): void {
  map(RELU, begin, end, x, y, 0);
}

export function reluGradient(begin: i32, end: i32, y: usize, dy: usize, dx: usize): void {
  chain(RELU, begin, end, y, dy, dx, 0);
}

/** y = min(max(x, 0), 6). */
export function relu6(begin: i32, end: i32, x: usize, y: usize): void {
  map(RELU6, begin, end, x, y, 0);
}

export function relu6Gradient(begin: i32, end: i32, y: usize, dy: usize, dx: usize): void {
  chain(RELU6, begin, end, y, dy, dx, 0);
}

/** y = min(max(x, 0), limit). */
export function clippedRelu(begin: i32, end: i32, x: usize, y: usize, limit: f32): void {
  map(CLIPPED_RELU, begin, end, x, y, limit);
}

export function clippedReluGradient(begin: i32, end: i32, y: usize, dy: usize, dx: usize, limit: f32): void {
  chain(CLIPPED_RELU, begin, end, y, dy, dx, limit);
}

/** y = x > theta ? x : 0. */
export function thresholdedRelu(begin: i32, end: i32, x: usize, y: usize, theta: f32): void {
  map(THRESHOLDED_RELU, begin, end, x, y, theta);
}

export function thresholdedReluGradient(
  begin: i32,
  end: i32,
  x: usize,
  dy: usize,
  dx: usize,
  theta: f32,
): void {
  chain(THRESHOLDED_RELU, begin, end, x, dy, dx, theta);
}

/** y = x > 0 ? x : alpha·x. */
export function leakyRelu(begin: i32, end: i32, x: usize, y: usize, alpha: f32): void {
  map(LEAKY_RELU, begin, end, x, y, alpha);
}

export function leakyReluGradient(begin: i32, end: i32, x: usize, dy: usize, dx: usize, alpha: f32): void {
  chain(LEAKY_RELU, begin, end, x, dy, dx, alpha);
}

/** y = x ≥ 0 ? x : alpha·(exp(x) - 1) (Clevert et al., 2015). */
export function elu(begin: i32, end: i32, x: usize, y: usize, alpha: f32): void {
  map(ELU, begin, end, x, y, alpha);
}

export function eluGradient(begin: i32, end: i32, y: usize, dy: usize, dx: usize, alpha: f32): void {
  chain(ELU, begin, end, y, dy, dx, alpha);
}

/** y = 1.0507·x for x ≥ 0, 1.7581·(exp(x) - 1) below (Klambauer et al., 2017). */
export function selu(begin: i32, end: i32, x: usize, y: usize): void {
  map(SELU, begin, end, x, y, 0);
}

export function seluGradient(begin: i32, end: i32, y: usize, dy: usize, dx: usize): void {
  chain(SELU, begin, end, y, dy, dx, 0);
}

/** y = 1 / (1 + exp(-x)). */
export function sigmoid(begin: i32, end: i32, x: usize, y: usize): void {
  map(SIGMOID, begin, end, x, y, 0);
}

export function sigmoidGradient(begin: i32, end: i32, y: usize, dy: usize, dx: usize): void {
  chain(SIGMOID, begin, end, y, dy, dx, 0);
}

/** y = min(max(0.2·x + 0.5, 0), 1). */
export function hardSigmoid(begin: i32, end: i32, x: usize, y: usize): void {
  map(HARD_SIGMOID, begin, end, x, y, 0);
}

export function hardSigmoidGradient(begin: i32, end: i32, y: usize, dy: usize, dx: usize): void {
  chain(HARD_SIGMOID, begin, end, y, dy, dx, 0);
}

/** y = log(1 + exp(x)). */
export function softplus(begin: i32, end: i32, x: usize, y: usize): void {
  map(SOFTPLUS, begin, end, x, y, 0);
}

export function softplusGradient(begin: i32, end: i32, y: usize, dy: usize, dx: usize): void {
  chain(SOFTPLUS, begin, end, y, dy, dx, 0);
}

/** y = x / (1 + |x|). */
export function softsign(begin: i32, end: i32, x: usize, y: usize): void {
  map(SOFTSIGN, begin, end, x, y, 0);
}

export function softsignGradient(begin: i32, end: i32, x: usize, dy: usize, dx: usize): void {
  chain(SOFTSIGN, begin, end, x, dy, dx, 0);
}

/** y = tanh(x). */
export function tanh(begin: i32, end: i32, x: usize, y: usize): void {
  map(TANH, begin, end, x, y, 0);
}

export function tanhGradient(begin: i32, end: i32, y: usize, dy: usize, dx: usize): void {
  chain(TANH, begin, end, y, dy, dx, 0);
}

/** y = x·sigmoid(x). */
export function swish(begin: i32, end: i32, x: usize, y: usize): void {
  map(SWISH, begin, end, x, y, 0);
}

export function swishWithSlope(begin: i32, end: i32, x: usize, y: usize, slopes: usize): void {
  mapWithSlope(SWISH, begin, end, x, y, slopes);
}

/** y = x·tanh(softplus(x)) (Misra, 2019). */
export function mish(begin: i32, end: i32, x: usize, y: usize): void {
  map(MISH, begin, end, x, y, 0);
}

export function mishWithSlope(begin: i32, end: i32, x: usize, y: usize, slopes: usize): void {
  mapWithSlope(MISH, begin, end, x, y, slopes);
}

/** y = x·(1 + erf(x / √2)) / 2 (Hendrycks and Gimpel, 2016): 6 ulp of x/2. */
export function gelu(begin: i32, end: i32, x: usize, y: usize): void {
  map(GELU, begin, end, x, y, 0);
}

export function geluWithSlope(begin: i32, end: i32, x: usize, y: usize, slopes: usize): void {
  mapWithSlope(GELU, begin, end, x, y, slopes);
}

/** y = x·(1 + tanh(√(2/π)·(x + 0.044715·x³))) / 2. */
export function geluNew(begin: i32, end: i32, x: usize, y: usize): void {
  map(GELU_NEW, begin, end, x, y, 0);
}

export function geluNewWithSlope(begin: i32, end: i32, x: usize, y: usize, slopes: usize): void {
  mapWithSlope(GELU_NEW, begin, end, x, y, slopes);
}
