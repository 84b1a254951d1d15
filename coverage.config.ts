import { defineConfig } from 'vitest/config'
import shared from './vitest.config.ts'

/** Tests of checkpoints and files that run in one process, and what of that code they must reach. */
export default defineConfig({
  test: {
    ...shared.test,
    include: [
      'test/checkpoints/{description,faults,format,powerLoss,store,training}.test.ts',
      'test/formats/*.test.ts',
      'test/{atomicFiles,commandTables,io,layersModel,naming,tableInputs}.test.ts',
    ],
    coverage: {
      enabled: true,
      provider: 'v8',
      include: ['src/checkpoints/**', 'src/formats/**'],
      reporter: ['text-summary'],
      thresholds: { branches: 95 },
    },
  },
})
