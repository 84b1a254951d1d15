import { copyFloats } from './gather';

/** Spreads x (depth,height,width,channels) out in target (planes,rows,columns,channels), as padImage. */
export function padVolume(
  x: usize,
  target: usize,
  depth: i32,
  height: i32,
  width: i32,
  channels: i32,
  padFront: i32,
  padTop: i32,
  padLeft: i32,
  dilateDepth: i32,
  dilateHeight: i32,
  dilateWidth: i32,
  planes: i32,
  rows: i32,
  columns: i32,
): void {
  const size = (<usize>(height * width * channels)) << 2;
  const plane = (<usize>(rows * columns * channels)) << 2;
  for (let i = 0; i < depth; i++) {
    const at = padFront + i * dilateDepth;
    if (at < 0 || at >= planes) continue;
    // prettier-ignore
    padImage(
      x + <usize>i * size, target + <usize>at * plane, height, width, channels, padTop, padLeft,
      dilateHeight, dilateWidth, rows, columns,
    );
  }
}

/**
 * Spreads x (height,width,channels) out in target (rows,columns,channels), zero before, from (padTop,
 * padLeft) on, its elements dilateHeight and dilateWidth apart.
 */
function padImage(
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
  if (last <= first) return;
  for (let i = 0; i < height; i++) {
    const row = padTop + i * dilateHeight;
    if (row < 0 || row >= rows) continue;
    const source = x + <usize>(i * width + first) * pixel;
    const to = target + <usize>(row * columns + padLeft + first * dilateWidth) * pixel;
    if (dilateWidth == 1) copyFloats(source, to, <usize>((last - first) * channels));
    else {
      for (let j = 0; j < last - first; j++) {
        copyFloats(source + <usize>j * pixel, to + <usize>(j * dilateWidth) * pixel, <usize>channels);
      }
    }
  }
}
