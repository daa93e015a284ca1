/**
 * A = L L' for symmetric positive definite matrices.
 *
 * Paper, of the gradient: Murray, "Differentiation of the Cholesky decomposition", 2016, https://arxiv.org/abs/1602.07527, equation 10.
 */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '../define-op/define-op'
import { kernels } from '../generated/kernels'
import { assertSquare, blockOf, lowerTriangle, transposed } from './matrix-blocks'
import { triangularSolveOp } from './triangular-solve'

/** By halves, [P Q'; Q R]: L = [chol(P) 0; Q chol(P)'^-1, chol(R - the former times its transpose)]. */
function reference({ a }: { a: tf.Tensor }): tf.Tensor {
  const n = a.shape.at(-1)!
  if (n === 1) return tf.sqrt(a)
  const h = n >> 1
  const [top, bottom]: [[number, number], [number, number]] = [
    [0, h],
    [h, n - h],
  ]
  const p = reference({ a: blockOf(a, top, top) })
  const q = transposed(
    triangularSolveOp.reference({ l: p, b: transposed(blockOf(a, bottom, top)) }, { transpose: false }),
  )
  const r = reference({ a: tf.sub(blockOf(a, bottom, bottom), tf.matMul(q, q, false, true)) })
  const above = tf.zeros([...a.shape.slice(0, -2), h, n - h])
  const last = a.rank - 1
  return tf.concat([tf.concat([p, above], last), tf.concat([q, r], last)], last - 1)
}

/** The op behind {@link cholesky}, for tests. */
export const choleskyOp = defineOp<{ a: tf.Tensor }, void, tf.Tensor>({
  name: 'backends/Cholesky',
  reference,
  // With P the lower triangle of L' dL, its diagonal halved: S = L'^-1 P L^-1, and dA = (S + S') / 2.
  gradient: ({ dy, outputs: [l] }) => {
    const p = lowerTriangle(tf.matMul(l, dy, true), 0.5)
    const left = triangularSolveOp({ l, b: p }, { transpose: true })
    const s = triangularSolveOp({ l, b: transposed(left) }, { transpose: true }) // S'
    return { a: tf.mul(tf.add(s, transposed(s)), 0.5) }
  },
  kernels: {
    wasm: ({ heap, inputs: { a } }) => {
      const n = a.shape.at(-1)!
      const l = heap.output(a.shape)
      if (a.size === 0) return l
      const padded = (n + 3) & ~3
      const p = heap.pointer(a)
      const wasm = heap.kernels(kernels)
      heap.scratch(4 * padded * (padded + 1), (work) => {
        for (let at = 0; at < a.size * 4; at += n * n * 4) wasm.cholesky(p + at, l.pointer + at, n, work)
      })
      return l
    },
  },
})

/**
 * The lower triangular L with A = L L', and zeros above its diagonal. The lower triangles of A are read; its gradient is symmetric, half in
 * each triangle. A matrix that is not positive definite gives NaN.
 *
 * @param a float32 [..., n, n], symmetric positive definite.
 * @throws when the matrices are not square.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { cholesky, useBackend } from '@tfgraft/backends'
 *
 * await useBackend('wasm')
 * cholesky(tf.tensor2d([[4, 2], [2, 5]])).print() // [[2, 0], [1, 2]]
 * ```
 */
export function cholesky<T extends tf.Tensor>(a: T): T {
  assertSquare('cholesky', 'a', a)
  return choleskyOp({ a }) as T
}
