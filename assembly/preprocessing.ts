import { splat } from './math';
import { storeFirst } from './rows';
import { madd } from './simd';

/** y = x·scale + offset; begin, end in elements. */
export function rescale(begin: i32, end: i32, x: usize, y: usize, scale: f32, offset: f32): void {
  const a = splat(scale);
  const b = splat(offset);
  const stop = (<usize>end) << 2;
  let i = (<usize>begin) << 2;
  for (; i + 32 <= stop; i += 32) {
    const u = madd(v128.load(x + i), a, b);
    const v = madd(v128.load(x + i, 16), a, b);
    v128.store(y + i, u);
    v128.store(y + i, v, 16);
  }
  for (; i < stop; i += 16) storeFirst(y + i, madd(v128.load(x + i), a, b), (<i32>(stop - i)) >> 2);
}

/**
 * y (rows,n) = 1 at the tokens of x (rows,tokens), with `count` 1 how often each occurs, and 0 elsewhere;
 * fractions are cut off. A token outside 0 … n - 1 makes its row NaN. begin, end in rows.
 */
export function encode(begin: i32, end: i32, x: usize, y: usize, tokens: i32, n: i32, count: i32): void {
  for (let r = <usize>begin; r < <usize>end; r++) {
    const from = x + ((r * <usize>tokens) << 2);
    const row = y + ((r * <usize>n) << 2);
    memory.fill(row, 0, (<usize>n) << 2);
    let valid = true;
    for (let t = 0; t < tokens; t++) {
      const token = load<f32>(from + ((<usize>t) << 2));
      if (!(token > -1 && token < <f32>n)) {
        valid = false;
        break;
      }
      const at = row + ((<usize>(<i32>token)) << 2);
      store<f32>(at, count ? load<f32>(at) + 1 : 1);
    }
    for (let j = 0; !valid && j < n; j++) store<f32>(row + ((<usize>j) << 2), NaN);
  }
}
