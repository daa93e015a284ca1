import { packageBuild } from '../../tooling/tsdown.ts'

export default packageBuild({
  globalName: 'tfgraftBackends',
  entries: { cli: 'src/cli.ts' },
  nodeOnly: ['citty'],
})
