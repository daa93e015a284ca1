/** Tests that need Python with wgpu and numpy, `TFGRAFT_PYTHON`, and a Vulkan driver with half floats, such as Mesa's lavapipe. */
import { defineConfig } from 'vitest/config'
import { sourceConditions } from '../../vitest.config.ts'

export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions: sourceConditions },
  ssr: { resolve: { conditions: sourceConditions } },
  test: { include: ['src/**/*.wgputest.ts'], pool: 'forks', testTimeout: 120_000 },
})
