import { cosv, sinv, splat } from './math';
import { UNIFORM, fill } from './random';

// Where the pixels of an image y are taken from: t (rows,6), drawn for each row of the mini-batch. The pixel (r, c) of
// y lies at row t0·r + t1·c + t2 and column t3·r + t4·c + t5 of x. Rows and columns are counted from the middle of
// the first pixel, so that the middle of n pixels lies at (n - 1) / 2.

/** Where the transform of a row lies; begins as four uniforms in [0, 1), for the key, site and row. */
function draw(t: usize, row: i32, key: usize, site: i32): usize {
  const u = t + <usize>row * 24;
  fill(UNIFORM, 0, 4, u, row, key, site, splat(0), splat(1));
  return u;
}

// @ts-ignore: decorator
@inline function drawn(u: usize, index: i32, low: f32, high: f32): f32 {
  return low + (high - low) * load<f32>(u + ((<usize>index) << 2));
}

/** The transform about the middle of the image with matrix (a b; d e), which is then moved by (c, f). */
// @ts-ignore: decorator
@inline function place(
  t: usize,
  height: i32,
  width: i32,
  a: f32,
  b: f32,
  c: f32,
  d: f32,
  e: f32,
  f: f32,
): void {
  const r = <f32>(height - 1) * 0.5;
  const s = <f32>(width - 1) * 0.5;
  store<f32>(t, a);
  store<f32>(t, b, 4);
  store<f32>(t, r - a * r - b * s + c, 8);
  store<f32>(t, d, 12);
  store<f32>(t, e, 16);
  store<f32>(t, s - d * r - e * s + f, 20);
}

/** Upside down with probability `vertical` (0 or ½), mirrored with probability `horizontal`; begin, end in rows. */
export function flips(
  begin: i32,
  end: i32,
  t: usize,
  key: usize,
  site: i32,
  height: i32,
  width: i32,
  vertical: f32,
  horizontal: f32,
): void {
  for (let r = begin; r < end; r++) {
    const u = draw(t, r, key, site);
    const a: f32 = drawn(u, 0, 0, 1) < vertical ? -1 : 1;
    const e: f32 = drawn(u, 1, 0, 1) < horizontal ? -1 : 1;
    place(u, height, width, a, 0, 0, 0, e, 0);
  }
}

/** Turned by an angle in [low, high] radians, counter-clockwise where it is positive; begin, end in rows. */
export function rotations(
  begin: i32,
  end: i32,
  t: usize,
  key: usize,
  site: i32,
  height: i32,
  width: i32,
  low: f32,
  high: f32,
): void {
  for (let r = begin; r < end; r++) {
    const u = draw(t, r, key, site);
    const angle = splat(drawn(u, 0, low, high));
    const cosine = f32x4.extract_lane(cosv(angle), 0);
    const sine = f32x4.extract_lane(sinv(angle), 0);
    place(u, height, width, cosine, sine, 0, -sine, cosine, 0);
  }
}

/**
 * The steps in x between neighbours of y: of rows in [low0, high0], of columns in [low1, high1], or with `tied` 1
 * the same for both; begin, end in rows.
 */
export function zooms(
  begin: i32,
  end: i32,
  t: usize,
  key: usize,
  site: i32,
  height: i32,
  width: i32,
  low0: f32,
  high0: f32,
  low1: f32,
  high1: f32,
  tied: i32,
): void {
  for (let r = begin; r < end; r++) {
    const u = draw(t, r, key, site);
    const a = drawn(u, 0, low0, high0);
    const e = tied ? a : drawn(u, 1, low1, high1);
    place(u, height, width, a, 0, 0, 0, e, 0);
  }
}

/** As wide as before times a factor in [low, high], the middle staying in its place; begin, end in rows. */
export function widths(
  begin: i32,
  end: i32,
  t: usize,
  key: usize,
  site: i32,
  height: i32,
  width: i32,
  low: f32,
  high: f32,
): void {
  for (let r = begin; r < end; r++) {
    const u = draw(t, r, key, site);
    place(u, height, width, 1, 0, 0, 0, 1 / drawn(u, 0, low, high), 0);
  }
}

/** Moved down by [low0, high0] rows, to the right by [low1, high1] columns; begin, end in rows. */
export function translations(
  begin: i32,
  end: i32,
  t: usize,
  key: usize,
  site: i32,
  height: i32,
  width: i32,
  low0: f32,
  high0: f32,
  low1: f32,
  high1: f32,
): void {
  for (let r = begin; r < end; r++) {
    const u = draw(t, r, key, site);
    place(u, height, width, 1, 0, -drawn(u, 0, low0, high0), 0, 1, -drawn(u, 1, low1, high1));
  }
}

/** A box that begins at a whole row from 0 to `rows` and column from 0 to `columns`; begin, end in rows. */
export function crops(begin: i32, end: i32, t: usize, key: usize, site: i32, rows: i32, columns: i32): void {
  for (let r = begin; r < end; r++) {
    const u = draw(t, r, key, site);
    const top = floor<f32>(drawn(u, 0, 0, <f32>(rows + 1)));
    const left = floor<f32>(drawn(u, 1, 0, <f32>(columns + 1)));
    place(u, 0, 0, 1, 0, top, 0, 1, left);
  }
}
