/** The gradients that stock tfjs lacks or gets wrong, one line each. A gradient serves every backend. */
import type { GradConfig } from '@tensorflow/tfjs-core'
import { fusedBatchNormGradient } from '../kernels/batch-norm'
import { einsumGradient } from './einsum-gradient'

export const gradients: readonly GradConfig[] = [einsumGradient, fusedBatchNormGradient]
