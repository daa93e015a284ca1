import { packageBuild } from '../../tooling/tsdown.ts'

export default packageBuild({
  globalName: 'tfgraftCore',
  scriptTagBundles: [/^seedrandom/],
  scriptTagBanner:
    '/*! Bundles the Alea generator of seedrandom, Copyright (C) 2010 Johannes Baagoe, MIT license. */',
})
