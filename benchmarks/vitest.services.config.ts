/**
 * Tests that need more than npm has: `redis-server` on the PATH (Debian's package; the test starts it on a free port), and a Python with
 * `tensorboard` that `TFGRAFT_PYTHON` names.
 */
import { defineConfig, mergeConfig } from 'vitest/config'
import base from '../vitest.config.ts'

const config = mergeConfig(base, defineConfig({ test: { testTimeout: 600_000, hookTimeout: 120_000 } }))
config.test.include = ['benchmarks/src/**/*.servicetest.ts']
export default config
