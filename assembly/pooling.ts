import { splat } from './math';
import { storeFirst } from './rows';

// x (samples, height, width, channels), y (samples, outHeight, outWidth, channels). A window is what lies inside the input
// of poolHeight × poolWidth positions from row oh·strideHeight - padTop, column ow·strideWidth - padLeft on.

// @ts-ignore: decorator
@inline function start(kind: bool): v128 {
  return kind == MAX ? splat(-Infinity) : splat(0);
}
