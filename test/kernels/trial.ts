import { canRevectorize, type Kernels, type Numerics } from '../../src/runtime/tiers.ts'
import { Bed } from '../bed.ts'

/** One kernel call to prove: what goes in, how many floats come out, and its range of `units` (cut at multiples of `grain`). */
export interface Trial {
  /** Address 0 stands for undefined. */
  readonly inputs: readonly (Float32Array | Int32Array | Uint8Array | undefined)[]
  readonly outputs: readonly number[]
  readonly units: number
  readonly grain?: number
  call(kernels: Kernels, begin: number, end: number, inputs: number[], outputs: number[]): void
}

const tiers = canRevectorize ? (['simd256', 'simd128'] as const) : (['simd128'] as const)
const numerics: Numerics[] = ['portable', 'fused']
const allBeds = numerics.map(numerics => tiers.map(tier => new Bed(tier, numerics)))

function place(bed: Bed, values: Trial['inputs'][number]): number {
  if (!values) return 0
  if (values instanceof Uint8Array) return bed.putBytes(values)
  return values instanceof Int32Array ? bed.putInts(values) : bed.put(values)
}

/** Outputs, filled with NaN before, after the calls between neighbouring cuts in reverse order. */
function run(bed: Bed, trial: Trial, cuts: number[]): Float32Array[] {
  bed.reset()
  const inputs = trial.inputs.map(values => place(bed, values))
  const outputs = trial.outputs.map(count => bed.out(count))
  for (let i = cuts.length - 1; i > 0; i--) {
    if (cuts[i - 1]! < cuts[i]!) trial.call(bed.kernels, cuts[i - 1]!, cuts[i]!, inputs, outputs)
  }
  bed.checkGuards()
  return trial.outputs.map((count, i) => bed.floats(outputs[i]!, count))
}

const bits = (values: Float32Array[]) =>
  Buffer.concat(values.map(v => Buffer.from(v.buffer))).toString('base64')

/** The outputs (fused build); throws unless they have the same bits for every cut and tier, in either build. */
export function prove(trial: Trial): Float32Array[] {
  const { units, grain = 1 } = trial
  const inner = [1, 2, 3].map(i => Math.min(units, Math.ceil((i * units) / 4 / grain) * grain))
  const cutsTried = [
    [0, units],
    [0, Math.min(grain, units), units],
    [0, ...inner, units],
  ]
  let result: Float32Array[] = []
  for (const beds of allBeds) {
    const runs = beds.flatMap(bed => cutsTried.map(cuts => run(bed, trial, cuts)))
    result = runs[0]!
    if (runs.some(outputs => bits(outputs) !== bits(result)))
      throw new Error('bits depend on the cuts or the tier')
  }
  return result
}
