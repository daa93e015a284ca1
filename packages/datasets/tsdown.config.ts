import { packageBuild } from '../../tooling/tsdown.ts'

// Script tags have no `import.meta`; the code that reads it is never reached there (see `openPackage`).
export default packageBuild({ globalName: 'tfgraftDatasets', entries: { node: 'src/node.ts' } }).map(
  (build) =>
    Array.isArray(build.format) && build.format.includes('iife')
      ? { ...build, define: { 'import.meta.url': '"file:///"' } }
      : { ...build, copy: 'src/image-folder/decode-worker.mjs' },
)
