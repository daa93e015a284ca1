import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: {
    cli: 'src/cli.ts',
    measure: 'src/measure.ts',
    task: 'src/task-api.ts',
    'trial-process': 'src/queue/trial-process.ts',
  },
  format: 'esm',
  platform: 'node',
  target: 'node20',
  dts: false,
  logLevel: 'warn',
})
