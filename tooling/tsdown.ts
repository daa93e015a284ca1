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
  /** Dependencies that have no global of their own: bundled into the script-tag build. */
  scriptTagBundles?: (string | RegExp)[]
  /** Comment at the head of the script-tag build: the notices of what it bundles. */
  scriptTagBanner?: string
}

const browserGlobals: Record<string, string> = {
  '@tensorflow/tfjs-core': 'tf',
  '@tensorflow/tfjs-layers': 'tf',
  '@tensorflow/tfjs-data': 'tf.data',
  '@tensorflow/tfjs-backend-wasm': 'tf.wasm',
  '@tfgraft/core': 'tfgraftCore',
  '@tfgraft/backends': 'tfgraftBackends',
}

export function packageBuild({
  globalName,
  entries = {},
  nodeOnly = [],
  scriptTagBundles = [],
  scriptTagBanner = '',
}: PackageBuildOptions) {
  const shared: UserConfig = {
    platform: 'neutral',
    target: 'es2022',
    sourcemap: true,
    logLevel: 'warn',
  }
  const neverBundle = [/^@tensorflow\//, /^@tfgraft\//, /^node:/, ...nodeOnly]
  return defineConfig([
    {
      ...shared,
      entry: { index: 'src/index.ts', ...entries },
      format: ['esm', 'cjs'],
      deps: { neverBundle },
      outExtensions: ({ format }) =>
        format === 'cjs' ? { js: '.cjs', dts: '.d.cts' } : { js: '.mjs', dts: '.d.mts' },
      dts: true,
    },
    {
      ...shared,
      entry: { index: 'src/index.ts' },
      format: ['iife'],
      platform: 'browser', // `neutral` finds no entry point of a bundled dependency without `exports`
      globalName,
      minify: true,
      dts: false,
      clean: false,
      deps: { neverBundle, alwaysBundle: scriptTagBundles },
      outExtensions: () => ({ js: '.iife.js' }),
      outputOptions: {
        globals: browserGlobals,
        entryFileNames: 'index.iife.js',
        banner: scriptTagBanner,
      },
    },
  ])
}

/** The build of an example that runs on plain Node: one file, with packages left as imports. */
export const exampleBuild = defineConfig({
  entry: 'main.ts',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  dts: false,
  logLevel: 'warn',
  external: [/^@/],
})
