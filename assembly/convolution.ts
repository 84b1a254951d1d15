import { packColumns, strip } from './tile';

/** Output pixels summed in one pass over dw; a line of more pixels is one pass. */
const CHUNK: i32 = 256;

/**
 * y = max(x ⋆ w + b, lower), channels last; begin, end in samples. x (·,height,width,channels), w panels of
 * (kernelHeight·kernelWidth·channels, filters), y (·,outHeight,outWidth,filters); b padded to 16 floats, or 0
 * for none. Tap (kh,kw) of output (oh,ow) reads row oh·strideHeight + kh·rateHeight − padTop and column
 * ow·strideWidth + kw·rateWidth − padLeft of the input, zero outside. Its elements lie dilateHeight,
 * dilateWidth apart with zeros between: so the input gradient of a strided convolution is the same kernel
 * with flipPanels' weights. Sums run from b in the order kh, kw, channel. scratch: a sample with its padding,
 * if there is any.
 *
 * The taps of one kernel row are kernelWidth·channels adjacent floats, so a line of outputs is a product
 * whose rows of a overlap. That needs no im2col copy even where the run is three floats (67 GFLOP/s against
 * 75 for the product alone). Columns apart make each tap a run; in both directions, each kernel row a pass.
 */
export function convolve(
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
  kernelHeight: i32,
  kernelWidth: i32,
  filters: i32,
  strideHeight: i32,
  strideWidth: i32,
  padTop: i32,
  padLeft: i32,
  outHeight: i32,
  outWidth: i32,
  rateHeight: i32,
  rateWidth: i32,
  dilateHeight: i32,
  dilateWidth: i32,
): void {
  const rows = (outHeight - 1) * strideHeight + (kernelHeight - 1) * rateHeight + 1;
  const columns = (outWidth - 1) * strideWidth + (kernelWidth - 1) * rateWidth + 1;
  const inside = !(padTop | padLeft) && rows <= height && columns <= width;
  const copied = !inside || dilateHeight > 1 || dilateWidth > 1;
  const line = (<usize>((copied ? columns : width) * channels)) << 2;
  if (copied) memory.fill(scratch, 0, <usize>rows * line);
  const k = kernelHeight * kernelWidth * channels;
  const run = rateWidth > 1 ? channels : kernelWidth * channels;
  // Runs that lie evenly are one pass of the strip.
  const perPass = rateWidth == 1 ? kernelHeight : kernelWidth;
  const passes = rateWidth == 1 ? 1 : kernelHeight;
  const apart = rateWidth == 1 ? <usize>rateHeight * line : (<usize>(rateWidth * channels)) << 2;
  const jump = apart - ((<usize>run) << 2);
  const lda = (<usize>(strideWidth * channels)) << 2;
  const ldc = (<usize>filters) << 2;
  // Where output lines follow each other at the distance of output pixels, they are one long line.
  const merged = lda * <usize>outWidth == <usize>strideHeight * line;
  const pixels = merged ? outHeight * outWidth : outWidth;
  const lines = merged ? 1 : outHeight;
  for (let i = begin; i < end; i++) {
    let a = x + <usize>(i * height * width) * ((<usize>channels) << 2);
    if (copied) {
      // prettier-ignore
      padSample(
        a, scratch, height, width, channels, padTop, padLeft, dilateHeight, dilateWidth, rows, columns,
      );
      a = scratch;
    }
    const c = y + <usize>(i * outHeight * outWidth) * ldc;
    for (let j = 0; j < filters; j += 16) {
      const panel = w + ((<usize>(j * k)) << 2);
      const from = b ? b + ((<usize>j) << 2) : panel;
      const to = c + ((<usize>j) << 2);
      for (let l = 0; l < lines; l++) {
        const at = a + <usize>(l * strideHeight) * line;
        const target = to + <usize>(l * pixels) * ldc;
        for (let p = 0; p < passes; p++) {
          const taps = at + <usize>(p * rateHeight) * line;
          const weights = panel + ((<usize>(p * perPass * run)) << 6);
          const low: f32 = p + 1 < passes ? -Infinity : lower;
          // prettier-ignore
          strip(
            pixels, taps, lda, 4, run, jump, perPass, weights, p ? target : from, p ? ldc : 0,
            p || b ? -1 : 0, target, ldc, filters - j, low,
          );
        }
      }
    }
  }
}

/**
 * Spreads x (height,width,channels) out in target (rows,columns,channels), zero before, from (padTop,
 * padLeft).
 */
function padSample(
  x: usize,
  target: usize,
  height: i32,
  width: i32,
  channels: i32,
  padTop: i32,
  padLeft: i32,
  dilateHeight: i32,
  dilateWidth: i32,
  rows: i32,
  columns: i32,
): void {
  const pixel = (<usize>channels) << 2;
  // Input columns that some output reads: from `first` to `last`.
  const first = padLeft < 0 ? (dilateWidth - 1 - padLeft) / dilateWidth : 0;
  const last = min(width, (columns - padLeft + dilateWidth - 1) / dilateWidth);
  for (let i = 0; i < height; i++) {
    const row = padTop + i * dilateHeight;
    if (row < 0 || row >= rows) continue;
    const source = x + <usize>(i * width + first) * pixel;
    const to = target + <usize>(row * columns + padLeft + first * dilateWidth) * pixel;
    if (dilateWidth == 1) copyFloats(source, to, (last - first) * channels);
    else {
      for (let j = 0; j < last - first; j++) {
        copyFloats(source + <usize>j * pixel, to + <usize>(j * dilateWidth) * pixel, channels);
      }
    }
  }
}

function copyFloats(source: usize, target: usize, count: i32): void {
  for (; count >= 8; count -= 8, source += 32, target += 32) {
    v128.store(target, v128.load(source));
    v128.store(target, v128.load(source, 16), 16);
  }
  for (; count > 0; count--, source += 4, target += 4) store<f32>(target, load<f32>(source));
}

/**
 * dw = Σ, over samples span[0] … span[1] − 1 and their output pixels in order, of the inputs under the taps
 * times dy; begin, end in slices of dw, panels of (kernelHeight·kernelWidth·channels, filters), whose padding
 * becomes 0. Shapes as for convolve. scratch: 64 bytes for each output pixel of a pass, then a sample with
 * its padding, if there is any.
 */
export function convolveGradient(
  begin: i32,
  end: i32,
  x: usize,
  dy: usize,
  dw: usize,
  span: usize,
  scratch: usize,
  height: i32,
  width: i32,
  channels: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  filters: i32,
  strideHeight: i32,
  strideWidth: i32,
  padTop: i32,
  padLeft: i32,
  outHeight: i32,
  outWidth: i32,
  rateHeight: i32,
  rateWidth: i32,
): void {
  const rows = (outHeight - 1) * strideHeight + (kernelHeight - 1) * rateHeight + 1;
  const columns = (outWidth - 1) * strideWidth + (kernelWidth - 1) * rateWidth + 1;
  const copied = padTop != 0 || padLeft != 0 || rows > height || columns > width;
  const line = (<usize>((copied ? columns : width) * channels)) << 2;
  const lines = max(1, min(outHeight, CHUNK / outWidth));
  const padded = scratch + ((<usize>(lines * outWidth)) << 6);
  const run = rateWidth > 1 ? channels : kernelWidth * channels;
  const perRow = rateWidth > 1 ? kernelWidth : 1;
  const tapStep = (<usize>(rateWidth * channels)) << 2;
  const tapLine = <usize>rateHeight * line;
  const step = (<usize>(strideWidth * channels)) << 2;
  const next = <usize>strideHeight * line;
  if (copied) memory.fill(padded, 0, <usize>rows * line);
  memory.fill(dw + ((<usize>begin) << 6), 0, (<usize>(end - begin)) << 6);
  const last = load<i32>(span, 4);
  for (let i = load<i32>(span); i < last; i++) {
    let a = x + <usize>(i * height * width) * ((<usize>channels) << 2);
    if (copied) {
      padSample(a, padded, height, width, channels, padTop, padLeft, 1, 1, rows, columns);
      a = padded;
    }
    for (let l = 0; l < outHeight; l += lines) {
      const pixel = (i * outHeight + l) * outWidth;
      const chunk = dy + <usize>pixel * ((<usize>filters) << 2);
      const from = a + <usize>l * next;
      const count = min(lines, outHeight - l);
      // prettier-ignore
      addLines(
        begin, end, from, tapLine, tapStep, perRow, step, next, chunk, count, outWidth, dw, scratch,
        run, kernelHeight, filters,
      );
    }
  }
}

/**
 * dw += products of `count` lines of outputs; their inputs begin `next` bytes apart, pixels `step`, kernel
 * rows `tapLine`, the perRow runs of one `tapStep`.
 */
function addLines(
  begin: i32,
  end: i32,
  a: usize,
  tapLine: usize,
  tapStep: usize,
  perRow: i32,
  step: usize,
  next: usize,
  dy: usize,
  count: i32,
  outWidth: i32,
  dw: usize,
  packed: usize,
  run: i32,
  kernelHeight: i32,
  filters: i32,
): void {
  const k = run * perRow * kernelHeight;
  const jump = next - <usize>outWidth * step;
  let packedPanel = -1;
  for (let u = begin; u < end;) {
    const panel = u / k;
    const row = u - panel * k;
    const tap = row / run;
    const offset = row - tap * run;
    const kh = tap / perRow;
    const m = min(run - offset, end - u);
    const left = filters - (panel << 4);
    if (panel != packedPanel) {
      packColumns(dy + ((<usize>panel) << 6), (<usize>filters) << 2, count * outWidth, left, packed);
      packedPanel = panel;
    }
    const from = a + <usize>kh * tapLine + <usize>(tap - kh * perRow) * tapStep + ((<usize>offset) << 2);
    const c = dw + ((<usize>u) << 6);
    strip(m, from, 4, step, outWidth, jump, count, packed, c, 64, -1, c, 64, left > 8 ? 16 : 8, -Infinity);
    u += m;
  }
}
