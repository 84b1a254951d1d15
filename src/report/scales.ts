/** Where values lie along an axis. */
export interface Scale {
  readonly low: number
  readonly high: number
  readonly ticks: readonly number[]
  /** From 0 to 1; NaN where a logarithm has no value. */
  at(value: number): number
  format(value: number): string
}

export interface ScaleOptions {
  readonly log?: boolean
  /** Ends that are wanted, whatever the values are. */
  readonly low?: number
  readonly high?: number
  /** Whether the ends are rounded to ticks. */
  readonly rounded?: boolean
  readonly integers?: boolean
  /** Most ticks. */
  readonly count?: number
  readonly format?: (value: number) => string
}

/** Numbers as people read them: four significant digits, groups of three. */
export function figure(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '–'
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞'
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) return minus(value.toExponential(2).replace('e+', 'e'))
  const digits = size >= 1000 || Number.isInteger(value) ? 0 : 4
  return minus(
    value.toLocaleString('en', {
      ...(digits === 0 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 4 }),
      useGrouping: 'min2',
    }),
  )
}

export const percent = (share: number, digits = 1): string =>
  Number.isFinite(share) ? `${minus((100 * share).toFixed(digits))} %` : '–'

const minus = (text: string) => text.replace('-', '−')

/** A number beside an axis: as short as can be. */
function tickText(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e9) return figure(value)
  if (size >= 1e6) return minus(`${Number((value / 1e6).toPrecision(3))}M`)
  if (size >= 1e4) return minus(`${Number((value / 1e3).toPrecision(3))}k`)
  if (size !== 0 && size < 1e-4) return minus(value.toExponential(0))
  return minus(String(Number(value.toPrecision(6))))
}

function extentOf(values: Iterable<number>, isLog: boolean): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) {
    if (!Number.isFinite(value) || (isLog && value <= 0)) continue
    if (value < low) low = value
    if (value > high) high = value
  }
  return low <= high ? [low, high] : isLog ? [0.1, 1] : [0, 1]
}

/** The smallest of 1, 2, 5, 10 … that needs at most `count` steps. */
function stepFor(range: number, count: number): number {
  const power = 10 ** Math.floor(Math.log10(range / count))
  return power * [1, 2, 5, 10].find(factor => power * factor * count >= range * 0.999)!
}

function linearScale([first, last]: [number, number], options: ScaleOptions): Scale {
  let [low, high] = [options.low ?? first, options.high ?? last]
  if (!(high > low)) {
    const space = Math.abs(low) * 0.1 || 1
    if (options.low === undefined) low -= space
    if (options.high === undefined || !(high > low)) high = low + 2 * space
  }
  const exact = stepFor(high - low, options.count ?? 5)
  const step = options.integers ? Math.max(1, exact) : exact
  if (options.rounded) {
    if (options.low === undefined) low = Math.floor(low / step + 1e-9) * step
    if (options.high === undefined) high = Math.ceil(high / step - 1e-9) * step
  }
  const ticks: number[] = []
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++)
    ticks.push(Number((i * step).toPrecision(12)))
  return { low, high, ticks, at: value => (value - low) / (high - low), format: options.format ?? tickText }
}

function logScale([first, last]: [number, number], options: ScaleOptions): Scale {
  let [low, high] = [options.low ?? first, options.high ?? last]
  if (!(high > low)) [low, high] = [low / 2, high * 2]
  const decades = Math.log10(high / low)
  const every = Math.max(1, Math.ceil(decades / (options.count ?? 5)))
  const factors = decades < 1.2 ? [1, 2, 3, 5, 7] : decades < 2.5 ? [1, 3] : [1]
  const ticks: number[] = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
    if (factors.length > 1 || power % every === 0)
      for (const factor of factors) ticks.push(Number((factor * 10 ** power).toPrecision(12)))
  const at = (value: number) => Math.log(value / low) / Math.log(high / low)
  const shown = ticks.filter(tick => tick >= low * 0.999 && tick <= high * 1.001)
  return { low, high, ticks: shown, at, format: options.format ?? tickText }
}

/** An axis for these values. */
export function scaleOf(values: Iterable<number>, options: ScaleOptions = {}): Scale {
  const isLog = options.log ?? false
  return (isLog ? logScale : linearScale)(extentOf(values, isLog), options)
}
