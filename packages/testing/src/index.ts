export { expectClose, type Tolerance, type Values } from './close'
export { describeBackends, testedBackends } from './describe-backends'
export { expectGradients, type GradientCheckOptions } from './gradient-check'
export { expectNoTensorLeak } from './tensor-leak'
