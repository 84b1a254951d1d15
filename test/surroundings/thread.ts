import { parentPort, workerData } from 'node:worker_threads'
import * as ls from '../../src/index.ts'
import { rehearsal } from '../checkpoints/rehearsal.ts'

// A thread that trains for so many epochs: says when it has begun, and what came of it.
const told = { onEpochEnd: (epoch: number) => epoch === 0 && parentPort!.postMessage('begun') }
const callbacks = [ls.callbacks.lambda(told as never)]
const { hash } = await rehearsal(ls, 'adam', workerData as number).train({ workers: 2, callbacks })
parentPort!.postMessage(hash)
