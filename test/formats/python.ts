import { execFileSync } from 'node:child_process'

/** Runs Debian's Python. @throws Error where it is missing or fails */
export const python = (...args: string[]): void => {
  execFileSync('/usr/bin/python3', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

export function pythonHas(module: string): boolean {
  try {
    python('-c', `import ${module}`)
    return true
  } catch {
    return false
  }
}
