/**
 * Matrix products around each backend's own kernel. tfjs's kernels find an operand's matrix by the output's
 * number modulo the operand's batch, which is right only where the operand is repeated as a whole; over no inner dimension they return what was in the memory.
 */
import * as tf from '@tensorflow/tfjs-core'
import { composedKernel } from '../training-kernels/composed-kernel'

interface MatMulAttributes {
  transposeA: boolean
  transposeB: boolean
}

interface Operands {
  a: tf.Tensor
  b: tf.Tensor
}

const sizeOf = (shape: number[]) => shape.reduce((p, q) => p * q, 1)

/** Whether an operand's batch is the end of the whole batch: what tfjs's kernels, which count modulo its size, can repeat. */
const repeatsWhole = (own: number[], batch: number[]) => {
  const first = own.findIndex((size) => size > 1)
  const rest = first < 0 ? [] : own.slice(first)
  return rest.every((size, i) => size === batch[batch.length - rest.length + i])
}

export const matMulAround = (present: tf.KernelFunc): tf.KernelFunc => {
  const broadcasting = composedKernel(({ a, b }: Operands, { transposeA, transposeB }: MatMulAttributes) => {
    const batch = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
    return tf.matMul(
      tf.broadcastTo(a, [...batch, ...a.shape.slice(-2)]),
      tf.broadcastTo(b, [...batch, ...b.shape.slice(-2)]),
      transposeA,
      transposeB,
    )
  })
  const empty = composedKernel(({ a, b }: Operands, { transposeA, transposeB }: MatMulAttributes) => {
    const batch = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
    return tf.zeros([...batch, a.shape.at(transposeA ? -1 : -2)!, b.shape.at(transposeB ? -2 : -1)!])
  })
  return (params) => {
    const { a, b } = params.inputs as { a: tf.TensorInfo; b: tf.TensorInfo }
    if (sizeOf(a.shape) === 0 || sizeOf(b.shape) === 0) return empty(params)
    const [batchA, batchB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)]
    const batch = tf.broadcast_util.assertAndGetBroadcastShape(batchA, batchB)
    return repeatsWhole(batchA, batch) && repeatsWhole(batchB, batch) ? present(params) : broadcasting(params)
  }
}
