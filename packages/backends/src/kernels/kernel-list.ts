/** Kernels that replace those of tfjs's wasm backend. */
import type { KernelFunc } from '@tensorflow/tfjs-core'
import { fusedBatchNormKernel } from './batch-norm'
import { binaryKernels } from './binary'
import { clipByValueKernel } from './clip-by-value'
import { conv2dKernel, fusedConv2dKernel } from './conv2d'
import { conv2dBackpropInputKernel } from './conv2d-gradients'
import { gatherKernel } from './gather'
import { identityKernel } from './identity'
import { logicalAndKernel } from './logical-and'
import { batchMatMulKernel, fusedMatMulKernel } from './matmul'
import { maxPoolGradKernel } from './max-pool-gradient'
import { meanKernel, sumKernel } from './reduce'
import { selectKernel } from './select'
import { concatKernel, sliceKernel, splitKernel } from './slice'
import { tileKernel } from './tile'
import { transposeKernel } from './transpose'
import { erfKernel, expKernel, tanhKernel } from './unary'

/** Because stock computes something else. */
export const mendedWasmKernels: Record<string, KernelFunc> = {
  ClipByValue: clipByValueKernel,
  _FusedMatMul: fusedMatMulKernel,
  MaxPoolGrad: maxPoolGradKernel,
  Sum: sumKernel,
}

/** Because ours are faster in `benchmarks/backends`; single untransposed products, which are fast in stock, are about equal. */
export const fastWasmKernels: Record<string, KernelFunc> = {
  ...binaryKernels,
  BatchMatMul: batchMatMulKernel,
  Concat: concatKernel,
  Conv2D: conv2dKernel,
  Conv2DBackpropInput: conv2dBackpropInputKernel,
  Erf: erfKernel,
  Exp: expKernel,
  FusedBatchNorm: fusedBatchNormKernel,
  FusedConv2D: fusedConv2dKernel,
  GatherV2: gatherKernel,
  Identity: identityKernel,
  LogicalAnd: logicalAndKernel,
  Mean: meanKernel,
  Select: selectKernel,
  Slice: sliceKernel,
  SplitV: splitKernel,
  Tanh: tanhKernel,
  Tile: tileKernel,
  Transpose: transposeKernel,
}
