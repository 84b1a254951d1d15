import { arithmetic } from './table/arithmetic.ts'
import { functions } from './table/functions.ts'
import { reductions } from './table/reductions.ts'
import { shapes } from './table/shapes.ts'

/**
 * What layers, losses, metrics and optimizers of one's own are made of. Shapes and axes are those of one sample:
 * axis 0 is the first behind the batch, −1 the last.
 */
export const ops = { ...arithmetic, ...functions, ...reductions, ...shapes }
