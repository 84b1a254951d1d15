import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

declare module 'vitest' {
  interface ProvidedContext {
    installed: string
  }
}

/** Vitest's: a folder for the run, removed after it. */
export default function setup(project: { provide(name: 'installed', folder: string): void }): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'installed-'))
  project.provide('installed', folder)
  return () => rmSync(folder, { recursive: true, force: true })
}
