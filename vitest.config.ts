import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'src/**/*.test.ts'],
    pool: 'forks',
    setupFiles: ['test/setup.ts'],
    globalSetup: ['test/installing.ts'],
    testTimeout: 120_000,
    maxWorkers: 2,
  },
})
