import { countBelow, firstInside, repeatFloats } from './depthwise';
import { sumTaps } from './filters';
import { firstLanes } from './rows';

/** dw (·,panels) of each sample by itself: sums over its output pixels; begin, end in samples. */
export function depthwiseWeightGradient(
  begin: i32,
  end: i32,
  x: usize,
  dy: usize,
  dw: usize,
  scratch: usize,
  height: i32,
  width: i32,
  channels: i32,
  multiplier: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  padTop: i32,
  padLeft: i32,
  outHeight: i32,
  outWidth: i32,
  rateHeight: i32,
  rateWidth: i32,
): void {
  const n = channels * multiplier;
  const size = height * width * channels;
  const pixel = (<usize>n) << 2;
  const taps = kernelHeight * kernelWidth;
  const bytes = (<usize>(((n + 15) >> 4) * taps)) << 6;
  const jump = <usize>(strideHeight * width) * pixel;
  for (let i = begin; i < end; i++) {
    let from = x + ((<usize>(i * size)) << 2);
    if (multiplier > 1) {
      repeatFloats(from, scratch, size, multiplier);
      from = scratch;
    }
    const g = dy + <usize>(i * outHeight * outWidth) * pixel;
    let to = dw + <usize>i * bytes;
    memory.fill(to, 0, bytes);
    for (let j = 0; j < n; j += 16) {
      const at = (<usize>j) << 2;
      for (let kh = 0; kh < kernelHeight; kh++) {
        const place = kh * rateHeight - padTop;
        const first = firstInside(place, strideHeight);
        const lines = min(outHeight, countBelow(place, strideHeight, height)) - first;
        const row = from + <usize>((place + first * strideHeight) * width) * pixel + at;
        const line = g + <usize>(first * outWidth) * pixel + at;
        // prettier-ignore
        sumRow(
          row, line, to, pixel, width, kernelWidth, strideWidth, padLeft, rateWidth, outWidth, lines, jump,
        );
        to += (<usize>kernelWidth) << 6;
      }
      if (n - j < 16) clearPast(to - ((<usize>taps) << 6), taps, n - j);
    }
  }
}

/**
 * dw (kernelWidth,16) of one kernel row: three taps at once over the outputs where all read inside, each by
 * itself over the rest. x and dy begin at the first lines that meet; `jump` bytes lie between those of x.
 */
function sumRow(
  x: usize,
  dy: usize,
  dw: usize,
  pixel: usize,
  width: i32,
  kernelWidth: i32,
  strideWidth: i32,
  padLeft: i32,
  rateWidth: i32,
  outWidth: i32,
  lines: i32,
  jump: usize,
): void {
  const step = <usize>strideWidth * pixel;
  const apart = <usize>rateWidth * pixel;
  const line = <usize>outWidth * pixel;
  for (let kw = 0; kw < kernelWidth; kw += 3) {
    const taps = min(3, kernelWidth - kw);
    const place = kw * rateWidth - padLeft;
    const last = place + (taps - 1) * rateWidth;
    const inner = min(outWidth, firstInside(place, strideWidth));
    const outer = max(inner, min(outWidth, countBelow(last, strideWidth, width)));
    const target = dw + ((<usize>kw) << 6);
    const from = x + <usize>place * pixel;
    sumSpan(taps, inner, outer, from, dy, target, pixel, step, apart, line, jump, lines);
    for (let tap = 0; tap < taps; tap++) {
      const column = place + tap * rateWidth;
      const first = firstInside(column, strideWidth);
      const stop = min(outWidth, countBelow(column, strideWidth, width));
      const source = from + <usize>tap * apart;
      const sum = target + ((<usize>tap) << 6);
      sumSpan(1, first, min(inner, stop), source, dy, sum, pixel, step, apart, line, jump, lines);
      sumSpan(1, max(outer, first), stop, source, dy, sum, pixel, step, apart, line, jump, lines);
    }
  }
}

/** dw (taps,16) += x·dy over the outputs from `first` to `stop` of each line. */
function sumSpan(
  taps: i32,
  first: i32,
  stop: i32,
  x: usize,
  dy: usize,
  dw: usize,
  pixel: usize,
  step: usize,
  apart: usize,
  line: usize,
  jump: usize,
  lines: i32,
): void {
  const pixels = stop - first;
  const from = x + <usize>first * step;
  const to = dy + <usize>first * pixel;
  const xJump = jump - <usize>pixels * step;
  const yJump = line - <usize>pixels * pixel;
  sumTaps(taps, from, apart, step, xJump, to, pixel, yJump, pixels, lines, dw);
}

/** The lanes of dw (taps,16) from `columns` on become 0. */
function clearPast(dw: usize, taps: i32, columns: i32): void {
  for (const stop = dw + ((<usize>taps) << 6); dw < stop; dw += 64) {
    for (let j = 0; j < 16; j += 4) {
      const at = dw + ((<usize>j) << 2);
      v128.store(at, v128.and(v128.load(at), firstLanes(columns - j)));
    }
  }
}
