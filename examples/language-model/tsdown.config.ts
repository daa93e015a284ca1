import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: 'main.ts',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  dts: false,
  logLevel: 'warn',
  external: [/^@/],
})
