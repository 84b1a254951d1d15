/** What was set aside or looked odd, counted, with the first place of each kind. */
export class Warnings {
  private readonly kinds = new Map<string, { count: number; first: string }>()

  /** Counts one more of a kind: `kind` tells what becomes of it, `where` where it is. */
  add(kind: string, where: string, count = 1): void {
    const known = this.kinds.get(kind)
    if (known) known.count += count
    else this.kinds.set(kind, { count, first: where })
  }

  /** A warning that stands for itself. */
  say(line: string): void {
    this.kinds.set(line, { count: 0, first: '' })
  }

  /** A line for each kind. */
  lines(): string[] {
    return [...this.kinds].map(([kind, { count, first }]) =>
      count === 0 ? kind : `${kind}: ${count.toLocaleString('en')} (the first: ${first})`,
    )
  }
}
