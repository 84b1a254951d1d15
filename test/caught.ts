/** `RangeError: <message>` of what the function throws or rejects with, 'nothing' when it does neither. */
export async function caught(run: () => unknown): Promise<string> {
  try {
    await run()
  } catch (error) {
    return `${(error as Error).constructor.name}: ${(error as Error).message}`
  }
  return 'nothing'
}
