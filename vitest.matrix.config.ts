import { existsSync } from 'node:fs'
import { defineConfig, mergeConfig } from 'vitest/config'
import base from './vitest.config.ts'

/**
 * The conformance suites, ops and layers on further backends: `TFGRAFT_BACKENDS=webgpu pnpm test:matrix` (the default), or `node`, `cuda`.
 * Without a GPU, WebGPU runs on the SwiftShader that Debian's chromium ships, through the Vulkan loader (libvulkan1).
 */
const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json'
process.env.TFGRAFT_BACKENDS ??= 'webgpu'
if (existsSync(swiftShader)) process.env.VK_ICD_FILENAMES ??= swiftShader

const config = mergeConfig(base, defineConfig({ test: { testTimeout: 120_000, hookTimeout: 120_000 } }))
config.test.include = [
  'packages/backends/src/{conformance,mends,define-op}/*.test.ts',
  'packages/backends/src/use-backend/synchronous-reads.test.ts',
  'packages/advprop/src/{advprop,batch-normalization,sparse-top-k}/*.test.ts',
  'packages/advprop/src/attacks/attack-steps.test.ts',
  'packages/diff-attention/src/op/*.test.ts',
  'packages/diff-attention/src/{golden,layers}.test.ts',
  'packages/proxprop/src/prox-{conv2d,dense}.test.ts',
  'packages/proxprop/src/solve-spd/singular.test.ts',
  'packages/rl-exploration/src/functional/{golden,whole-update}.test.ts',
  'packages/rl-exploration/src/{bonuses/bonuses,networks/recurrent}.test.ts',
]
export default config
