import { defineConfig } from 'vitest/config'

// Two projects: `unit` needs nothing but the install; `system` needs root, Debian's packages or the shared corpus.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{core,integrations,api,bench,docs}/**/*.test.ts'],
          exclude: ['**/*.system.test.ts', '**/node_modules/**'],
          globalSetup: ['core/testkit/postgres.setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          pool: 'forks',
        },
      },
      {
        test: {
          name: 'system',
          include: ['{core,integrations,api,bench,docs}/**/*.system.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          pool: 'forks',
        },
      },
    ],
  },
})
