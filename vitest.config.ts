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
    setupFiles: ['packages/testing/src/seeded-math-random.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // For a test that hangs. What starts processes takes 20 s on a machine with four times as much to do as cores.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
