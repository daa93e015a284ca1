/**
 * Everything that `registerTrainingKernels` installs on a stock backend, one line each. A later line replaces an earlier one
 * for the same kernel and backend, so a fused kernel is added below the composition that it supersedes.
 */
import type { KernelFunc } from '@tensorflow/tfjs-core'
import { conv2dBackpropFilterKernel } from '../kernels/conv2d-gradients'
import { unsortedSegmentSumKernel } from '../kernels/gather'
import { fastWasmKernels, mendedWasmKernels } from '../kernels/kernel-list'
import { depthwiseConv2dBackpropFilterKernel } from './depthwise-conv2d-backprop-filter'
import { depthwiseConv2dBackpropInputKernel } from './depthwise-conv2d-backprop-input'
import { einsumKernel } from './einsum'

export interface TrainingKernel {
  kernelName: string
  /** The name tfjs knows the backend by. */
  backendName: string
  kernelFunc: KernelFunc
  /** Why the stock backend needs it. */
  because: 'missing' | 'wrong' | 'slow'
}

const kernelsFor = (
  backendName: string,
  because: TrainingKernel['because'],
  kernels: Record<string, KernelFunc>,
): TrainingKernel[] =>
  Object.entries(kernels).map(([kernelName, kernelFunc]) => ({
    kernelName,
    backendName,
    kernelFunc,
    because,
  }))

export const trainingKernels: readonly TrainingKernel[] = [
  ...kernelsFor('wasm', 'missing', {
    Conv2DBackpropFilter: conv2dBackpropFilterKernel,
    DepthwiseConv2dNativeBackpropFilter: depthwiseConv2dBackpropFilterKernel,
    DepthwiseConv2dNativeBackpropInput: depthwiseConv2dBackpropInputKernel,
    Einsum: einsumKernel,
    UnsortedSegmentSum: unsortedSegmentSumKernel,
  }),
  ...kernelsFor('wasm', 'wrong', mendedWasmKernels),
  ...kernelsFor('wasm', 'slow', fastWasmKernels),
  ...kernelsFor('cpu', 'wrong', {
    DepthwiseConv2dNativeBackpropFilter: depthwiseConv2dBackpropFilterKernel,
    DepthwiseConv2dNativeBackpropInput: depthwiseConv2dBackpropInputKernel,
  }),
  ...['cpu', 'webgl', 'webgpu'].flatMap((backend) => kernelsFor(backend, 'wrong', { Einsum: einsumKernel })),
]
