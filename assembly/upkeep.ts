import { splat } from './math';
import { madd } from './simd';
import { blend, storePair } from './optimizers';

// What happens to a parameter beside its update; begin, end in slices of 16 floats.

/** w -= rate[0]·decay·w. */
export function decayWeights(begin: i32, end: i32, w: usize, rate: usize, decay: f32): void {
  const factor = splat(-(load<f32>(rate) * decay));
  for (let i = (<usize>begin) << 6; i < (<usize>end) << 6; i += 32) {
    const u = v128.load(w + i);
    const v = v128.load(w + i, 16);
    storePair(w + i, madd(u, factor, u), madd(v, factor, v));
  }
}

/**
 * average = momentum·average + (1 - momentum)·w, or w where step[0] (i32, counted from 1) is 1; every `period`
 * steps (never, if 0) w = average.
 */
export function averageWeights(
  begin: i32,
  end: i32,
  w: usize,
  average: usize,
  step: usize,
  momentum: f64,
  period: i32,
): void {
  const t = load<i32>(step);
  const momentumNow: f64 = t == 1 ? 0 : momentum;
  const keep = splat(<f32>momentumNow);
  const take = splat(<f32>(1 - momentumNow));
  for (let i = (<usize>begin) << 6; i < (<usize>end) << 6; i += 32) {
    const u = blend(v128.load(average + i), keep, v128.load(w + i), take);
    const v = blend(v128.load(average + i, 16), keep, v128.load(w + i, 16), take);
    storePair(average + i, u, v);
    if (period > 0 && t % period == 0) storePair(w + i, u, v);
  }
}
