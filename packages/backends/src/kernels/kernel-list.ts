/** Kernels that replace those of tfjs's wasm backend. */
import type { KernelFunc } from '@tensorflow/tfjs-core'
import { batchMatMulKernel, fusedMatMulKernel } from './matmul'

/** Because stock computes something else. */
export const mendedWasmKernels: Record<string, KernelFunc> = {
  _FusedMatMul: fusedMatMulKernel,
}

/** Because ours are faster on every shape in `benchmarks/backends`. */
export const fastWasmKernels: Record<string, KernelFunc> = {
  BatchMatMul: batchMatMulKernel,
}
