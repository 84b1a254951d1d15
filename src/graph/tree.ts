import type { Storage, Value } from './value.ts'

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

/**
 * Gradients of parameters where leaves are recorded one after the other. Each use of a parameter (a shared
 * layer has several) has a tree of its own, so that the sums are those of all leaves at once.
 */
export class LeafSums {
  private readonly makeSum: () => TreeSum
  private readonly uses = new Map<Storage, { w: Value; sums: TreeSum[]; next: number }>()

  constructor(makeSum: () => TreeSum) {
    this.makeSum = makeSum
  }

  /** What is added from now on belongs to the next leaf. */
  beginLeaf(): void {
    for (const use of this.uses.values()) use.next = 0
  }

  /** Adds this leaf's gradient of the next use of parameter w. */
  add(w: Value, dw: Value): void {
    const uses = this.uses.get(w.storage) ?? { w, sums: [], next: 0 }
    this.uses.set(w.storage, uses)
    const sum = (uses.sums[uses.next++] ??= this.makeSum())
    sum.push(dw)
  }

  /** The sums of all leaves, use by use. */
  totals(): [w: Value, dw: Value][] {
    return [...this.uses.values()].flatMap(({ w, sums }) =>
      sums.map((sum): [Value, Value] => [w, sum.total()]),
    )
  }
}
