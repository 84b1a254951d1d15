import { splat } from './math';
import { storeFirst } from './rows';

// One window of a pooling: x (rows, columns, channels) at strides of `row` bytes and `channels` floats, y
// (channels).

export const MAX: i32 = 0;
export const AVERAGE: i32 = 1;

/** One step of a reduction; a NaN stays. */
// @ts-ignore: decorator
@inline function reduce(kind: i32, a: v128, x: v128): v128 {
  return kind == MAX ? f32x4.max(a, x) : f32x4.add(a, x);
}

// @ts-ignore: decorator
@inline function finish(kind: i32, a: v128, count: v128): v128 {
  return kind == MAX ? a : f32x4.div(a, count);
}

/** y (channels) of one window of rows × columns positions at x; `row` and `pixel` are strides in bytes. */
// @ts-ignore: decorator
@inline export function window(
  kind: i32,
  x: usize,
  y: usize,
  rows: usize,
  columns: usize,
  row: usize,
  channels: i32,
): void {
  const pixel = (<usize>channels) << 2;
  const count = splat(<f32>(rows * columns));
  const empty = splat(kind == MAX ? -Infinity : 0);
  let c = 0;
  for (; c + 8 <= channels; c += 8, x += 32, y += 32) {
    let u = empty;
    let v = empty;
    for (let r = x, bottom = x + rows * row; r < bottom; r += row) {
      for (let p = r, right = r + columns * pixel; p < right; p += pixel) {
        u = reduce(kind, u, v128.load(p));
        v = reduce(kind, v, v128.load(p, 16));
      }
    }
    v128.store(y, finish(kind, u, count));
    v128.store(y, finish(kind, v, count), 16);
  }
  for (; c < channels; c += 4, x += 16, y += 16) {
    let u = empty;
    for (let r = x, bottom = x + rows * row; r < bottom; r += row) {
      for (let p = r, right = r + columns * pixel; p < right; p += pixel) u = reduce(kind, u, v128.load(p));
    }
    storeFirst(y, finish(kind, u, count), channels - c);
  }
}

/**
 * What goes to elements at x of the window: all of the gradient that is left where x ≥ y, or an even share.
 */
// @ts-ignore: decorator
@inline function share(kind: i32, g: v128, x: usize, y: v128): v128 {
  return kind == MAX ? v128.andnot(g, f32x4.lt(v128.load(x), y)) : g;
}

/** What is left for the elements after those at x. */
// @ts-ignore: decorator
@inline function rest(kind: i32, g: v128, x: usize, y: v128): v128 {
  return kind == MAX ? v128.and(g, f32x4.lt(v128.load(x), y)) : g;
}

// @ts-ignore: decorator
@inline function maximum(kind: i32, y: usize): v128 {
  return kind == MAX ? v128.load(y) : splat(0);
}

/** dx (8) += the shares of gradients g, h, for the maxima s, t. */
// @ts-ignore: decorator
@inline function addShares(kind: i32, x: usize, dx: usize, g: v128, h: v128, s: v128, t: v128): void {
  const u = f32x4.add(v128.load(dx), share(kind, g, x, s));
  const v = f32x4.add(v128.load(dx, 16), share(kind, h, x + 16, t));
  v128.store(dx, u);
  v128.store(dx, v, 16);
}

/**
 * dx (rows,columns,channels) += the gradient dy (channels) of one window; x and y are read for a maximum
 * only.
 */
// @ts-ignore: decorator
@inline export function windowGradient(
  kind: i32,
  x: usize,
  y: usize,
  dy: usize,
  dx: usize,
  rows: usize,
  columns: usize,
  row: usize,
  channels: i32,
): void {
  const pixel = (<usize>channels) << 2;
  const count = splat(<f32>(rows * columns));
  x -= dx;
  let c = 0;
  for (; c + 8 <= channels; c += 8, y += 32, dy += 32, dx += 32) {
    const s = maximum(kind, y);
    const t = maximum(kind, y + 16);
    let g = finish(kind, v128.load(dy), count);
    let h = finish(kind, v128.load(dy, 16), count);
    for (let r = dx, bottom = dx + rows * row; r < bottom; r += row) {
      for (let p = r, right = r + columns * pixel; p < right; p += pixel) {
        addShares(kind, x + p, p, g, h, s, t);
        g = rest(kind, g, x + p, s);
        h = rest(kind, h, x + p + 16, t);
      }
    }
  }
  for (; c < channels; c += 4, y += 16, dy += 16, dx += 16) {
    const s = maximum(kind, y);
    let g = finish(kind, v128.load(dy), count);
    for (let r = dx, bottom = dx + rows * row; r < bottom; r += row) {
      for (let p = r, right = r + columns * pixel; p < right; p += pixel) {
        storeFirst(p, f32x4.add(v128.load(p), share(kind, g, x + p, s)), channels - c);
        g = rest(kind, g, x + p, s);
      }
    }
  }
}

/** y (channels) of a window of 2 × 2, channels a multiple of 8: no inner loops, which V8 would not pack. */
// @ts-ignore: decorator
@inline export function quad(kind: i32, x: usize, y: usize, row: usize, channels: i32): void {
  const pixel = (<usize>channels) << 2;
  const count = splat(4);
  for (let end = y + pixel; y < end; x += 32, y += 32) {
    const p = x + row;
    const s = reduce(kind, v128.load(x), v128.load(x + pixel));
    const t = reduce(kind, v128.load(x, 16), v128.load(x + pixel, 16));
    const u = reduce(kind, v128.load(p), v128.load(p + pixel));
    const v = reduce(kind, v128.load(p, 16), v128.load(p + pixel, 16));
    const a = finish(kind, reduce(kind, s, u), count);
    const b = finish(kind, reduce(kind, t, v), count);
    v128.store(y, a);
    v128.store(y, b, 16);
  }
}

/** dx (8) = the shares of gradients g, h, for the maxima s, t. */
// @ts-ignore: decorator
@inline function storeShares(kind: i32, x: usize, dx: usize, g: v128, h: v128, s: v128, t: v128): void {
  const u = share(kind, g, x, s);
  const v = share(kind, h, x + 16, t);
  v128.store(dx, u);
  v128.store(dx, v, 16);
}

/**
 * dx (2,2,channels) = the gradient dy (channels) of a window that overlaps no other; channels a multiple of
 * 8.
 */
// @ts-ignore: decorator
@inline export function quadGradient(
  kind: i32,
  x: usize,
  y: usize,
  dy: usize,
  dx: usize,
  row: usize,
  channels: i32,
): void {
  const pixel = (<usize>channels) << 2;
  const count = splat(4);
  for (let c: usize = 0; c < pixel; c += 32) {
    const s = maximum(kind, y + c);
    const t = maximum(kind, y + c + 16);
    let p = c;
    let g = finish(kind, v128.load(dy + c), count);
    let h = finish(kind, v128.load(dy + c, 16), count);
    storeShares(kind, x + p, dx + p, g, h, s, t);
    g = rest(kind, g, x + p, s);
    h = rest(kind, h, x + p + 16, t);
    p = c + pixel;
    storeShares(kind, x + p, dx + p, g, h, s, t);
    g = rest(kind, g, x + p, s);
    h = rest(kind, h, x + p + 16, t);
    p = c + row;
    storeShares(kind, x + p, dx + p, g, h, s, t);
    g = rest(kind, g, x + p, s);
    h = rest(kind, h, x + p + 16, t);
    p = c + row + pixel;
    storeShares(kind, x + p, dx + p, g, h, s, t);
  }
}
