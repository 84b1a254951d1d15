import { padVolume } from './padding';
import { packColumns, strip } from './tile';

/** Output pixels summed in one pass over dw; a line of more pixels is one pass. */
const CHUNK: i32 = 256;

/**
 * y = max(x ⋆ w + b, lower), channels last; begin, end in samples. x (·,depth,height,width,channels), w panels
 * of (kernelDepth·kernelHeight·kernelWidth·channels, filters), y (·,outDepth,outHeight,outWidth,filters); b
 * padded to 16 floats, or 0 for none; along fewer axes the first sizes are 1. Tap (kd,kh,kw) of output
 * (od,oh,ow) reads plane od·strideDepth + kd·rateDepth − padFront, row oh·strideHeight + kh·rateHeight −
 * padTop and column ow·strideWidth + kw·rateWidth − padLeft of the input, zero outside. Its elements lie
 * dilateDepth, dilateHeight, dilateWidth apart with zeros between: so the input gradient of a strided
 * convolution is the same kernel with flipPanels' weights. Sums run from b in the order kd, kh, kw, channel.
 * scratch: a sample with its padding, if there is any.
 *
 * The taps of one kernel row are kernelWidth·channels adjacent floats, so a line of outputs is a product
 * whose rows of a overlap. That needs no im2col copy even where the run is three floats (67 GFLOP/s against
 * 75 for the product alone). Columns apart make each tap a run; in both directions, each kernel row a pass.
 * Each kernel plane is a pass too.
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
  depth: i32,
  height: i32,
  width: i32,
  channels: i32,
  kernelDepth: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  filters: i32,
  strideDepth: i32,
  strideHeight: i32,
  strideWidth: i32,
  padFront: i32,
  padTop: i32,
  padLeft: i32,
  outDepth: i32,
  outHeight: i32,
  outWidth: i32,
  rateDepth: i32,
  rateHeight: i32,
  rateWidth: i32,
  dilateDepth: i32,
  dilateHeight: i32,
  dilateWidth: i32,
): void {
  const planes = (outDepth - 1) * strideDepth + (kernelDepth - 1) * rateDepth + 1;
  const rows = (outHeight - 1) * strideHeight + (kernelHeight - 1) * rateHeight + 1;
  const columns = (outWidth - 1) * strideWidth + (kernelWidth - 1) * rateWidth + 1;
  const inside = !(padFront | padTop | padLeft) && planes <= depth && rows <= height && columns <= width;
  const copied = !inside || dilateDepth > 1 || dilateHeight > 1 || dilateWidth > 1;
  const line = (<usize>((copied ? columns : width) * channels)) << 2;
  const plane = <usize>(copied ? rows : height) * line;
  if (copied) memory.fill(scratch, 0, <usize>planes * plane);
  const k = kernelDepth * kernelHeight * kernelWidth * channels;
  const run = rateWidth > 1 ? channels : kernelWidth * channels;
  // Runs that lie evenly are one pass of the strip.
  const perPass = rateWidth == 1 ? kernelHeight : kernelWidth;
  const perPlane = rateWidth == 1 ? 1 : kernelHeight;
  const passes = kernelDepth * perPlane;
  const apart = rateWidth == 1 ? <usize>rateHeight * line : (<usize>(rateWidth * channels)) << 2;
  const jump = apart - ((<usize>run) << 2);
  const lda = (<usize>(strideWidth * channels)) << 2;
  const ldc = (<usize>filters) << 2;
  // Where output lines follow each other at the distance of output pixels, they are one long line.
  const merged = lda * <usize>outWidth == <usize>strideHeight * line;
  const pixels = merged ? outHeight * outWidth : outWidth;
  const perSlab = merged ? 1 : outHeight;
  for (let i = begin; i < end; i++) {
    let a = x + <usize>(i * depth * height * width) * ((<usize>channels) << 2);
    if (copied) {
      // prettier-ignore
      padVolume(
        a, scratch, depth, height, width, channels, padFront, padTop, padLeft, dilateDepth, dilateHeight,
        dilateWidth, planes, rows, columns,
      );
      a = scratch;
    }
    const c = y + <usize>(i * outDepth * outHeight * outWidth) * ldc;
    for (let j = 0; j < filters; j += 16) {
      const panel = w + ((<usize>(j * k)) << 2);
      const from = b ? b + ((<usize>j) << 2) : panel;
      const to = c + ((<usize>j) << 2);
      for (let l = 0; l < outDepth * perSlab; l++) {
        const od = l / perSlab;
        const at = a + <usize>(od * strideDepth) * plane + <usize>((l - od * perSlab) * strideHeight) * line;
        const target = to + <usize>(l * pixels) * ldc;
        for (let p = 0; p < passes; p++) {
          const kd = p / perPlane;
          const taps =
            at + <usize>(kd * rateDepth) * plane + <usize>((p - kd * perPlane) * rateHeight) * line;
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
 * dw = Σ, over samples span[0] … span[1] − 1 and their output pixels in order, of the inputs under the taps
 * times dy; begin, end in slices of dw, panels as w, whose padding becomes 0. Shapes as for convolve. scratch:
 * 64 bytes for each output pixel of a pass, then a sample with its padding, if there is any.
 */
export function convolveGradient(
  begin: i32,
  end: i32,
  x: usize,
  dy: usize,
  dw: usize,
  span: usize,
  scratch: usize,
  depth: i32,
  height: i32,
  width: i32,
  channels: i32,
  kernelDepth: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  filters: i32,
  strideDepth: i32,
  strideHeight: i32,
  strideWidth: i32,
  padFront: i32,
  padTop: i32,
  padLeft: i32,
  outDepth: i32,
  outHeight: i32,
  outWidth: i32,
  rateDepth: i32,
  rateHeight: i32,
  rateWidth: i32,
): void {
  const planes = (outDepth - 1) * strideDepth + (kernelDepth - 1) * rateDepth + 1;
  const rows = (outHeight - 1) * strideHeight + (kernelHeight - 1) * rateHeight + 1;
  const columns = (outWidth - 1) * strideWidth + (kernelWidth - 1) * rateWidth + 1;
  const inside = !(padFront | padTop | padLeft) && planes <= depth && rows <= height && columns <= width;
  const line = (<usize>((inside ? width : columns) * channels)) << 2;
  const plane = <usize>(inside ? height : rows) * line;
  const lines = max(1, min(outHeight, CHUNK / outWidth));
  const padded = scratch + ((<usize>(lines * outWidth)) << 6);
  const run = rateWidth > 1 ? channels : kernelWidth * channels;
  const perRow = rateWidth > 1 ? kernelWidth : 1;
  const tapStep = (<usize>(rateWidth * channels)) << 2;
  const tapLine = <usize>rateHeight * line;
  const tapPlane = <usize>rateDepth * plane;
  const step = (<usize>(strideWidth * channels)) << 2;
  const next = <usize>strideHeight * line;
  if (!inside) memory.fill(padded, 0, <usize>planes * plane);
  memory.fill(dw + ((<usize>begin) << 6), 0, (<usize>(end - begin)) << 6);
  const last = load<i32>(span, 4);
  for (let i = load<i32>(span); i < last; i++) {
    let a = x + <usize>(i * depth * height * width) * ((<usize>channels) << 2);
    if (!inside) {
      // prettier-ignore
      padVolume(
        a, padded, depth, height, width, channels, padFront, padTop, padLeft, 1, 1, 1, planes, rows, columns,
      );
      a = padded;
    }
    for (let od = 0; od < outDepth; od++, a += <usize>strideDepth * plane) {
      for (let l = 0; l < outHeight; l += lines) {
        const pixel = ((i * outDepth + od) * outHeight + l) * outWidth;
        const chunk = dy + <usize>pixel * ((<usize>filters) << 2);
        const from = a + <usize>l * next;
        const count = min(lines, outHeight - l);
        // prettier-ignore
        addLines(
          begin, end, from, tapPlane, tapLine, tapStep, perRow, step, next, chunk, count, outWidth, dw,
          scratch, run, kernelDepth, kernelHeight, filters,
        );
      }
    }
  }
}

/**
 * dw += products of `count` lines of outputs; their inputs begin `next` bytes apart, pixels `step`, kernel
 * planes `tapPlane`, their rows `tapLine`, the perRow runs of one `tapStep`.
 */
function addLines(
  begin: i32,
  end: i32,
  a: usize,
  tapPlane: usize,
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
  kernelDepth: i32,
  kernelHeight: i32,
  filters: i32,
): void {
  const k = run * perRow * kernelHeight * kernelDepth;
  const jump = next - <usize>outWidth * step;
  let packedPanel = -1;
  for (let u = begin; u < end;) {
    const panel = u / k;
    const row = u - panel * k;
    const tap = row / run;
    const offset = row - tap * run;
    const line = tap / perRow;
    const kd = line / kernelHeight;
    const m = min(run - offset, end - u);
    const left = filters - (panel << 4);
    if (panel != packedPanel) {
      packColumns(dy + ((<usize>panel) << 6), (<usize>filters) << 2, count * outWidth, left, packed);
      packedPanel = panel;
    }
    const start = a + <usize>kd * tapPlane + <usize>(line - kd * kernelHeight) * tapLine;
    const from = start + <usize>(tap - line * perRow) * tapStep + ((<usize>offset) << 2);
    const c = dw + ((<usize>u) << 6);
    strip(m, from, 4, step, outWidth, jump, count, packed, c, 64, -1, c, 64, left > 8 ? 16 : 8, -Infinity);
    u += m;
  }
}
