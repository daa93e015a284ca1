/** The gradients that stock tfjs lacks or gets wrong, one line each. A gradient serves every backend. */
import type { GradConfig } from '@tensorflow/tfjs-core'
import { fusedBatchNormGradient } from '../kernels/batch-norm'
import { erfGradient } from '../ops/erf-gradient'
import { maximumGradient, minimumGradient, squaredDifferenceGradient } from './broadcast-binary-gradients'
import { cropAndResizeGradient } from './crop-and-resize-gradient'
import { conv2dGradient, conv3dTransposeGradient, depthwiseConv2dGradient } from './dilated-conv-gradients'
import { einsumGradient } from './einsum-gradient'
import { gatherGradient } from './gather-gradient'
import { matMulGradient } from './mat-mul-gradient'
import {
  depthToSpaceGradient,
  diagGradient,
  mirrorPadGradient,
  stridedSliceGradient,
  tileGradient,
  topKGradient,
  unpackGradient,
} from './moving-gradients'
import { avgPool3dGradient, avgPoolGradient } from './pooling-gradients'
import { resizeBilinearGradient, resizeNearestNeighborGradient } from './resize-gradients'
import { cumprodGradient, cumsumGradient, prodGradient } from './scan-gradients'
import { gatherNdGradient, scatterNdGradient, tensorScatterUpdateGradient } from './scatter-gather-gradients'
import { zeroGradients } from './zero-gradients'

export const gradients: readonly GradConfig[] = [
  avgPoolGradient,
  avgPool3dGradient,
  conv2dGradient,
  conv3dTransposeGradient,
  cropAndResizeGradient,
  cumprodGradient,
  cumsumGradient,
  depthToSpaceGradient,
  depthwiseConv2dGradient,
  diagGradient,
  einsumGradient,
  erfGradient,
  fusedBatchNormGradient,
  gatherGradient,
  gatherNdGradient,
  matMulGradient,
  maximumGradient,
  minimumGradient,
  mirrorPadGradient,
  prodGradient,
  resizeBilinearGradient,
  resizeNearestNeighborGradient,
  scatterNdGradient,
  squaredDifferenceGradient,
  stridedSliceGradient,
  tensorScatterUpdateGradient,
  tileGradient,
  topKGradient,
  unpackGradient,
  ...zeroGradients,
]
