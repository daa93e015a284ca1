import { defineConfig } from 'vite'

// Not cross-origin isolated on purpose: there tfjs takes its threaded wasm build, whose workers break when bundled.
export default defineConfig({
  base: './',
  build: { target: 'es2022', chunkSizeWarningLimit: 3000 },
})
