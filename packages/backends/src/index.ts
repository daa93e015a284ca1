export { defineOp } from './define-op/define-op'
export { keepTape } from './define-op/keep-tape'
export type {
  GradientContext,
  InputGradients,
  KernelOutputs,
  Op,
  OpDefinition,
  OpInputs,
  OpKernel,
  OpKernels,
  OpOutputs,
} from './define-op/op'
export type { RunWgsl, UniformValues, WgslProgram } from './define-op/webgpu-program'
export { hasRelaxedSimd, type WasmKernels } from './heap/instantiate'
export {
  type HeapTensor,
  type KernelName,
  type KernelParameters,
  type ParallelItems,
  type WasmHeap,
  WasmHeapExhausted,
  wasmHeap,
} from './heap/wasm-heap'
export { cholesky } from './ops/cholesky'
export { gelu } from './ops/gelu'
export { layerNorm } from './ops/layer-norm'
export {
  dropout,
  type NormalOptions,
  randomNormal,
  randomUniform,
  type SeedOptions,
  truncatedNormal,
} from './ops/random'
export { rmsNorm } from './ops/rms-norm'
export { softmaxCrossEntropy } from './ops/softmax-cross-entropy'
export { type TriangularSolveOptions, triangularSolve } from './ops/triangular-solve'
export { clipByGlobalNorm } from './optimizers/clip-by-global-norm'
export {
  type AdamStepInputs,
  type AdamStepOptions,
  adamStep,
  type MomentumStepInputs,
  type MomentumStepOptions,
  momentumStep,
  type SgdStepInputs,
  type SgdStepOptions,
  sgdStep,
} from './optimizers/steps'
export { type BackendReport, type BackendStatus, backendReport } from './report/backend-report'
export { registerTrainingKernels } from './training-kernels/register'
export type { BackendName } from './use-backend/backend-name'
export { type BackendOptions, useBackend } from './use-backend/use-backend'
