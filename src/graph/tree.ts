import type { Value } from './value.ts'

/**
 * Sums values in a fixed binary tree, as a binary counter counts: two sums of the same number of values
 * become one. At most log2(values) + 1 are alive at a time.
 */
export class TreeSum {
  private readonly addInto: (into: Value, from: Value) => void
  private readonly stack: { value: Value; level: number }[] = []

  constructor(addInto: (into: Value, from: Value) => void) {
    this.addInto = addInto
  }

  push(value: Value): void {
    let top = { value, level: 0 }
    while (this.stack.at(-1)?.level === top.level) {
      const left = this.stack.pop()!
      this.addInto(left.value, top.value)
      top = { value: left.value, level: left.level + 1 }
    }
    this.stack.push(top)
  }

  /** The sum of what the counter holds, from the right. */
  total(): Value {
    return this.stack
      .map(({ value }) => value)
      .reduceRight((total, left) => {
        this.addInto(left, total)
        return left
      })
  }
}
