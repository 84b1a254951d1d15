import * as ls from '../../src/index.ts'
import { rehearsal } from '../checkpoints/rehearsal.ts'

// node stopped.ts EPOCHS STALL_MS: a training with two workers; says when it has begun, and what came of it.
const [epochs, stallMs] = process.argv.slice(2).map(Number) as [number, number]
const told = { onEpochEnd: (epoch: number) => epoch === 0 && console.log('begun') }
const callbacks = [ls.callbacks.lambda(told as never)]
const { hash } = await rehearsal(ls, 'adam', epochs).train({ workers: 2, stallMs, callbacks })
console.log(hash)
