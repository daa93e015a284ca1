import { describeExamples } from '@tfgraft/testing/examples'

describeExamples(new URL('..', import.meta.url))
