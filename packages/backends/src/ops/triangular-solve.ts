/** X in L X = B or L' X = B for lower triangular matrices L, by substitution. */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '../define-op/define-op'
import type { Op } from '../define-op/op'
import { kernels } from '../generated/kernels'
import { assertSquare, blockOf, lowerTriangle, transposed } from './matrix-blocks'

interface Inputs {
  /** [..., n, n], of which the lower triangles are read. */
  l: tf.Tensor
  /** [..., n, m] */
  b: tf.Tensor
}

interface Attributes {
  transpose: boolean
}

/** By halves: [P 0; Q R] [X1; X2] = [B1; B2], or its transpose, until P and R are numbers. */
function reference({ l, b }: Inputs, { transpose }: Attributes): tf.Tensor {
  const [n, m] = b.shape.slice(-2) as [number, number]
  if (n === 1) return tf.div(b, l)
  const h = n >> 1
  const [top, bottom]: [[number, number], [number, number]] = [
    [0, h],
    [h, n - h],
  ]
  const [p, q, r] = [blockOf(l, top, top), blockOf(l, bottom, top), blockOf(l, bottom, bottom)]
  const [b1, b2] = [blockOf(b, top, [0, m]), blockOf(b, bottom, [0, m])]
  if (transpose) {
    const x2 = reference({ l: r, b: b2 }, { transpose })
    return tf.concat(
      [reference({ l: p, b: tf.sub(b1, tf.matMul(q, x2, true)) }, { transpose }), x2],
      b.rank - 2,
    )
  }
  const x1 = reference({ l: p, b: b1 }, { transpose })
  return tf.concat([x1, reference({ l: r, b: tf.sub(b2, tf.matMul(q, x1)) }, { transpose })], b.rank - 2)
}

/** The op behind {@link triangularSolve}, for tests. */
export const triangularSolveOp: Op<Inputs, Attributes, tf.Tensor> = defineOp<Inputs, Attributes, tf.Tensor>({
  name: 'backends/TriangularSolve',
  reference,
  // L X = B: dB = L'^-1 dX, dL = -dB X'; L' X = B: dB = L^-1 dX, dL = -X dB'. Of dL the lower triangle.
  gradient: ({ dy, inputs: { l }, outputs: [x], attrs: { transpose } }) => {
    const db = triangularSolveOp({ l, b: dy }, { transpose: !transpose })
    const dl = () => (transpose ? tf.matMul(x, db, false, true) : tf.matMul(db, x, false, true))
    return { b: db, l: () => lowerTriangle(tf.neg(dl())) }
  },
  kernels: {
    wasm: ({ heap, inputs: { l, b }, attrs: { transpose } }) => {
      const [n, m] = b.shape.slice(-2) as [number, number]
      const x = heap.output(b.shape)
      if (b.size === 0) return x
      const padded = (n + 3) & ~3
      const [pl, pb] = [heap.pointer(l), heap.pointer(b)]
      const wasm = heap.kernels(kernels)
      heap.scratch(4 * padded * (padded + 9), (work) => {
        for (let i = 0; i < b.size / (n * m); i++) {
          const at = i * n * m * 4
          wasm.triangularSolve(transpose, pl + i * n * n * 4, pb + at, x.pointer + at, work, n, m)
        }
      })
      return x
    },
  },
})

export interface TriangularSolveOptions {
  /** Whether `a`'s lower triangle is read, or its upper one. @default true */
  lower?: boolean
  /** Solves with the transpose of `a`. @default false */
  transpose?: boolean
}

/**
 * Solves A X = B, or A' X = B, for triangular matrices A, with gradients to both. What lies in the other triangle is not read. A zero on
 * the diagonal gives infinities and NaN.
 *
 * @param a float32 [..., n, n]
 * @param b float32 [..., n, m], with the leading axes of `a`.
 * @returns X, [..., n, m]
 * @throws when the shapes do not fit.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { triangularSolve, useBackend } from '@tfgraft/backends'
 *
 * await useBackend('wasm')
 * triangularSolve(tf.tensor2d([[2, 0], [1, 4]]), tf.tensor2d([[2], [9]])).print() // [[1], [2]]
 * ```
 */
export function triangularSolve<T extends tf.Tensor>(
  a: tf.Tensor,
  b: T,
  { lower = true, transpose = false }: TriangularSolveOptions = {},
): T {
  assertSquare('triangularSolve', 'a', a)
  if (!tf.util.arraysEqual(a.shape.slice(0, -1), b.shape.slice(0, -1)))
    throw new Error(
      `triangularSolve: \`b\` must be [..., n, m] for \`a\` of [..., n, n]. Received a=[${a.shape}], b=[${b.shape}].`,
    )
  if (lower) return triangularSolveOp({ l: a, b }, { transpose }) as T
  return tf.tidy(() => triangularSolveOp({ l: transposed(a), b }, { transpose: !transpose })) as T
}
