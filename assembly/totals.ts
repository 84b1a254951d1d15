/**
 * total (f64) += rows · Σ partial (chunks of f64), in order; rows is the address of an i32. begin, end are
 * not used.
 */
export function accumulatePenalty(
  begin: i32,
  end: i32,
  partial: usize,
  chunks: i32,
  total: usize,
  rows: usize,
): void {
  let sum: f64 = 0;
  for (let chunk = 0; chunk < chunks; chunk++) sum += load<f64>(partial + ((<usize>chunk) << 3));
  store<f64>(total, load<f64>(total) + sum * <f64>load<i32>(rows));
}

/** Row r of y (·,size) becomes row position[0] + r of the whole; begin, end in rows. */
export function scatter(begin: i32, end: i32, y: usize, position: usize, whole: usize, size: i32): void {
  const row = (<usize>size) << 2;
  memory.copy(
    whole + <usize>(load<i32>(position) + begin) * row,
    y + <usize>begin * row,
    <usize>(end - begin) * row,
  );
}
