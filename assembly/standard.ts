import { storeFirst } from './rows';

/** Keras' epsilon: a smaller deviation counts as this. */
const LEAST: f32 = 1e-7;

/**
 * centre = mean and scale = 1 / deviation, or with `invert` 1 the deviation, for each element (n0,n1,n2,n3,n4) of a
 * part of a sample; zeros = 0. mean and variance are parameters of `rows` rows and so many columns, in panels; the
 * element (i0 … i4) has their row-major element Σ i·s. One worker's work: begin and end are not used.
 */
export function standardScale(
  begin: i32,
  end: i32,
  mean: usize,
  variance: usize,
  centre: usize,
  scale: usize,
  zeros: usize,
  invert: i32,
  rows: i32,
  columns: i32,
  n0: i32,
  n1: i32,
  n2: i32,
  n3: i32,
  n4: i32,
  s0: i32,
  s1: i32,
  s2: i32,
  s3: i32,
  s4: i32,
): void {
  const count = n0 * n1 * n2 * n3 * n4;
  for (let e = 0; e < count; e++) {
    const i3 = e / n4;
    const i2 = i3 / n3;
    const i1 = i2 / n2;
    const i0 = i1 / n1;
    const at = i0 * s0 + (i1 % n1) * s1 + (i2 % n2) * s2 + (i3 % n3) * s3 + (e % n4) * s4;
    const column = at % columns;
    const place = (<usize>(((column >> 4) * rows + at / columns) * 16 + (column & 15))) << 2;
    const deviation = max(sqrt<f32>(load<f32>(variance + place)), LEAST);
    const to = (<usize>e) << 2;
    store<f32>(centre + to, load<f32>(mean + place));
    store<f32>(scale + to, invert ? deviation : 1 / deviation);
    store<f32>(zeros + to, 0);
  }
}

/** y (rows,n) = (x - centre)·scale; begin, end in rows. */
export function standardize(
  begin: i32,
  end: i32,
  x: usize,
  centre: usize,
  scale: usize,
  y: usize,
  n: i32,
): void {
  const stride = (<usize>n) << 2;
  x += <usize>begin * stride;
  y += <usize>begin * stride;
  for (let r = begin; r < end; r++, x += stride, y += stride) {
    let c: usize = 0;
    for (; c + 32 <= stride; c += 32) {
      const u = f32x4.sub(v128.load(x + c), v128.load(centre + c));
      const v = f32x4.sub(v128.load(x + c, 16), v128.load(centre + c, 16));
      v128.store(y + c, f32x4.mul(u, v128.load(scale + c)));
      v128.store(y + c, f32x4.mul(v, v128.load(scale + c, 16)), 16);
    }
    for (; c < stride; c += 16) {
      const u = f32x4.sub(v128.load(x + c), v128.load(centre + c));
      storeFirst(y + c, f32x4.mul(u, v128.load(scale + c)), <i32>((stride - c) >> 2));
    }
  }
}
