import { exampleBuild } from '../../tooling/tsdown.ts'

export default exampleBuild
