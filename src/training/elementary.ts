/**
 * exp, log, pow, cos and sin in float64 from + − · / and floor alone. JavaScript leaves the last bits of its
 * own `Math` functions to the engine; these give the same bits in every engine. Relative error at most 1e-14
 * where not said otherwise.
 */

// ln 2 and π/2 in parts: the leading ones have at most 33 bits, so that a product with a small integer is
// exact.
const ln2High = 0.6931471804855391
const ln2Low = 7.440617110012397e-11
const halfPi1 = 1.5707963267341256
const halfPi2 = 6.077100506303966e-11
const halfPi3 = 2.0222662487959506e-21

/** 2^k, exact; 0 or Infinity outside of float64. */
function powerOfTwo(k: number): number {
  let result = 1
  let factor = k < 0 ? 0.5 : 2
  for (let rest = k < 0 ? -k : k; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= factor
    factor *= factor
  }
  return result
}

/** e^x. x = k·ln 2 + r with |r| ≤ 0.35, then 15 terms of Taylor's series of e^r (the next is 3e-19). */
export function exp(x: number): number {
  if (!(x < 710)) return Number.isNaN(x) ? x : Number.POSITIVE_INFINITY
  if (x < -746) return 0
  const k = Math.floor(x / Math.LN2 + 0.5)
  const r = x - k * ln2High - k * ln2Low
  let sum = 1
  for (let n = 14; n > 0; n--) sum = 1 + (sum * r) / n
  // In two factors: 2^k alone leaves float64 at both ends where e^x does not.
  const half = Math.floor(k / 2)
  return sum * powerOfTwo(half) * powerOfTwo(k - half)
}

/**
 * Natural logarithm of x. x = m·2^k with √½ ≤ m < √2, then log m = 2·artanh(s), s = (m − 1)/(m + 1), |s| ≤
 * 0.172: 12 terms of its series (the next is 2e-20). NaN below zero, −Infinity at zero.
 */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN
  if (x === Number.POSITIVE_INFINITY) return x
  let m = x
  let k = 0
  for (let step = 512; step >= 1; step /= 2) {
    const factor = powerOfTwo(step)
    for (; m >= factor; k += step) m /= factor
    for (; m < 1 / factor; k -= step) m *= factor
  }
  // Now ½ ≤ m < 2.
  if (m > Math.SQRT2) {
    m /= 2
    k += 1
  } else if (m < Math.SQRT1_2) {
    m *= 2
    k -= 1
  }
  const s = (m - 1) / (m + 1)
  const square = s * s
  let sum = 0
  for (let n = 23; n >= 1; n -= 2) sum = sum * square + 1 / n
  return k * ln2High + (k * ln2Low + 2 * s * sum)
}

/** A number as an unevaluated sum: high + low carries twice the bits of a float64. */
type Pair = readonly [high: number, low: number]

/** The upper 26 bits of a (T. J. Dekker 1971, https://doi.org/10.1007/BF01397083). */
function upperBits(a: number): number {
  const shifted = a * 134217729
  return shifted - (shifted - a)
}

/** a·b to about 100 bits; falls back to a plain product where splitting would overflow. */
function multiply(a: Pair, b: Pair): Pair {
  const product = a[0] * b[0]
  const [aUpper, bUpper] = [upperBits(a[0]), upperBits(b[0])]
  const [aLower, bLower] = [a[0] - aUpper, b[0] - bUpper]
  const error = aUpper * bUpper - product + aUpper * bLower + aLower * bUpper + aLower * bLower
  const low = error + (a[0] * b[1] + a[1] * b[0])
  const high = product + low
  return Number.isFinite(low) && Number.isFinite(high) ? [high, product - high + low] : [product, 0]
}

/**
 * x^n for an integer n ≥ 0 by repeated squaring in pairs: the plain way would lose a bit with every squaring.
 */
function integerPower(x: number, n: number): number {
  let result: Pair = [1, 0]
  let factor: Pair = [x, 0]
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = multiply(result, factor)
    factor = multiply(factor, factor)
    if (factor[0] === 0 && rest > 1) return 0
  }
  return result[0]
}

/**
 * x^y = x^⌊y⌋ · e^((y − ⌊y⌋)·log x), 1/x^−y for negative y; x^0 = 1. Within one unit of the last place where
 * y is an integer. Relative error at most 1e-14 for 1e-30 ≤ x ≤ 1e30. NaN for negative x and an y that is no
 * integer.
 */
export function pow(x: number, y: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return y === 0 ? 1 : Number.NaN
  if (y < 0) return 1 / pow(x, -y)
  const whole = Math.floor(y)
  // A product this long is 0, 1 or Infinity for every x but one.
  if (whole > 9007199254740991) return x === 1 ? 1 : x < 1 && x > -1 ? 0 : Number.POSITIVE_INFINITY
  const power = integerPower(x, whole)
  if (y === whole) return power
  return x === 0 ? 0 : power * exp((y - whole) * log(x))
}

/**
 * sin(x + quarters·π/2): x = n·π/2 + r with |r| ≤ π/4, then 10 terms of Taylor's series (the next is 1e-19).
 */
function shiftedSine(x: number, quarters: number): number {
  const n = Math.floor(x / halfPi1 + 0.5)
  const r = x - n * halfPi1 - n * halfPi2 - n * halfPi3
  const turn = n + quarters
  const quadrant = turn - 4 * Math.floor(turn / 4)
  const isCosine = quadrant === 1 || quadrant === 3
  let sum = 1
  for (let k = isCosine ? 18 : 19; k >= 2; k -= 2) sum = 1 - (sum * r * r) / (k * (k - 1))
  const value = isCosine ? sum : r * sum
  return quadrant >= 2 ? -value : value
}

/** Sine of x (radians). The error bound holds for |x| ≤ 1e6. */
export const sin = (x: number): number => shiftedSine(x, 0)

/** Cosine of x (radians). The error bound holds for |x| ≤ 1e6. */
export const cos = (x: number): number => shiftedSine(x, 1)
