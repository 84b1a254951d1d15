import { inRange, show, suggestion, withDefaults } from '../errors.ts'

export interface L1L2Options {
  l1?: number
  l2?: number
}

/** A penalty on a weight w, added to the loss: l1·Σ|w| + l2·Σw². */
export class L1L2 {
  readonly className = 'L1L2'
  readonly config: { readonly l1: number; readonly l2: number }

  constructor(options?: L1L2Options | null) {
    const { l1, l2 } = withDefaults<Required<L1L2Options>>(
      'L1L2',
      { l1: 0.01, l2: 0.01 },
      withoutNulls(options),
    )
    inRange('L1L2', 'l1', l1, '[0, Infinity)')
    inRange('L1L2', 'l2', l2, '[0, Infinity)')
    this.config = { l1, l2 }
  }
}

/** Saved forms write null for "not given". */
function withoutNulls(options: L1L2Options | null | undefined): L1L2Options | null | undefined {
  if (typeof options !== 'object' || options === null) return options
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null))
}

/** @throws TypeError for an unknown option, RangeError for a negative rate */
function l1(options?: { l1?: number }): L1L2 {
  return new L1L2({ ...withDefaults('l1', { l1: 0.01 }, options), l2: 0 })
}

/** @throws TypeError for an unknown option, RangeError for a negative rate */
function l2(options?: { l2?: number }): L1L2 {
  return new L1L2({ ...withDefaults('l2', { l2: 0.01 }, options), l1: 0 })
}

/** @throws TypeError for an unknown option, RangeError for a negative rate */
function l1l2(options?: L1L2Options): L1L2 {
  return new L1L2(options)
}

/** Penalties on weights, added to the loss; a rate that is not given is 0.01. */
export const regularizers = {
  /** l1·Σ|w| */
  l1,
  /** l2·Σw² */
  l2,
  /** l1·Σ|w| + l2·Σw² */
  l1l2,
}

export type RegularizerIdentifier = string | L1L2 | { className: string; config?: object | null }

// TF.js knows only 'l1l2' and 'L1L2'; Keras 3 writes the other four.
const byName: Record<string, (options?: L1L2Options) => L1L2> = { l1l2, L1L2: l1l2, l1, L1: l1, l2, L2: l2 }

/**
 * The regularizer of a name ('l1l2'), a regularizer, or the saved form `{ className, config }`; null for
 * none.
 * @throws TypeError for anything else, RangeError for an unknown name
 */
export function getRegularizer(identifier: RegularizerIdentifier | null | undefined): L1L2 | null {
  if (identifier === null || identifier === undefined) return null
  if (identifier instanceof L1L2) return identifier
  const className = typeof identifier === 'string' ? identifier : identifier.className
  if (typeof className !== 'string') {
    throw new TypeError(
      `getRegularizer: a regularizer must be a name or a regularizer, got ${show(identifier)}`,
    )
  }
  const make = Object.hasOwn(byName, className) ? byName[className] : undefined
  if (!make) {
    throw new RangeError(
      `getRegularizer: unknown regularizer "${className}"; ${suggestion(className, Object.keys(byName))}`,
    )
  }
  return make(withoutNulls(typeof identifier === 'string' ? null : identifier.config) ?? undefined)
}
