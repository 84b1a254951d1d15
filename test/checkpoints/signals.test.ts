import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { withFolder } from './folder.ts'

const program = fileURLToPath(new URL('../../examples/mnist.ts', import.meta.url))

/** Starts `npm start`'s program and sends it signals once it has said `when`; resolves with its exit code and all it said. */
function signalled(options: readonly string[], when: RegExp, signals: readonly NodeJS.Signals[]) {
  const child = spawn(process.execPath, [program, '--epochs', '500', ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return new Promise<{ code: number | null; said: string }>(resolve => {
    let said = ''
    let sent = false
    child.stdout.on('data', text => {
      said += text
      if (sent || !when.test(said)) return
      sent = true
      for (const signal of signals) child.kill(signal)
    })
    child.on('close', code => resolve({ code, said }))
  })
}

test(
  'npm start saves at the first signal, goes on with --resume, and is gone at the second',
  () =>
    withFolder(async folder => {
      const save = ['--save', folder]
      const first = await signalled(save, /epoch 2\/500/, ['SIGINT'])
      expect(first.code).toBe(130)
      expect(first.said).toMatch(
        /stopped, and saved in .*step-\d+-save-\d+\.ckpt; npm start -- --resume goes on from there\n$/,
      )
      const second = await signalled([...save, '--resume'], /epoch/, ['SIGTERM'])
      expect(second.code).toBe(143)
      const epochs = (said: string) =>
        [...said.matchAll(/^epoch (\d+)\/500/gm)].map(([, epoch]) => Number(epoch))
      expect(epochs(second.said)[0]).toBe(epochs(first.said).at(-1)! + 1)
      // Of two signals that wait, either may be delivered first; neither may lead to the end that one of them has.
      const third = await signalled([...save, '--resume'], /epoch/, ['SIGINT', 'SIGTERM'])
      expect([130, 143]).toContain(third.code)
      expect(third.said).not.toContain('stopped')
    }),
  60_000,
)
