import { isPlainObject, show } from '../errors.ts'

/** Whether JSON can hold it as it is. */
export const isJson = (value: unknown): boolean => {
  if (Array.isArray(value)) return value.every(isJson)
  if (isPlainObject(value)) return Object.values(value).every(isJson)
  return value === null || ['string', 'boolean'].includes(typeof value) || Number.isFinite(value)
}

const hasText = (value: unknown): boolean => {
  try {
    return JSON.stringify(value) !== undefined
  } catch {
    return false
  }
}

/** @throws TypeError for what is no object of JSON */
export function checkMetadata(where: string, metadata: unknown): void {
  // An object within itself has no text.
  if (isPlainObject(metadata) && hasText(metadata) && isJson(metadata)) return
  throw new TypeError(
    `${where}: metadata must be an object of what JSON can hold, got ${show(metadata)}; change it`,
  )
}
