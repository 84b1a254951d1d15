import { Shares, sharesBytes } from './shares.ts'

/**
 * The control block of a run: 32-bit words in shared memory. What different workers write lies on different
 * 64-byte lines.
 *
 *   line 0  command number, sleepers          line 3  stop request, batch at which to stop
 *   line 1  abort code (0 while healthy)      line 4  streamed batches filled, sleepers
 *   line 2  barrier release, sleepers
 *   line 5 + 2·rank  barrier arrival, sleepers
 *   line 6 + 2·rank  signs of life: heartbeat, whether it waits for others, its batch, its fault
 *   behind all       see Shares
 */
const lineWords = 16
const signalBytes = (workers: number): number => (5 + 2 * workers) * lineWords * 4
export const controlBytes = (workers: number): number => signalBytes(workers) + sharesBytes(workers)

const words = {
  command: 0,
  abort: lineWords,
  release: 2 * lineWords,
  stop: 3 * lineWords,
  stopAt: 3 * lineWords + 1,
  filled: 4 * lineWords,
}
const arrivalWord = (rank: number): number => (5 + 2 * rank) * lineWords
const heartbeatWord = (rank: number): number => (6 + 2 * rank) * lineWords
const waitingWord = (rank: number): number => heartbeatWord(rank) + 1
const batchWord = (rank: number): number => heartbeatWord(rank) + 2
const faultWord = (rank: number): number => heartbeatWord(rank) + 3

/** Waits are sliced, so that an abort is seen even if its notification was lost. */
const sliceMs = 100

/**
 * Why a run was aborted; the kind is in the upper half of the abort word, the rank that did it in the lower.
 */
export const abortKinds = { main: 1, worker: 2, fault: 3 } as const
export type AbortKind = keyof typeof abortKinds

/** Thrown inside a worker that leaves because the run was aborted; the cause is in the control block. */
export class RunAborted extends Error {
  override readonly name = 'RunAborted'
}

const pause: () => void = (Atomics as { pause?: () => void }).pause ?? (() => {})

/** One thread's view of a run's control block. */
export class Control {
  readonly shares: Shares
  private readonly words: Int32Array
  private readonly workers: number
  private readonly whenAborted = () => this.checkAbort()
  private readonly whenOver = () => {
    if (this.aborted?.kind !== 'fault') this.checkAbort()
  }

  constructor(memory: WebAssembly.Memory, address: number, workers: number) {
    this.workers = workers
    this.words = new Int32Array(memory.buffer, address, signalBytes(workers) / 4)
    this.shares = new Shares(memory, address + signalBytes(workers), workers)
  }

  /** Has the workers leave; only the first cause is kept, but that a fault gives way to the others. */
  abort(kind: AbortKind, rank: number): void {
    const code = (abortKinds[kind] << 16) | rank
    const before = Atomics.compareExchange(this.words, words.abort, 0, code)
    if (before >> 16 === abortKinds.fault && kind !== 'fault') Atomics.store(this.words, words.abort, code)
    for (let word = 0; word < this.words.length; word += lineWords) Atomics.notify(this.words, word)
  }

  get aborted(): { kind: AbortKind; rank: number } | undefined {
    const code = Atomics.load(this.words, words.abort)
    if (code === 0) return undefined
    const kind = (Object.keys(abortKinds) as AbortKind[]).find(name => abortKinds[name] === code >> 16)!
    return { kind, rank: code & 0xffff }
  }

  /** Main, when all workers have left a command because of a fault: the run can go on with another. */
  forgetFault(): void {
    // Some had arrived at the barrier that the others never came to.
    const passed = this.generation + 1
    for (let rank = 0; rank < this.workers; rank++) Atomics.store(this.words, arrivalWord(rank), passed)
    Atomics.store(this.words, words.release, passed)
    Atomics.store(this.words, words.abort, 0)
  }

  checkAbort(): void {
    if (Atomics.load(this.words, words.abort) !== 0) throw new RunAborted('the run was aborted')
  }

  /** Main: makes the workers look for their next command. */
  announceCommand(): number {
    const number = Atomics.add(this.words, words.command, 1) + 1
    Atomics.notify(this.words, words.command)
    return number
  }

  /** Worker: waits for a command after `seen`; returns its number. A fault of the one before is nothing to it. */
  awaitCommand(seen: number, spins: number): number {
    return this.waitPast(words.command, seen + 1, spins, undefined, this.whenOver)
  }

  /** Main: batches 0 to `count` − 1 of a streamed epoch lie in their slots. */
  announceFilled(count: number): void {
    this.publish(words.filled, count)
  }

  /**
   * Main, while the workers stand still: they begin at `batch`, and those before `filled` lie in their slots.
   */
  startStream(batch: number, filled: number): void {
    Atomics.store(this.words, words.filled, filled)
    this.setBatch(0, batch)
  }

  /**
   * Worker: waits for a streamed batch; `onSlice` is called now and then, since this wait is not the worker's
   * fault.
   */
  awaitFilled(batch: number, spins: number, onSlice: () => void): void {
    this.waitPast(words.filled, batch + 1, spins, onSlice)
  }

  /** Main: asks the workers to leave after the step in progress. */
  requestStop(): void {
    Atomics.store(this.words, words.stop, 1)
  }

  clearStop(): void {
    Atomics.store(this.words, words.stop, 0)
    Atomics.store(this.words, words.stopAt, -1)
  }

  /**
   * Rank 0, before the last barrier of `batch`: passes a stop request on, so that all workers leave at the
   * same batch.
   */
  decideStop(batch: number): void {
    if (Atomics.load(this.words, words.stop) !== 0) Atomics.store(this.words, words.stopAt, batch + 1)
  }

  stopsAt(batch: number): boolean {
    return Atomics.load(this.words, words.stopAt) === batch
  }

  /** Plain stores here and below: the supervisor only needs to see them some time. */
  beat(rank: number, count: number): void {
    this.words[heartbeatWord(rank)] = count
  }

  /** 0 until the worker has begun. */
  heartbeat(rank: number): number {
    return this.words[heartbeatWord(rank)]!
  }

  /** A worker that waits for others gives no signs of life, and is not to blame. */
  setWaiting(rank: number, waiting: boolean): void {
    this.words[waitingWord(rank)] = waiting ? 1 : 0
  }

  isWaiting(rank: number): boolean {
    return this.words[waitingWord(rank)] !== 0
  }

  setBatch(rank: number, batch: number): void {
    this.words[batchWord(rank)] = batch
  }

  /** The batch that a worker is at; workers may be one apart. */
  batchOf(rank: number): number {
    return this.words[batchWord(rank)]!
  }

  /** Worker: has all stop, since it found what check number `fault` looks for. */
  raiseFault(rank: number, fault: number): void {
    this.words[faultWord(rank)] = fault
    this.abort('fault', rank)
  }

  faultOf(rank: number): number {
    return this.words[faultWord(rank)]!
  }

  /** Number of barriers passed so far. */
  get generation(): number {
    return Atomics.load(this.words, words.release)
  }

  /**
   * A barrier of `workers` threads as a combining tree: a worker waits for its two children (2·rank + 1,
   * 2·rank + 2), then tells its parent; rank 0 releases all. No word is written by two workers. Rank 0 calls
   * `onArrived` while all others stand still.
   */
  barrier(rank: number, workers: number, generation: number, spins: number, onArrived?: () => void): void {
    const target = generation + 1
    for (let child = 2 * rank + 1; child <= 2 * rank + 2 && child < workers; child++) {
      this.waitPast(arrivalWord(child), target, spins)
    }
    if (rank === 0) {
      onArrived?.()
      this.publish(words.release, target)
    } else {
      this.publish(arrivalWord(rank), target)
      this.waitPast(words.release, target, spins)
    }
    this.checkAbort()
  }

  /**
   * Stores a counter and wakes who sleeps on it; the word behind it counts the sleepers, so that nobody is
   * notified in vain.
   */
  private publish(word: number, value: number): void {
    Atomics.store(this.words, word, value)
    if (Atomics.load(this.words, word + 1) !== 0) Atomics.notify(this.words, word)
  }

  /** Waits until a counter reaches `target`: spins first, then sleeps. @throws what `check` throws now and then. */
  private waitPast(
    word: number,
    target: number,
    spins: number,
    onSlice?: () => void,
    check = this.whenAborted,
  ): number {
    const { words: all } = this
    let value = Atomics.load(all, word)
    for (let spin = 0; value - target < 0 && spin < spins; spin++) {
      if ((spin & 63) === 63) check()
      pause()
      value = Atomics.load(all, word)
    }
    while (value - target < 0) {
      check()
      onSlice?.()
      Atomics.add(all, word + 1, 1)
      Atomics.wait(all, word, value, sliceMs)
      Atomics.sub(all, word + 1, 1)
      value = Atomics.load(all, word)
    }
    return value
  }
}
