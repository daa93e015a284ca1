/** The gate of SwiGLU as an op: y = g sigmoid(g) v, element by element. */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '@tfgraft/backends'
import { kernels } from '../generated/kernels'

interface Inputs {
  /** The gate before its nonlinearity. */
  g: tf.Tensor
  /** What is gated, of the same shape. */
  v: tf.Tensor
}

/** y = g sigmoid(g) v. Nothing but its inputs is kept for the gradient. */
export const gatedSiLU = defineOp<Inputs, void, tf.Tensor>({
  name: 'diff-attention/GatedSiLU',
  reference: ({ g, v }) => tf.mul(tf.mul(g, tf.sigmoid(g)), v),
  gradient: ({ dy, inputs }) => {
    const [dg, dv] = gatedSiLUGradient({ ...inputs, dy })
    return { g: dg, v: dv }
  },
  kernels: {
    wasm: ({ heap, inputs: { g, v } }) => {
      const y = heap.output(g.shape)
      const { gate } = heap.kernels(kernels)
      heap.scratch(48, (scratch) => gate(heap.pointer(g), heap.pointer(v), y.pointer, g.size, scratch))
      return y
    },
  },
})

/** dg = dy v s (1 + g (1 - s)), dv = dy g s, with s = sigmoid(g). */
const gatedSiLUGradient = defineOp<Inputs & { dy: tf.Tensor }, void, [dg: tf.Tensor, dv: tf.Tensor]>({
  name: 'diff-attention/GatedSiLUGradient',
  reference: ({ g, v, dy }) => {
    const s = tf.sigmoid(g)
    const slope = tf.mul(s, tf.add(tf.mul(g, tf.sub(1, s)), 1))
    return [tf.mul(tf.mul(dy, v), slope), tf.mul(dy, tf.mul(g, s))]
  },
  kernels: {
    wasm: ({ heap, inputs: { g, v, dy } }) => {
      const [dg, dv] = [heap.output(g.shape), heap.output(g.shape)]
      const [gp, vp, dyp] = [g, v, dy].map(heap.pointer)
      const { gateGradient } = heap.kernels(kernels)
      heap.scratch(80, (scratch) => gateGradient(gp!, vp!, dyp!, dg.pointer, dv.pointer, g.size, scratch))
      return [dg, dv]
    },
  },
})
