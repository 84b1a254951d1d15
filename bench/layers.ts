// Samples/s of training networks of the other kinds of layers: recurrent, attention, embedding, separable convolution.
import type { Options } from './index.ts'
import type { Print } from './table.ts'
import { type Row, runAll } from './train.ts'
import { layerWorkloads } from './workloads.ts'

export const run = (options: Options, out: Print): Promise<Row[]> => runAll(layerWorkloads, options, out)
