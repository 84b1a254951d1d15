import type { OpenFile } from '../../src/formats/files.ts'

/** What Linux tells of a process and of its own boot, for processes and machines that tests make up. */
export function procFile(path: string, start: number, boot: string): OpenFile {
  const fields = `S ${'0 '.repeat(18)}${start} 0`
  const bytes = Buffer.from(path.endsWith('stat') ? `1 (node (x) y) ${fields}\n` : `${boot}\n`)
  return {
    stat: async () => ({ size: 0, isFile: () => true, isDirectory: () => false }),
    read: async (target, offset, length) => ({ bytesRead: bytes.copy(target, offset, 0, length) }),
    write: async () => ({ bytesWritten: 0 }),
    sync: async () => {},
    close: async () => {},
  }
}
