/**
 * Everything that `registerTrainingKernels` installs on a stock backend, one line each. A later line replaces an earlier one
 * for the same kernel and backend, so a fused kernel is added below the composition that it supersedes.
 */
import type { KernelFunc } from '@tensorflow/tfjs-core'
import { conv2dBackpropFilterKernel } from '../kernels/conv2d-gradients'
import {
  depthwiseConv2dBackpropFilterKernel as depthwiseFilterGradientKernel,
  depthwiseConv2dBackpropInputKernel as depthwiseInputGradientKernel,
} from '../kernels/depthwise-gradients'
import { unsortedSegmentSumKernel } from '../kernels/gather'
import { fastWasmKernels, mendedWasmKernels } from '../kernels/kernel-list'
import {
  complexCastAround,
  complexKernels,
  complexMultiplyAround,
  partwiseAround,
  partwiseKernels,
} from '../mends/complex-kernels'
import { conv3dBackpropFilter, conv3dBackpropInput } from '../mends/conv3d-gradients'
import { dilation2d, dilation2dBackpropFilter, dilation2dBackpropInput } from '../mends/dilation2d'
import {
  integerBatchToSpaceAround,
  integerReductionAround,
  integerReductions,
  integerScanAround,
  integerSegmentSumAround,
  integerTransposeAround,
} from '../mends/integer-transpose'
import { matMulAround } from '../mends/mat-mul'
import { maxPool3d, maxPool3dGrad, maxPoolWithArgmax } from '../mends/max-pooling'
import { numericPaddingAround, paddedKernels } from '../mends/numeric-padding'
import { resizeBilinearGrad, resizeNearestNeighborGrad } from '../mends/resize-gradients'
import { complexPartAround, prodAround } from '../mends/result-shape'
import { reverseScanAround } from '../mends/reverse-scan'
import {
  addNAround,
  castAround,
  emptySumAround,
  oneHotAround,
  stridedSliceAround,
  tensorScatterUpdateAround,
} from '../mends/small-kernels'
import { cropAndResizeAround, packedClipAround, primeSumAround } from '../mends/webgl-kernels'
import { depthwiseConv2dBackpropFilterKernel } from './depthwise-conv2d-backprop-filter'
import { depthwiseConv2dBackpropInputKernel } from './depthwise-conv2d-backprop-input'
import { einsumKernel } from './einsum'

interface KernelIdentity {
  kernelName: string
  /** The name tfjs knows the backend by. */
  backendName: string
  /** Why the stock backend needs it. */
  because: 'missing' | 'wrong' | 'slow'
}

/** A kernel of our own, or one built around the kernel that is there. */
export type TrainingKernel = KernelIdentity &
  ({ kernelFunc: KernelFunc } | { around: (present: KernelFunc) => KernelFunc })

type Around = (present: KernelFunc) => KernelFunc

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

const mendsAround = (backendNames: string[], mends: Record<string, Around>): TrainingKernel[] =>
  backendNames.flatMap((backendName) =>
    Object.entries(mends).map(
      ([kernelName, around]): TrainingKernel => ({ kernelName, backendName, around, because: 'wrong' }),
    ),
  )

const everyBackend = ['cpu', 'wasm', 'webgl', 'webgpu']

/** The same mend for several kernels, made from the kernel's name. */
const each = (kernelNames: readonly string[], around: (kernelName: string) => Around) =>
  Object.fromEntries(kernelNames.map((kernelName) => [kernelName, around(kernelName)]))

export const trainingKernels: readonly TrainingKernel[] = [
  ...kernelsFor('wasm', 'missing', {
    Conv2DBackpropFilter: conv2dBackpropFilterKernel,
    DepthwiseConv2dNativeBackpropFilter: depthwiseFilterGradientKernel,
    DepthwiseConv2dNativeBackpropInput: depthwiseInputGradientKernel,
    Einsum: einsumKernel,
    UnsortedSegmentSum: unsortedSegmentSumKernel,
    ...complexKernels,
  }),
  ...kernelsFor('wasm', 'wrong', {
    Conv3DBackpropFilterV2: conv3dBackpropFilter,
    Conv3DBackpropInputV2: conv3dBackpropInput,
    Dilation2D: dilation2d,
    Dilation2DBackpropFilter: dilation2dBackpropFilter,
    Dilation2DBackpropInput: dilation2dBackpropInput,
    MaxPool3D: maxPool3d,
    MaxPool3DGrad: maxPool3dGrad,
    MaxPoolWithArgmax: maxPoolWithArgmax,
  }),
  ...kernelsFor('wasm', 'wrong', mendedWasmKernels),
  ...kernelsFor('wasm', 'slow', fastWasmKernels),
  ...kernelsFor('cpu', 'wrong', {
    DepthwiseConv2dNativeBackpropFilter: depthwiseConv2dBackpropFilterKernel,
    DepthwiseConv2dNativeBackpropInput: depthwiseConv2dBackpropInputKernel,
    MaxPool3DGrad: maxPool3dGrad,
    ResizeBilinearGrad: resizeBilinearGrad,
    ResizeNearestNeighborGrad: resizeNearestNeighborGrad,
  }),
  ...kernelsFor('webgl', 'missing', {
    Dilation2DBackpropFilter: dilation2dBackpropFilter,
    Dilation2DBackpropInput: dilation2dBackpropInput,
  }),
  ...['cpu', 'webgl', 'webgpu'].flatMap((backend) => kernelsFor(backend, 'wrong', { Einsum: einsumKernel })),

  // Mends around a kernel that is otherwise right; below every replacement, so that they hold for those too.
  ...mendsAround(['wasm'], {
    Cast: castAround,
    OneHot: oneHotAround,
    StridedSlice: stridedSliceAround,
  }),
  ...mendsAround(['wasm'], each(partwiseKernels, partwiseAround)),
  ...mendsAround(['wasm'], { Multiply: complexMultiplyAround, Cast: complexCastAround }),
  ...mendsAround(
    ['webgpu'],
    each(['Cumsum', 'Cumprod'] as const, reverseScanAround as (name: string) => Around),
  ),
  ...mendsAround(['cpu'], { TensorScatterUpdate: tensorScatterUpdateAround }),
  ...mendsAround(['cpu', 'webgl', 'webgpu'], { BatchMatMul: matMulAround }),
  ...mendsAround(['webgpu'], { AddN: addNAround, Prod: prodAround }),
  ...mendsAround(['webgl'], {
    ClipByValue: packedClipAround,
    CropAndResize: cropAndResizeAround,
    Sum: primeSumAround,
  }),
  ...mendsAround(['webgl', 'webgpu'], { Sum: emptySumAround }),
  ...mendsAround(['webgpu'], {
    BatchToSpaceND: integerBatchToSpaceAround,
    Transpose: integerTransposeAround,
    UnsortedSegmentSum: integerSegmentSumAround,
  }),
  ...mendsAround(['webgpu'], each(Object.keys(integerReductions), integerReductionAround)),
  ...mendsAround(['webgpu'], each(['Cumsum', 'Cumprod'], integerScanAround)),
  ...mendsAround(['webgl', 'webgpu'], { Imag: complexPartAround, Real: complexPartAround }),
  ...mendsAround(
    everyBackend,
    each(paddedKernels, () => numericPaddingAround),
  ),
]
