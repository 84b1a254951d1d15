import { filterRows } from './filters';

// Depthwise convolutions: a filter for each channel. x (·,height,width,channels); y (·,outHeight,outWidth,n),
// n = channels·multiplier: output channel o reads input channel o / multiplier. w lies in panels of
// (kernelHeight·kernelWidth, n). Geometry as for convolve, strides or rates being 1. Taps outside the input
// are left out: no copy with a padding is made. With a multiplier above 1 a sample's channels are repeated in
// scratch (height·width·n floats) before, or their gradients summed after.

/** First of all taps, `rate` apart from `place` on, that lie at 0 or above. */
// @ts-ignore: decorator
@inline export function firstInside(place: i32, rate: i32): i32 {
  return place < 0 ? (rate - 1 - place) / rate : 0;
}

/** How many of them lie below `size`. */
// @ts-ignore: decorator
@inline export function countBelow(place: i32, rate: i32, size: i32): i32 {
  return place < size ? (size - place + rate - 1) / rate : 0;
}

/**
 * One sample: output (l, p) < (lines, pixels), at y + l·yLine + p·yStep, sums kernelHeight × kernelWidth taps
 * of x (height,width,channels) from row top + l·strideHeight and column left + p·strideWidth on. Their
 * weights begin at w and lie wLine and wStep bytes apart, those of the next 16 channels `panel` bytes on.
 */
function filterSample(
  x: usize,
  w: usize,
  b: usize,
  y: usize,
  lower: f32,
  height: i32,
  width: i32,
  channels: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  top: i32,
  left: i32,
  rateHeight: i32,
  rateWidth: i32,
  lines: i32,
  pixels: i32,
  yLine: usize,
  yStep: usize,
  wLine: usize,
  wStep: usize,
  panel: usize,
): void {
  const pixel = (<usize>channels) << 2;
  const line = <usize>width * pixel;
  const step = <usize>rateWidth * pixel;
  const ldx = <usize>strideWidth * pixel;
  // Outputs from `inner` to `outer` have all their columns inside.
  const inner = kernelWidth > 0 ? min(pixels, firstInside(left, strideWidth)) : pixels;
  const reach = (kernelWidth - 1) * rateWidth;
  const outer = min(pixels, countBelow(left + reach, strideWidth, width));
  for (let l = 0; l < lines; l++, y += yLine, top += strideHeight) {
    const kh = firstInside(top, rateHeight);
    const runs = min(kernelHeight, countBelow(top, rateHeight, height)) - kh;
    const row = x + <usize>(top + kh * rateHeight) * line;
    for (let j = 0; j < channels; j += 16) {
      const at = (<usize>j) << 2;
      const weights = w + <usize>(j >> 4) * panel + <usize>kh * wLine;
      const from = b ? b + at : x;
      const keep = b ? -1 : 0;
      let target = y + at;
      for (let p = 0; p < pixels;) {
        const whole = p >= inner && p < outer;
        const rows = whole ? outer - p : 1;
        const column = left + p * strideWidth;
        const kw = whole ? 0 : firstInside(column, rateWidth);
        const steps = whole ? kernelWidth : min(kernelWidth, countBelow(column, rateWidth, width)) - kw;
        const jump = <usize>rateHeight * line - <usize>steps * step;
        const taps = row + <usize>(column + kw * rateWidth) * pixel + at;
        const wJump = wLine - <usize>steps * wStep;
        // prettier-ignore
        filterRows(
          rows, taps, ldx, steps, step, runs, jump, weights + <usize>kw * wStep, wStep, wJump, from, keep,
          target, yStep, channels - j, lower,
        );
        target += <usize>rows * yStep;
        p += rows;
      }
    }
  }
}

/** y (count·times) = each float of x `times` times. */
export function repeatFloats(x: usize, y: usize, count: i32, times: i32): void {
  for (const stop = x + ((<usize>count) << 2); x < stop; x += 4) {
    const value = load<f32>(x);
    for (let j = 0; j < times; j++, y += 4) store<f32>(y, value);
  }
}

/** y (count) = the sums of `times` floats each of x. */
function sumFloats(x: usize, y: usize, count: i32, times: i32): void {
  for (const stop = y + ((<usize>count) << 2); y < stop; y += 4) {
    let sum: f32 = 0;
    for (let j = 0; j < times; j++, x += 4) sum += load<f32>(x);
    store<f32>(y, sum);
  }
}

/** y = max(x filtered by w + b, lower); begin, end in samples; b padded to 16 floats, or 0 for none. */
export function depthwise(
  begin: i32,
  end: i32,
  x: usize,
  w: usize,
  b: usize,
  y: usize,
  scratch: usize,
  lower: f32,
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
  const yStep = (<usize>n) << 2;
  const size = height * width * channels;
  const wLine = (<usize>kernelWidth) << 6;
  for (let i = begin; i < end; i++) {
    let from = x + ((<usize>(i * size)) << 2);
    if (multiplier > 1) {
      repeatFloats(from, scratch, size, multiplier);
      from = scratch;
    }
    const to = y + <usize>(i * outHeight * outWidth) * yStep;
    // prettier-ignore
    filterSample(
      from, w, b, to, lower, height, width, n, kernelHeight, kernelWidth, strideHeight, strideWidth, -padTop,
      -padLeft, rateHeight, rateWidth, outHeight, outWidth, <usize>outWidth * yStep, yStep, wLine, 64,
      <usize>kernelHeight * wLine,
    );
  }
}

/**
 * dx of the same; begin, end in samples. Places of x that leave the same remainder by the strides read the
 * same taps, at neighbouring places of dy: each such lattice is a convolution of its own. Its taps come in
 * the order of dy's places, which is the reverse of theirs, so its steps through w are negative.
 */
export function depthwiseGradient(
  begin: i32,
  end: i32,
  dy: usize,
  w: usize,
  dx: usize,
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
  const pixel = (<usize>n) << 2;
  const size = height * width * channels;
  const wLine = (<usize>kernelWidth) << 6;
  for (let i = begin; i < end; i++) {
    const sample = dx + ((<usize>(i * size)) << 2);
    const to = multiplier > 1 ? scratch : sample;
    const from = dy + <usize>(i * outHeight * outWidth) * pixel;
    for (let h = 0; h < min(strideHeight, height); h++) {
      const kh = (h + padTop) % strideHeight;
      const rows = countBelow(kh, strideHeight, kernelHeight);
      const top = (h + padTop) / strideHeight - (rows - 1) * rateHeight;
      const lastRow = kh + (rows - 1) * strideHeight;
      const lines = countBelow(h, strideHeight, height);
      for (let v = 0; v < min(strideWidth, width); v++) {
        const kw = (v + padLeft) % strideWidth;
        const columns = countBelow(kw, strideWidth, kernelWidth);
        const left = (v + padLeft) / strideWidth - (columns - 1) * rateWidth;
        const last = lastRow * kernelWidth + kw + (columns - 1) * strideWidth;
        const pixels = countBelow(v, strideWidth, width);
        // prettier-ignore
        filterSample(
          from, w + ((<usize>last) << 6), 0, to + <usize>(h * width + v) * pixel, -Infinity, outHeight,
          outWidth, n, rows, columns, 1, 1, top, left, rateHeight, rateWidth, lines, pixels,
          <usize>(strideHeight * width) * pixel, <usize>strideWidth * pixel, 0 - <usize>strideHeight * wLine,
          0 - ((<usize>strideWidth) << 6), <usize>kernelHeight * wLine,
        );
      }
    }
    if (multiplier > 1) sumFloats(scratch, sample, size, multiplier);
  }
}
