/** Block conjugate gradient on a Gram matrix, as an op: `block.ts` in one call on wasm. */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '@tfgraft/backends'
import { kernels } from '../generated/kernels'
import { type BlockCgOptions, blockConjugateGradient } from './block'

interface Inputs {
  /** A'A or AA', [n, n] */
  gram: tf.Tensor2D
  /** [n, m] */
  rhs: tf.Tensor2D
  /** A scalar above 0. */
  tau: tf.Scalar
}

type Attributes = Pick<BlockCgOptions, 'form' | 'steps' | 'tolerance'>

/** Columns of a right-hand side that the kernel works on at a time. */
const tileColumns = 8

export const blockCgOp = defineOp<Inputs, Attributes, [solution: tf.Tensor2D, iterations: tf.Scalar]>({
  name: 'proxprop/BlockCg',
  reference: ({ gram, rhs, tau }, attrs) => {
    const multiply = (v: tf.Tensor2D) => tf.matMul(gram, v)
    const { solution, iterations } = blockConjugateGradient({ ...attrs, multiply, rhs, tau })
    return [solution, iterations]
  },
  kernels: {
    wasm: ({ heap, inputs: { gram, rhs, tau }, attrs: { form, steps, tolerance } }) => {
      const [n, m] = rhs.shape
      const solution = heap.output(rhs.shape)
      const iterations = heap.output([])
      const rows = (n + 3) & ~3
      const tiles = Math.ceil(m / tileColumns)
      const { blockCg } = heap.kernels(kernels)
      heap.scratch(4 * (tiles * tileColumns * (4 * rows + 1) + rows * (rows + tileColumns)), (work) => {
        const [g, r, t] = [gram, rhs, tau].map(heap.pointer) as [number, number, number]
        const isDual = form === 'dual'
        blockCg(g, r, t, solution.pointer, iterations.pointer, work, n, m, steps, tolerance, isDual)
      })
      return [solution, iterations]
    },
  },
})
