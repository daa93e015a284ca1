/** Tests that need Python with gymnasium, numpy and minigrid, and one with minihack: see the files' heads. */
import { defineConfig } from 'vitest/config'

if (!process.env.TFGRAFT_PYTHON)
  throw new Error('TFGRAFT_PYTHON must name a Python that has gymnasium, numpy and minigrid.')

const conditions = ['@tfgraft/source', 'module', 'node', 'import', 'default']

export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { include: ['src/**/*.pytest.ts'], pool: 'forks', testTimeout: 120_000, hookTimeout: 60_000 },
})
