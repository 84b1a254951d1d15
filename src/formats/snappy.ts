/**
 * Unpacks Snappy's raw format (https://github.com/google/snappy/blob/main/format_description.txt): the length, then
 * literal bytes and copies of what is there already.
 * @throws RangeError for what is not `length` bytes, packed so
 */
export function unpackSnappy(where: string, packed: Uint8Array, length: number): Buffer {
  const refuse = (got: string) =>
    new RangeError(`${where} must be ${length} bytes packed by Snappy, got ${got}`)
  const bytes = Buffer.alloc(length)
  let at = 0
  let done = 0
  const next = (count: number): number => {
    if (at + count > packed.length) throw refuse('an early end')
    let value = 0
    for (let i = 0; i < count; i++) value += packed[at++]! * 256 ** i
    return value
  }
  let said = 0
  for (let shift = 1, more = true; more; shift *= 128) {
    const part = next(1)
    if (shift > 2 ** 28) throw refuse('a length of more than 32 bits')
    said += (part & 127) * shift
    more = part > 127
  }
  if (said !== length) throw refuse(String(said))
  while (at < packed.length) {
    const tag = next(1)
    const kind = tag & 3
    if (kind === 0) {
      const size = (tag >> 2 < 60 ? tag >> 2 : next((tag >> 2) - 59)) + 1
      if (size > length - done || size > packed.length - at) throw refuse('more')
      bytes.set(packed.subarray(at, at + size), done)
      at += size
      done += size
      continue
    }
    const size = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
    const back = kind === 1 ? (tag >> 5) * 256 + next(1) : next(kind === 2 ? 2 : 4)
    if (back === 0 || back > done) throw refuse(`a copy from ${back} bytes before byte ${done}`)
    if (size > length - done) throw refuse('more')
    // A copy may overlap what it makes.
    for (const end = done + size; done < end; done++) bytes[done] = bytes[done - back]!
  }
  if (done === length) return bytes
  throw refuse(String(done))
}
