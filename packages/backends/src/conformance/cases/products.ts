/** Matrix products, softmax family, normalisation, losses. */
import * as tf from '@tensorflow/tfjs-core'
import type { OpCase } from '../op-case'

const mat = (...shape: number[]) => ({ shape })

/** `a @ b` in double precision with broadcast batches. */
const matMulTruth = (aShape: number[], bShape: number[]) => (a: Float32Array, b: Float32Array) => {
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(aShape.slice(0, -2), bShape.slice(0, -2))
  const [rows, inner, columns] = [aShape.at(-2)!, aShape.at(-1)!, bShape.at(-1)!]
  const count = batch.reduce((p, q) => p * q, 1)
  const offset = (index: number, shape: number[], size: number) => {
    let [rest, stride, at] = [index, 1, 0]
    for (let axis = 1; axis <= batch.length; axis++) {
      const position = rest % batch[batch.length - axis]!
      rest = Math.floor(rest / batch[batch.length - axis]!)
      const own = shape.slice(0, -2).at(-axis) ?? 1
      if (own > 1) at += position * stride
      stride *= own
    }
    return at * size
  }
  const data: number[] = []
  for (let n = 0; n < count; n++) {
    const [aAt, bAt] = [offset(n, aShape, rows * inner), offset(n, bShape, inner * columns)]
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        let sum = 0
        for (let k = 0; k < inner; k++) sum += a[aAt + i * inner + k]! * b[bAt + k * columns + j]!
        data.push(sum)
      }
  }
  return [{ shape: [...batch, rows, columns], data }]
}

const products: OpCase[] = [
  ...[false, true].flatMap((transposeA) =>
    [false, true].map(
      (transposeB): OpCase => ({
        name: `matMul${transposeA ? ', transposeA' : ''}${transposeB ? ', transposeB' : ''}`,
        run: (a, b) => tf.matMul(a, b, transposeA, transposeB),
        inputs: [transposeA ? mat(2, 5, 3) : mat(2, 3, 5), transposeB ? mat(2, 4, 5) : mat(2, 5, 4)],
      }),
    ),
  ),
  {
    name: 'matMul, broadcast batch',
    run: (a, b) => tf.matMul(a, b),
    inputs: [mat(3, 2, 4), mat(1, 4, 5)],
    truth: matMulTruth([3, 2, 4], [1, 4, 5]),
  },
  {
    name: 'matMul, matrix against batch',
    run: (a, b) => tf.matMul(a, b),
    inputs: [mat(2, 4), mat(3, 4, 5)],
    truth: matMulTruth([2, 4], [3, 4, 5]),
  },
  {
    name: 'matMul, both broadcast',
    run: (a, b) => tf.matMul(a, b),
    inputs: [mat(2, 1, 3, 4), mat(3, 4, 2)],
    truth: matMulTruth([2, 1, 3, 4], [3, 4, 2]),
  },
  { name: 'dot', run: (a, b) => tf.dot(a, b), inputs: [mat(3, 4), mat(4)] },
  {
    name: 'outerProduct',
    run: (a, b) => tf.outerProduct(a as tf.Tensor1D, b as tf.Tensor1D),
    inputs: [mat(3), mat(4)],
  },
  ...['relu', 'elu', 'sigmoid', 'linear', 'leakyrelu'].flatMap((activation) =>
    [false, true].map(
      (transposed): OpCase => ({
        name: `fused matMul, ${activation}${transposed ? ', transposed' : ''}`,
        run: (a, b, bias) =>
          tf.fused.matMul({
            a,
            b,
            bias,
            transposeA: transposed,
            transposeB: transposed,
            activation: activation as 'relu',
            leakyreluAlpha: 0.2,
          }),
        inputs: [transposed ? mat(100, 3) : mat(3, 100), transposed ? mat(4, 100) : mat(100, 4), mat(4)],
        gradient: false,
      }),
    ),
  ),
  {
    name: 'fused matMul, batched',
    run: (a, b, bias) => tf.fused.matMul({ a, b, bias, activation: 'relu' }),
    inputs: [mat(2, 3, 100), mat(2, 100, 4), mat(4)],
    gradient: false,
  },
  {
    name: 'fused matMul with a prelu',
    run: (a, b, bias, alpha) =>
      tf.fused.matMul({ a, b, bias, activation: 'prelu', preluActivationWeights: alpha }),
    inputs: [mat(3, 5), mat(5, 4), mat(4), mat(4)],
    gradient: false,
  },
  {
    name: 'einsum, attention',
    run: (q, k) => tf.einsum('bhqd,bhkd->bhqk', q, k),
    inputs: [mat(2, 2, 3, 4), mat(2, 2, 5, 4)],
  },
  {
    name: 'einsum, labels summed out of one input',
    run: (a, b) => tf.einsum('ij,kl->jk', a, b),
    inputs: [mat(2, 3), mat(4, 2)],
  },
]

const labels = { shape: [3, 4], values: [1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0], constant: true }

const lossOps: OpCase[] = [
  { name: 'softmax', run: (x) => tf.softmax(x), inputs: [mat(3, 4)] },
  { name: 'logSoftmax', run: (x) => tf.logSoftmax(x), inputs: [mat(3, 4)] },
  {
    name: 'softmaxCrossEntropy',
    run: (y, x) => tf.losses.softmaxCrossEntropy(y, x),
    inputs: [labels, mat(3, 4)],
  },
  {
    name: 'sigmoidCrossEntropy',
    run: (y, x) => tf.losses.sigmoidCrossEntropy(y, x),
    inputs: [labels, { shape: [3, 4], distinct: true }],
  },
  { name: 'meanSquaredError', run: (y, x) => tf.losses.meanSquaredError(y, x), inputs: [labels, mat(3, 4)] },
  {
    name: 'absoluteDifference',
    run: (y, x) => tf.losses.absoluteDifference(y, x),
    inputs: [labels, { shape: [3, 4], from: 0.2, to: 0.8 }],
  },
  {
    name: 'huberLoss',
    run: (y, x) => tf.losses.huberLoss(y, x, undefined, 5),
    inputs: [labels, { shape: [3, 4], from: 0.2, to: 0.8 }],
  },
  {
    name: 'hingeLoss',
    run: (y, x) => tf.losses.hingeLoss(y, x),
    inputs: [labels, { shape: [3, 4], from: -0.8, to: 0.8 }],
  },
  {
    name: 'logLoss',
    run: (y, x) => tf.losses.logLoss(y, x),
    inputs: [labels, { shape: [3, 4], from: 0.2, to: 0.8 }],
  },
  { name: 'cosineDistance', run: (y, x) => tf.losses.cosineDistance(y, x, 1), inputs: [labels, mat(3, 4)] },
  {
    name: 'batchNorm',
    run: (x, mean, variance, offset, scale) =>
      tf.batchNorm(
        x,
        mean as tf.Tensor1D,
        variance as tf.Tensor1D,
        offset as tf.Tensor1D,
        scale as tf.Tensor1D,
        1e-3,
      ),
    inputs: [
      mat(2, 3, 3, 4),
      mat(4),
      { shape: [4], from: 0.5, to: 2 },
      mat(4),
      { shape: [4], from: 0.5, to: 2 },
    ],
  },
  { name: 'moments', run: (x) => Object.values(tf.moments(x, [0, 1])), inputs: [mat(3, 4, 2)] },
  { name: 'norm', run: (x) => tf.norm(x, 2, 1), inputs: [mat(3, 4)] },
  {
    name: 'localResponseNormalization',
    run: (x) => tf.localResponseNormalization(x as tf.Tensor4D, 2, 1, 0.5, 0.6),
    inputs: [mat(1, 2, 3, 6)],
  },
]

export const productCases: OpCase[] = [...products, ...lossOps]
