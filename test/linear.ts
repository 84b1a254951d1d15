type Cells = readonly (readonly string[])[]

/** Columns of lines but for the target's: numbers as they are, of words one column of 0 and 1 each. */
function columnsOf(
  names: readonly string[],
  lines: Cells,
  target: string,
): ((line: readonly string[]) => number)[] {
  return names.flatMap((name, j) => {
    if (name === target) return []
    const fields = lines.map(line => line[j]!)
    if (fields.every(field => !Number.isNaN(Number(field))))
      return [(line: readonly string[]) => Number(line[j])]
    const words = [...new Set(fields)]
    // Dates do not repeat: there is nothing linear in them.
    return words.length > 20 ? [] : words.map(word => (line: readonly string[]) => Number(line[j] === word))
  })
}

/** Inputs brought to mean 0 and deviation 1 by the training lines, with a constant 1 before them. */
function inputsOf(
  names: readonly string[],
  training: Cells,
  target: string,
): (line: readonly string[]) => number[] {
  const scaled = columnsOf(names, training, target).map(read => {
    const values = training.map(read)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
    return (line: readonly string[]) => (read(line) - mean) / (deviation || 1)
  })
  return line => [1, ...scaled.map(read => read(line))]
}

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0)

/** w of (X'X + penalty·I) w = X'y, by elimination; the constant is not penalised. */
function ridge(x: readonly number[][], y: readonly number[], penalty: number): number[] {
  const width = x[0]!.length
  const rows = Array.from({ length: width }, (_, i) => [
    ...Array.from({ length: width }, (_, j) => {
      return x.reduce((sum, row) => sum + row[i]! * row[j]!, i === j && i > 0 ? penalty : 0)
    }),
    x.reduce((sum, row, k) => sum + row[i]! * y[k]!, 0),
  ])
  for (let i = 0; i < width; i++)
    for (let j = 0; j < width; j++) {
      if (i === j) continue
      const factor = rows[j]![i]! / rows[i]![i]!
      for (let k = i; k <= width; k++) rows[j]![k]! -= factor * rows[i]![k]!
    }
  return rows.map((row, i) => row[width]! / row[i]!)
}

/** Weights of each class: softmax regression with ½·penalty·Σw², by steps down the gradient of all rows. */
function logistic(
  x: readonly number[][],
  y: readonly number[],
  classes: number,
  penalty: number,
): number[][] {
  const w = Array.from({ length: classes }, () => x[0]!.map(() => 0))
  for (let step = 0; step < 500; step++) {
    const gradients = w.map(weights => weights.map((weight, j) => (j > 0 ? penalty * weight : 0)))
    for (const [i, row] of x.entries()) {
      const powers = w.map(weights => Math.exp(dot(weights, row)))
      const total = powers.reduce((sum, power) => sum + power, 0)
      for (const [c, power] of powers.entries()) {
        const wrong = power / total - (y[i] === c ? 1 : 0)
        for (const [j, value] of row.entries()) gradients[c]![j]! += wrong * value
      }
    }
    for (const [c, gradient] of gradients.entries())
      for (const [j, value] of gradient.entries()) w[c]![j]! -= (0.3 * value) / x.length
  }
  return w
}

/** Accuracy of logistic regression, or R² of ridge regression (both with scikit-learn's penalty, 1), on `tested`. */
export function linearScore(
  names: readonly string[],
  training: Cells,
  tested: Cells,
  target: string,
): number {
  const at = names.indexOf(target)
  const inputs = inputsOf(names, training, target)
  const x = training.map(inputs)
  const classes = [...new Set(training.map(line => line[at]!))]
  if (classes.every(word => !Number.isNaN(Number(word)))) {
    const weights = ridge(
      x,
      training.map(line => Number(line[at])),
      1,
    )
    const truth = tested.map(line => Number(line[at]))
    const mean = truth.reduce((sum, value) => sum + value, 0) / truth.length
    const wrong = tested.map((line, i) => (truth[i]! - dot(weights, inputs(line))) ** 2)
    return (
      1 -
      wrong.reduce((sum, value) => sum + value, 0) /
        truth.reduce((sum, value) => sum + (value - mean) ** 2, 0)
    )
  }
  const weights = logistic(
    x,
    training.map(line => classes.indexOf(line[at]!)),
    classes.length,
    1,
  )
  const hits = tested.filter(line => {
    const scores = weights.map(one => dot(one, inputs(line)))
    return classes[scores.indexOf(Math.max(...scores))] === line[at]
  })
  return hits.length / tested.length
}
