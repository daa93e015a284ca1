import { packageBuild } from '../../tooling/tsdown.ts'

export default packageBuild({
  globalName: 'tfgraftRlExploration',
  scriptTagBundles: [/^gifenc/],
  scriptTagBanner: '/*! Bundles gifenc, Copyright (c) 2017 Matt DesLauriers, MIT license. */',
})
