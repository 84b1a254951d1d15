import type { Storage, Value } from './value.ts'

/** What is known of values beside their contents. All views of a value share it. */
export class Notes<T> {
  private readonly known = new Map<Storage, T>()

  of(x: Value): T | undefined {
    return this.known.get(x.storage)
  }

  set(x: Value, note: T): void {
    this.known.set(x.storage, note)
  }
}
