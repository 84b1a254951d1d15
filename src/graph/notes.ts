import type { Storage, Value } from './value.ts'

/** What is known of values beside their contents, kept by value or by storage. */
export class Notes<T> {
  private readonly known = new Map<Value | Storage, T>()
  private readonly keyOf: (x: Value) => Value | Storage

  constructor(keyOf: (x: Value) => Value | Storage) {
    this.keyOf = keyOf
  }

  of(x: Value): T | undefined {
    return this.known.get(this.keyOf(x))
  }

  set(x: Value, note: T): void {
    this.known.set(this.keyOf(x), note)
  }
}

/** Each view of a value has notes of its own: another shape has other steps. */
export const byValue = (x: Value): Value => x

/** All views of a value share its notes. */
export const byStorage = ({ storage }: Value): Storage => storage
