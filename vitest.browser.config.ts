import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { sourceConditions } from './vitest.config.ts'

/**
 * The conformance suites in headless Chromium on wasm, webgl and webgpu, or on those named by `TFGRAFT_BACKENDS`; and threads,
 * for which pages are cross-origin isolated.
 * Chromium is the system's (`CHROMIUM`, by default /usr/bin/chromium); WebGPU and WebGL run on its SwiftShader.
 */
export default defineConfig({
  resolve: { conditions: sourceConditions },
  define: { TFGRAFT_BACKENDS: JSON.stringify(process.env.TFGRAFT_BACKENDS ?? 'wasm,webgl,webgpu') },
  server: {
    headers: {
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    },
  },
  optimizeDeps: {
    include: [
      '@tensorflow/tfjs-core',
      '@tensorflow/tfjs-layers',
      '@tensorflow/tfjs-backend-cpu',
      '@tensorflow/tfjs-backend-wasm',
      '@tfgraft/backends > @tensorflow/tfjs-backend-webgl',
      '@tfgraft/backends > @tensorflow/tfjs-backend-webgpu',
    ],
  },
  test: {
    include: [
      'packages/backends/src/conformance/*.test.ts',
      'packages/diff-attention/src/op/attention-in-browsers.test.ts',
      'packages/backends/src/threads/everywhere.test.ts',
    ],
    setupFiles: ['packages/backends/src/conformance/browser-setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: {
          executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
          args: [
            '--no-sandbox',
            '--enable-unsafe-webgpu',
            '--use-webgpu-adapter=swiftshader',
            '--enable-unsafe-swiftshader',
            '--use-angle=swiftshader',
          ],
        },
      }),
      instances: [{ browser: 'chromium' }],
    },
  },
})
