/**
 * One build for every publishable package: ESM, CommonJS, types, and an IIFE for script tags.
 * TensorFlow.js is a peer and is never bundled: two copies break class registration and backends.
 */
import { defineConfig, type UserConfig } from 'tsdown'

export interface PackageBuildOptions {
  /** Name of the global that the script-tag build defines, such as `tfgraftCore`. */
  globalName: string
  /** Extra entry points beside `src/index.ts`, by output name. They get no script-tag build. */
  entries?: Record<string, string>
  /** Modules that only Node has: left as imports, and absent from the script-tag build. */
  nodeOnly?: (string | RegExp)[]
}

const browserGlobals: Record<string, string> = {
  '@tensorflow/tfjs-core': 'tf',
  '@tensorflow/tfjs-layers': 'tf',
  '@tensorflow/tfjs-data': 'tf.data',
  '@tensorflow/tfjs-backend-wasm': 'tf.wasm',
  '@tfgraft/core': 'tfgraftCore',
  '@tfgraft/backends': 'tfgraftBackends',
}

export function packageBuild({ globalName, entries = {}, nodeOnly = [] }: PackageBuildOptions) {
  const shared: UserConfig = {
    platform: 'neutral',
    target: 'es2022',
    sourcemap: true,
    external: [/^@tensorflow\//, /^@tfgraft\//, /^node:/, ...nodeOnly],
    logLevel: 'warn',
  }
  return defineConfig([
    {
      ...shared,
      entry: { index: 'src/index.ts', ...entries },
      format: ['esm', 'cjs'],
      outExtensions: ({ format }) =>
        format === 'cjs' ? { js: '.cjs', dts: '.d.cts' } : { js: '.mjs', dts: '.d.mts' },
      dts: true,
    },
    {
      ...shared,
      entry: { index: 'src/index.ts' },
      format: ['iife'],
      globalName,
      minify: true,
      dts: false,
      clean: false,
      outExtensions: () => ({ js: '.iife.js' }),
      outputOptions: { globals: browserGlobals, entryFileNames: 'index.iife.js' },
    },
  ])
}
