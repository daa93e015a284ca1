/** Attention as a tfjs op: reference, gradient, kernels. */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '@tfgraft/backends'
import { referenceGradients } from './gradient'
import type { AttentionInputs, AttentionProblem } from './options'
import { referenceAttention } from './reference'
import { backwardOnWasm, forwardOnWasm } from './wasm'
import { forwardOnWebgpu } from './webgpu'
import { backwardOnWebgpu } from './webgpu-backward'

/** Memory is linear in the length on backends with a kernel: nothing is saved, the gradient computes the maps again. */
export const attentionOp = defineOp<AttentionInputs, AttentionProblem, tf.Tensor>({
  name: 'diff-attention/Attention',
  reference: referenceAttention,
  gradient: ({ dy, inputs, attrs }) => {
    const [dq, dk, dv, dTokens] = attentionGradientOp({ ...inputs, dy }, attrs)
    const scalar = inputs.lambda?.rank === 0
    return { q: dq, k: dk, v: dv, lambda: () => (scalar ? tf.sum(dTokens) : dTokens) }
  },
  kernels: { wasm: forwardOnWasm, webgpu: forwardOnWebgpu },
})

/** Gradients to q, k, v, and to lambda as if there were one per token and head. */
export const attentionGradientOp = defineOp<
  AttentionInputs & { dy: tf.Tensor },
  AttentionProblem,
  [dq: tf.Tensor, dk: tf.Tensor, dv: tf.Tensor, dLambda: tf.Tensor]
>({
  name: 'diff-attention/AttentionGradient',
  reference: referenceGradients,
  kernels: { wasm: backwardOnWasm, webgpu: backwardOnWebgpu },
})
