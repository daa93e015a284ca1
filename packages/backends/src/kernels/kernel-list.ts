/** Kernels that replace those of tfjs's wasm backend. */
import type { KernelFunc } from '@tensorflow/tfjs-core'
import { conv2dBackpropInputKernel } from './conv2d-gradients'
import { identityKernel } from './identity'
import { batchMatMulKernel, fusedMatMulKernel } from './matmul'
import { maxPoolGradKernel } from './max-pool-gradient'
import { meanKernel, sumKernel } from './reduce'
import { tileKernel } from './tile'

/** Because stock computes something else. */
export const mendedWasmKernels: Record<string, KernelFunc> = {
  _FusedMatMul: fusedMatMulKernel,
  MaxPoolGrad: maxPoolGradKernel,
  Sum: sumKernel,
}

/** Because ours are faster on every shape in `benchmarks/backends`. */
export const fastWasmKernels: Record<string, KernelFunc> = {
  BatchMatMul: batchMatMulKernel,
  Conv2DBackpropInput: conv2dBackpropInputKernel,
  Identity: identityKernel,
  Mean: meanKernel,
  Tile: tileKernel,
}
