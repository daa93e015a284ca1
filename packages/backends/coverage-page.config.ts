/** `pnpm --filter @tfgraft/backends coverage`: measures every op on every backend and writes COVERAGE.md. */
import { existsSync } from 'node:fs'
import { defineConfig, mergeConfig } from 'vitest/config'
import base from '../../vitest.config.ts'

const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json'
process.env.TFGRAFT_BACKENDS ??= 'cpu,wasm,webgpu'
if (existsSync(swiftShader)) process.env.VK_ICD_FILENAMES ??= swiftShader

const config = mergeConfig(base, defineConfig({ test: { testTimeout: 600_000, hookTimeout: 120_000 } }))
config.test.include = ['packages/backends/src/conformance/write-coverage-page.ts']
export default config
