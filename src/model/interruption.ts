/** Waits that need not be waited out. */
export class Interruption {
  private wake: (() => void) | undefined

  /** Ends the wait in progress. */
  interrupt(): void {
    this.wake?.()
  }

  /** What was asked for, or 'interrupted' when one of the signals is aborted or `interrupt` is called before. */
  async unless<T>(
    signals: readonly (AbortSignal | undefined)[],
    asked: Promise<T>,
  ): Promise<T | 'interrupted'> {
    if (signals.some(signal => signal?.aborted)) return 'interrupted'
    let wake = () => {}
    const interruption = new Promise<'interrupted'>(resolve => {
      wake = () => resolve('interrupted')
    })
    this.wake = wake
    for (const signal of signals) signal?.addEventListener('abort', wake)
    try {
      return await Promise.race([asked, interruption])
    } finally {
      for (const signal of signals) signal?.removeEventListener('abort', wake)
    }
  }
}
