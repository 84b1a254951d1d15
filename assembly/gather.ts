import { storeLanes } from './simd';

// Rows of a resident data set become a mini-batch: row r is row order[position[0] + r] of the source, or
// row position[0] + r where order is 0. Without an order the rows lie side by side and are copied as one
// long row.

// @ts-ignore: decorator
@inline function sourceRow(order: usize, index: i32): usize {
  return <usize>load<i32>(order + ((<usize>index) << 2));
}

/** x (count) = source (count). */
export function copyFloats(source: usize, x: usize, count: usize): void {
  const end = x + (count << 2);
  for (; x + 32 <= end; x += 32, source += 32) {
    const u = v128.load(source);
    const v = v128.load(source, 16);
    v128.store(x, u);
    v128.store(x, v, 16);
  }
  for (; x < end; x += 16, source += 16) {
    const u = v128.load(source);
    if (x + 16 <= end) v128.store(x, u);
    else storeLanes(x, u, <i32>((end - x) >> 2));
  }
}

/** Four integers below 2^23 as floats: the bits of 2^23 + value, minus 2^23, which is exact. */
// @ts-ignore: decorator
@inline function toFloat(value: v128): v128 {
  const magic = i32x4.splat(0x4b000000);
  return f32x4.sub(v128.or(value, magic), magic);
}

/** x (count) = float32(source (count) of uint8)·scale. */
function convertBytes(source: usize, x: usize, count: usize, scale: f32): void {
  const factor = f32x4.splat(scale);
  const end = x + (count << 2);
  for (; x + 32 <= end; x += 32, source += 8) {
    const bytes = v128.load8x8_u(source);
    const u = f32x4.mul(toFloat(i32x4.extend_low_i16x8_u(bytes)), factor);
    const v = f32x4.mul(toFloat(i32x4.extend_high_i16x8_u(bytes)), factor);
    v128.store(x, u);
    v128.store(x, v, 16);
  }
  for (; x < end; x += 16, source += 4) {
    const bytes = v128.load8x8_u(source);
    const u = f32x4.mul(toFloat(i32x4.extend_low_i16x8_u(bytes)), factor);
    if (x + 16 <= end) v128.store(x, u);
    else storeLanes(x, u, <i32>((end - x) >> 2));
  }
}

/**
 * x (rows,size) = source[order[position[0] + row]], float32; order an i32 array or 0 (in sequence),
 * position an i32 cell; begin, end in rows.
 */
export function gather(
  begin: i32,
  end: i32,
  source: usize,
  order: usize,
  position: usize,
  x: usize,
  size: i32,
): void {
  const first = load<i32>(position);
  const row = (<usize>size) << 2;
  if (!order) {
    if (end <= begin) return;
    copyFloats(
      source + <usize>(first + begin) * row,
      x + <usize>begin * row,
      <usize>(end - begin) * <usize>size,
    );
  } else if (size == 1) {
    for (let r = begin; r < end; r++) {
      store<f32>(x + ((<usize>r) << 2), load<f32>(source + (sourceRow(order, first + r) << 2)));
    }
  } else {
    for (let r = begin; r < end; r++) {
      copyFloats(source + sourceRow(order, first + r) * row, x + <usize>r * row, size);
    }
  }
}

/**
 * x (rows,size) = float32(source[order[position[0] + row]])·scale, source uint8; order an i32 array or 0 (in
 * sequence), position an i32 cell; begin, end in rows.
 */
export function gatherBytes(
  begin: i32,
  end: i32,
  source: usize,
  order: usize,
  position: usize,
  x: usize,
  size: i32,
  scale: f32,
): void {
  const first = load<i32>(position);
  const width = <usize>size;
  if (!order) {
    if (end <= begin) return;
    const bytes = source + <usize>(first + begin) * width;
    convertBytes(bytes, x + ((<usize>begin * width) << 2), <usize>(end - begin) * width, scale);
  } else if (size == 1) {
    for (let r = begin; r < end; r++) {
      const byte = load<u8>(source + sourceRow(order, first + r));
      store<f32>(x + ((<usize>r) << 2), <f32>(<i32>byte) * scale);
    }
  } else {
    for (let r = begin; r < end; r++) {
      const bytes = source + sourceRow(order, first + r) * width;
      convertBytes(bytes, x + ((<usize>r * width) << 2), width, scale);
    }
  }
}
