const counters = new Map<string, number>()

/** TF.js' pattern: `dense_Dense1`, `max_pooling2d_MaxPooling2D1`. */
export function autoName(className: string): string {
  const count = (counters.get(className) ?? 0) + 1
  counters.set(className, count)
  const snake = className
    .replace(/(.)([A-Z][a-z0-9]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
  return `${snake}_${className}${count}`
}
