import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { expect, test } from 'vitest'
import { canRevectorize } from '../src/runtime/tiers.ts'
import { withFolder } from './checkpoints/folder.ts'

const run = promisify(execFile)
const script = fileURLToPath(new URL('./hashes.mjs', import.meta.url))
const root = fileURLToPath(new URL('..', import.meta.url))

/** The environment without this project's own programs, so that `node` is the machine's. */
const machine = {
  ...process.env,
  PATH: (process.env.PATH ?? '')
    .split(delimiter)
    .filter(folder => !folder.includes(join('node_modules', '.bin')))
    .join(delimiter),
}

async function hashes(
  node: string,
  env: NodeJS.ProcessEnv,
): Promise<{ lines: string; engine: { tier: string; node: string } }> {
  const { stdout, stderr } = await run(node, [script], { env, cwd: root })
  const lines = stderr.trim().split('\n')
  // Flags that V8 does not know would be complained about here.
  expect(lines).toHaveLength(1)
  return { lines: stdout, engine: JSON.parse(lines[0]!) }
}

test('the same bits on this Node, on the machine’s own, and in either tier; other ones with other numerics', async () => {
  const here = await hashes(process.execPath, process.env)
  expect(here.engine.tier).toBe(canRevectorize ? 'simd256' : 'simd128')
  const narrow = await hashes(process.execPath, { ...process.env, LOCKSTEP_TIER: 'simd128' })
  expect(narrow.engine.tier).toBe('simd128')
  expect(narrow.lines).toBe(here.lines)
  const other = await hashes('node', machine)
  expect(other.lines).toBe(here.lines)
  const portable = await hashes(process.execPath, { ...process.env, LOCKSTEP_NUMERICS: 'portable' })
  expect(portable.lines).not.toBe(here.lines)
  expect((await hashes('node', { ...machine, LOCKSTEP_NUMERICS: 'portable' })).lines).toBe(portable.lines)
}, 120_000)

test.each([
  ['LOCKSTEP_TIER', 'fast', 'simd256 or simd128'],
  ['LOCKSTEP_NUMERICS', 'exact', 'fused or portable'],
])('a wrong %s is refused', async (name, value, allowed) => {
  const message = await run(process.execPath, [script], {
    env: { ...process.env, [name]: value },
    cwd: root,
  }).catch(error => error.stderr)
  expect(message).toContain(`RangeError: ${name} must be ${allowed}, got "${value}"; correct or unset it`)
})

const { zstdCompressSync } = zlib as { zstdCompressSync?: (bytes: Uint8Array) => Uint8Array }

test.runIf(zstdCompressSync)('what is packed by Zstandard asks an old Node for a newer one', () =>
  withFolder(async folder => {
    const path = join(folder, 'packed.parquet')
    const columnData = [{ name: 'a', data: Float64Array.from({ length: 1000 }, (_, i) => i % 7) }]
    const compressors = { ZSTD: zstdCompressSync! }
    writeFileSync(path, Buffer.from(parquetWriteBuffer({ columnData, codec: 'ZSTD', compressors })))
    const inspect = (node: string, env: NodeJS.ProcessEnv) =>
      run(node, [join(root, 'dist/command/index.js'), 'inspect', path], { env }).then(
        ({ stdout }) => stdout,
        error => String(error.stderr),
      )
    expect(await inspect(process.execPath, process.env)).toMatch('1000 rows')
    const { stdout } = await run('node', ['-p', '"zstdCompressSync" in zlib'], { env: machine })
    expect(await inspect('node', machine)).toMatch(
      stdout === 'true\n'
        ? '1000 rows'
        : /must be packed by uncompressed, Snappy, gzip, Brotli, got Zstandard; take Node 22.15 or newer\n$/,
    )
  }),
)
