import { splat } from './math';
import { copyFloats } from './gather';
import { firstLanes, rowSum, storeFirst } from './rows';

// Masks of sequences: mask (·,steps) is 1 where a step counts and 0 where it is padding.

/** mask (steps) = 1 where an element of x (steps,n) is not `value`, else 0; begin, end in steps. */
export function stepMask(begin: i32, end: i32, x: usize, mask: usize, n: i32, value: f32): void {
  const padding = splat(value);
  for (let r = begin; r < end; r++) {
    const row = x + ((<usize>r * <usize>n) << 2);
    let found = splat(0);
    for (let j = 0; j < n; j += 4) {
      const differs = f32x4.ne(v128.load(row + ((<usize>j) << 2)), padding);
      found = v128.or(found, v128.and(differs, firstLanes(n - j)));
    }
    store<f32>(mask + ((<usize>r) << 2), <f32>i32(v128.any_true(found)));
  }
}

/** y (steps,n) = x where the mask (steps) is not 0, else 0 whatever x is; begin, end in steps; y may be x. */
export function keepSteps(begin: i32, end: i32, x: usize, mask: usize, y: usize, n: i32): void {
  const bytes = (<usize>n) << 2;
  for (let r = begin; r < end; r++) {
    const at = <usize>r * bytes;
    if (load<f32>(mask + ((<usize>r) << 2)) == 0) memory.fill(y + at, 0, bytes);
    else if (x != y) copyFloats(x + at, y + at, n);
  }
}

/**
 * total (f64) = Σ mask (rows·steps), added to what it is if `more` is 1; a count, so that no order matters. rows is
 * the address of the number of samples; begin, end are not used.
 */
export function countSteps(
  begin: i32,
  end: i32,
  mask: usize,
  total: usize,
  rows: usize,
  steps: i32,
  more: i32,
): void {
  const count = load<i32>(rows) * steps;
  let sum: f64 = more ? load<f64>(total) : 0;
  for (let r = 0; r < count; r++) sum += <f64>load<f32>(mask + ((<usize>r) << 2));
  store<f64>(total, sum);
}

/**
 * y (·,steps) = mask·weight·rows / count, so that a mean over `rows` becomes one over the steps that count (f64);
 * zeros where none does. weight (·) has one factor a sample, or its address is 0; begin, end in samples.
 */
export function weighSteps(
  begin: i32,
  end: i32,
  mask: usize,
  weight: usize,
  count: usize,
  rows: usize,
  y: usize,
  steps: i32,
): void {
  const counted = load<f64>(count);
  const share: f32 = counted > 0 ? <f32>(<f64>load<i32>(rows) / counted) : 0;
  for (let s = begin; s < end; s++) {
    const factor = weight ? share * load<f32>(weight + ((<usize>s) << 2)) : share;
    const from = (<usize>(s * steps)) << 2;
    for (let t = 0; t < steps; t += 4) {
      const at = from + ((<usize>t) << 2);
      storeFirst(y + at, f32x4.mul(v128.load(mask + at), splat(factor)), steps - t);
    }
  }
}

/** Steps of a sample that count, at least 1. */
// @ts-ignore: decorator
@inline function counted(mask: usize, steps: i32): v128 {
  return splat(max(rowSum(mask, steps), 1));
}

/**
 * y (·,channels) = mean of x (·,steps,channels) over the steps that count, 0 where none does; begin, end in
 * samples.
 */
export function maskedAverage(
  begin: i32,
  end: i32,
  x: usize,
  mask: usize,
  y: usize,
  steps: i32,
  channels: i32,
): void {
  const pixel = (<usize>channels) << 2;
  for (let s = begin; s < end; s++) {
    const own = mask + ((<usize>(s * steps)) << 2);
    const from = x + <usize>(s * steps) * pixel;
    const to = y + <usize>s * pixel;
    const count = counted(own, steps);
    for (let c = 0; c < channels; c += 8) {
      const offset = (<usize>c) << 2;
      let u = splat(0);
      let v = u;
      for (let t = 0; t < steps; t++) {
        if (load<f32>(own + ((<usize>t) << 2)) == 0) continue;
        const at = from + <usize>t * pixel + offset;
        u = f32x4.add(u, v128.load(at));
        v = f32x4.add(v, v128.load(at, 16));
      }
      storeFirst(to + offset, f32x4.div(u, count), channels - c);
      if (channels - c > 4) storeFirst(to + offset + 16, f32x4.div(v, count), channels - c - 4);
    }
  }
}

/** dx (·,steps,channels) = dy (·,channels) / the steps that count, 0 at the others; begin, end in samples. */
export function maskedAverageGradient(
  begin: i32,
  end: i32,
  mask: usize,
  dy: usize,
  dx: usize,
  steps: i32,
  channels: i32,
): void {
  const pixel = (<usize>channels) << 2;
  for (let s = begin; s < end; s++) {
    const own = mask + ((<usize>(s * steps)) << 2);
    const from = dy + <usize>s * pixel;
    const count = counted(own, steps);
    for (let t = 0; t < steps; t++) {
      const to = dx + <usize>(s * steps + t) * pixel;
      if (load<f32>(own + ((<usize>t) << 2)) == 0) {
        memory.fill(to, 0, pixel);
        continue;
      }
      for (let c = 0; c < channels; c += 4) {
        const offset = (<usize>c) << 2;
        storeFirst(to + offset, f32x4.div(v128.load(from + offset), count), channels - c);
      }
    }
  }
}
