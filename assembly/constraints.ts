import { atLeast, splat } from './math';
import { sumLanes } from './rows';

// Constraints on a parameter w (k,n) in panels of 16 columns, after its update.

/** w = max(w, 0); begin, end in slices of 16 floats. */
export function clampNegative(begin: i32, end: i32, w: usize): void {
  for (let i = (<usize>begin) << 6; i < (<usize>end) << 6; i += 32) {
    const u = atLeast(v128.load(w + i), 0);
    const v = atLeast(v128.load(w + i, 16), 0);
    v128.store(w + i, u);
    v128.store(w + i, v, 16);
  }
}

/** desired / (1e-7 + norm), desired = rate·(norm within [low, high]) + (1 - rate)·norm, norm = √square. */
// @ts-ignore: decorator
@inline function scaleOf(square: v128, low: v128, high: v128, rate: v128): v128 {
  const norm = f32x4.sqrt(square);
  const within = f32x4.max(f32x4.min(norm, high), low);
  const rest = f32x4.sub(splat(1), rate);
  const desired = f32x4.add(f32x4.mul(within, rate), f32x4.mul(norm, rest));
  return f32x4.div(desired, f32x4.add(norm, splat(1e-7)));
}

/**
 * Brings norms into [low, high]. A group is the rows (o·length + l)·inner + i, l < length, of the k rows, one
 * norm a column; begin, end count groups, panel by panel.
 */
export function constrainColumns(
  begin: i32,
  end: i32,
  w: usize,
  k: i32,
  length: i32,
  inner: i32,
  low: f32,
  high: f32,
  rate: f32,
): void {
  const groups = k / length;
  const stride = (<usize>inner) << 6;
  for (let group = begin; group < end; group++) {
    const place = group % groups;
    const row = (group / groups) * k + (place / inner) * length * inner + (place % inner);
    const at = w + ((<usize>row) << 6);
    for (let column: usize = 0; column < 64; column += 32) {
      let u = splat(0);
      let v = u;
      for (let l = 0, i = at + column; l < length; l++, i += stride) {
        const a = v128.load(i);
        const b = v128.load(i, 16);
        u = f32x4.add(u, f32x4.mul(a, a));
        v = f32x4.add(v, f32x4.mul(b, b));
      }
      u = scaleOf(u, splat(low), splat(high), splat(rate));
      v = scaleOf(v, splat(low), splat(high), splat(rate));
      for (let l = 0, i = at + column; l < length; l++, i += stride) {
        const a = f32x4.mul(v128.load(i), u);
        const b = f32x4.mul(v128.load(i, 16), v);
        v128.store(i, a);
        v128.store(i, b, 16);
      }
    }
  }
}

/** As constrainColumns, one norm for all columns (of `panels` panels) of a group. */
export function constrainRows(
  begin: i32,
  end: i32,
  w: usize,
  k: i32,
  length: i32,
  inner: i32,
  low: f32,
  high: f32,
  rate: f32,
  panels: i32,
): void {
  for (let group = begin; group < end; group++) {
    const first = (group / inner) * length * inner + (group % inner);
    let sum = splat(0);
    for (let panel = 0; panel < panels; panel++) {
      for (let l = 0; l < length; l++) {
        const at = w + ((<usize>(panel * k + first + l * inner)) << 6);
        for (let column: usize = 0; column < 64; column += 16) {
          const a = v128.load(at + column);
          sum = f32x4.add(sum, f32x4.mul(a, a));
        }
      }
    }
    const scale = scaleOf(splat(sumLanes(sum)), splat(low), splat(high), splat(rate));
    for (let panel = 0; panel < panels; panel++) {
      for (let l = 0; l < length; l++) {
        const at = w + ((<usize>(panel * k + first + l * inner)) << 6);
        for (let column: usize = 0; column < 64; column += 16) {
          v128.store(at + column, f32x4.mul(v128.load(at + column), scale));
        }
      }
    }
  }
}
