/**
 * TF.js' memory functions. Tensors live in ordinary memory here, so that these do nothing, and TF.js programs
 * run.
 */

/** Calls the function and returns its result. */
export function tidy<T>(nameOrFunction: string | (() => T), run?: () => T): T {
  return (typeof nameOrFunction === 'function' ? nameOrFunction : run!)()
}

/** Returns its argument. */
export const keep = <T>(tensor: T): T => tensor

/** Does nothing. */
export function dispose(_tensors: unknown): void {}

/** No tensor holds memory that the garbage collector does not see. */
export function memory(): {
  numTensors: number
  numDataBuffers: number
  numBytes: number
  unreliable: boolean
  reasons: string[]
} {
  const reasons = ['tensors are ordinary objects that the garbage collector frees']
  return { numTensors: 0, numDataBuffers: 0, numBytes: 0, unreliable: true, reasons }
}
