import * as tf from '@tensorflow/tfjs-core'
import {
  describeBackends,
  describeOp,
  expectClose,
  expectGradients,
  expectNoTensorLeak,
} from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { cholesky, choleskyOp } from './cholesky'
import { triangularSolve, triangularSolveOp } from './triangular-solve'

const normal = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, 'float32', seed)
/** R'R + n I, well conditioned. */
const spd = (shape: number[]) =>
  tf.tidy(() => {
    const root = normal(shape, 1)
    const n = shape.at(-1)!
    return tf.add(tf.matMul(root, root, true), tf.mul(tf.eye(n), n))
  })
/** A lower triangle with a diagonal of about 3, and values above it that no one may read. */
const triangle = (shape: number[]) =>
  tf.tidy(() => tf.add(tf.mul(normal(shape, 2), 0.5), tf.mul(tf.eye(shape.at(-1)!), 3)))

const shapes = [
  [1, 1],
  [2, 2],
  [3, 3],
  [4, 4],
  [7, 7],
  [2, 5, 5],
  [2, 3, 4, 4],
  [33, 33],
]

describeOp(choleskyOp, [
  ...shapes.map((shape) => ({
    title: `[${shape}]`,
    inputs: () => ({ a: spd(shape) }),
    attrs: undefined,
    // The gradient of the reference, which reads the lower triangle, lies there alone.
    gradient: false,
  })),
  {
    title: 'NaN of what is not positive definite',
    inputs: () => ({ a: tf.tensor2d([1, 2, 2, 1], [2, 2]) }),
    attrs: undefined,
    gradient: false,
  },
])
describeOp(
  triangularSolveOp,
  shapes.flatMap((shape) =>
    [1, 3, 8, 17].flatMap((m) =>
      [false, true].map((transpose) => ({
        title: `[${shape}], ${m} right-hand sides${transpose ? ', transposed' : ''}`,
        inputs: () => ({ l: triangle(shape), b: normal([...shape.slice(0, -1), m], 3) }),
        attrs: { transpose },
      })),
    ),
  ),
)

describeBackends('cholesky and triangularSolve', () => {
  it('give back what they took apart', () => {
    tf.tidy(() => {
      for (const n of [1, 6, 50, 130]) {
        const a = spd([n, n])
        const l = cholesky(a)
        expectClose(tf.matMul(l, l, false, true), a, { rtol: 1e-4, atol: 1e-3 })
        expectClose(tf.linalg.bandPart(l as tf.Tensor2D, -1, 0), l, { rtol: 0, atol: 0 })
        const b = normal([n, 5], 4)
        expectClose(tf.matMul(l, triangularSolve(l, b)), b, { rtol: 1e-3, atol: 1e-4 })
        expectClose(tf.matMul(l, triangularSolve(l, b, { transpose: true }), true), b, {
          rtol: 1e-3,
          atol: 1e-4,
        })
      }
    })
  })

  it('upper triangles are lower ones transposed', () => {
    tf.tidy(() => {
      const [l, b] = [triangle([5, 5]), normal([5, 2], 3)]
      const u = tf.transpose(l)
      expectClose(triangularSolve(u, b, { lower: false }), triangularSolve(l, b, { transpose: true }))
      expectClose(triangularSolve(u, b, { lower: false, transpose: true }), triangularSolve(l, b))
    })
  })

  it('agree with finite differences', () => {
    tf.tidy(() => {
      const root = normal([2, 4, 4], 5)
      // Of a symmetric matrix, whichever of its halves moves.
      expectGradients((x) => cholesky(tf.add(tf.matMul(x!, x!, true), tf.eye(4))), [root])
      for (const transpose of [false, true])
        expectGradients(
          (a, b) => triangularSolve(a!, b!, { transpose }),
          [triangle([4, 4]), normal([4, 3], 6)],
        )
    })
  })

  it('leave no tensor behind', () =>
    expectNoTensorLeak(() => {
      const [a, b] = [spd([5, 5]), normal([5, 2], 1)]
      const l = cholesky(a)
      tf.dispose([triangularSolve(l, b), triangularSolve(l, b, { lower: false }), a, b, l])
    }))

  it('reject shapes that do not fit', () => {
    tf.tidy(() => {
      expect(() => cholesky(tf.zeros([2, 3]))).toThrow('cholesky: `a` must be [..., n, n]. Received a=[2,3].')
      expect(() => triangularSolve(tf.zeros([2, 2]), tf.zeros([3, 1]))).toThrow('Received a=[2,2], b=[3,1].')
    })
  })
})
