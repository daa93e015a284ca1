import { defineConfig } from 'vitest/config'

/** Packages resolve to each other's sources, so that tests need no build. */
export const sourceConditions = ['@tfgraft/source', 'module', 'node', 'import', 'default']

export default defineConfig({
  resolve: { conditions: sourceConditions },
  ssr: { resolve: { conditions: sourceConditions } },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'templates/*/src/**/*.test.ts',
      'benchmarks/src/**/*.test.ts',
      'examples/*/*.test.ts',
    ],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
