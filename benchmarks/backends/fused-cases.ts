/** Losses, activations, random numbers, clipping and depthwise gradients: one op of ours beside many of tfjs, or a composition. */
import * as tf from '@tensorflow/tfjs-core'
import { layers } from '@tensorflow/tfjs-layers'
import {
  cholesky,
  clipByGlobalNorm,
  gelu,
  randomNormal,
  randomUniform,
  softmaxCrossEntropy,
  triangularSolve,
  truncatedNormal,
} from '@tfgraft/backends'
import { choleskyOp } from '../../packages/backends/src/ops/cholesky'
import { triangularSolveOp } from '../../packages/backends/src/ops/triangular-solve'
import { depthwiseConv2dFilterGradient } from '../../packages/backends/src/training-kernels/depthwise-conv2d-backprop-filter'
import { depthwiseConv2dInputGradient } from '../../packages/backends/src/training-kernels/depthwise-conv2d-backprop-input'
import { isReplaced } from '../../packages/backends/src/training-kernels/fusion'
import type { MemoryCase } from './cases'

const M = 2 ** 20
const square = () => tf.randomNormal([1024, 1024])
type Run = MemoryCase['run']

/** Runs `ours` while ours are installed, else what tfjs offers for it. */
const either =
  (stock: Run, ours: Run): Run =>
  (...inputs) =>
    isReplaced() ? ours(...inputs) : stock(...inputs)

const softmaxLoss = (labels: tf.Tensor) => (x: tf.Tensor) =>
  tf.losses.softmaxCrossEntropy(labels, x) as tf.Scalar

/** Forward and backward: reads x twice and dy, writes y and dx. */
const withGradient =
  (f: (x: tf.Tensor) => tf.Tensor): Run =>
  (x) =>
    tf.grad(f)(x!, x)
const activation = (name: string) => layers.activation({ activation: name as never })

const parameters = () => [[784, 512], [512], [512, 512], [512], [512, 512], [512], [512, 128], [128]]
const stockClip = (tensors: tf.Tensor[]) => {
  const norm = tf.sqrt(tf.addN(tensors.map((x) => tf.sum(tf.square(x)))))
  const scale = tf.minimum(1, tf.div(1, tf.add(norm, 1e-6)))
  return tensors.map((x) => tf.mul(x, scale))
}
const clipping = (name: string, scale: number, bytes: number): MemoryCase => ({
  name,
  bytes,
  inputs: () => parameters().map((shape) => tf.randomNormal(shape, 0, scale)),
  run: either(
    (...inputs) => stockClip(inputs),
    (...inputs) => clipByGlobalNorm(inputs, 1),
  ),
})

const random = (name: string, stock: () => tf.Tensor, ours: () => tf.Tensor): MemoryCase => ({
  ...{ name, bytes: 4 * M, elements: M, inputs: () => [], run: either(stock, ours) },
})

/** One of both gradients of a depthwise convolution of 32 images of 32 x 32 x 32 (a million floats), 3 x 3, padding 'same'. */
function depthwise(of: 'filter' | 'input', strides: number, multiplier: number): MemoryCase {
  const size = 32 / strides
  const filterShape: [number, number, number, number] = [3, 3, 32, multiplier]
  const inputShape: [number, number, number, number] = [32, 32, 32, 32]
  const shared = { strides: [strides, strides] as [number, number], pad: 'same' as const, dilations: 1 }
  const dy = () => tf.randomNormal([32, size, size, 32 * multiplier])
  const bytes = 4 * M * (1 + multiplier / strides ** 2)
  const name = `depthwise ${of} gradient, stride ${strides}, multiplier ${multiplier} (composition)`
  if (of === 'filter')
    return {
      ...{ name, bytes, inputs: () => [tf.randomNormal(inputShape), dy()] },
      run: either(
        (x, dy) =>
          tf.tidy(() => depthwiseConv2dFilterGradient({ x, dy } as never, { ...shared, filterShape })),
        (x, dy) =>
          tf
            .engine()
            .runKernel('DepthwiseConv2dNativeBackpropFilter', { x: x!, dy: dy! }, { ...shared, filterShape }),
      ),
    }
  return {
    ...{ name, bytes, inputs: () => [dy(), tf.randomNormal(filterShape)] },
    run: either(
      (dy, filter) =>
        tf.tidy(() => depthwiseConv2dInputGradient({ dy, filter } as never, { ...shared, inputShape })),
      (dy, filter) =>
        tf
          .engine()
          .runKernel(
            'DepthwiseConv2dNativeBackpropInput',
            { dy: dy!, filter: filter! },
            { ...shared, inputShape },
          ),
    ),
  }
}

/** Symmetric, positive definite. */
const definite = () => {
  const root = tf.randomNormal([256, 256])
  return tf.add(tf.matMul(root, root, true), tf.mul(tf.eye(256), 256))
}

const classes = (rows: number, n: number) => tf.randomUniform([rows], 0, n, 'int32')

export const fusedCases: MemoryCase[] = [
  ...(
    [
      [1024, 1024],
      [64, 10],
    ] as const
  ).map(
    ([rows, n]): MemoryCase => ({
      name: `softmax cross entropy with gradient, ${rows} x ${n}`,
      // Reads logits and labels twice, writes the gradient.
      bytes: 20 * rows * n,
      inputs: () => [tf.randomNormal([rows, n]), tf.oneHot(classes(rows, n), n, 1, 0, 'float32')],
      run: (x, labels) => tf.grad(softmaxLoss(labels!))(x!),
    }),
  ),
  {
    name: 'softmax cross entropy of classes with gradient, 1024 x 1024',
    bytes: 12 * M,
    inputs: () => [square(), classes(1024, 1024)],
    run: either(
      (x, ids) =>
        tf.tidy(() => tf.grad(softmaxLoss(tf.oneHot(ids as tf.Tensor1D, 1024, 1, 0, 'float32')))(x!)),
      (x, ids) => tf.grad((x) => tf.mean(softmaxCrossEntropy(ids!, x)))(x!),
    ),
  },
  ...(
    [
      ['gelu', (x: tf.Tensor) => gelu(x)],
      ['gelu_new', (x: tf.Tensor) => gelu(x, { approximate: true })],
    ] as const
  ).map(([name, ours]): MemoryCase => {
    const layer = activation(name)
    const stock = (x: tf.Tensor) => layer.apply(x) as tf.Tensor
    return {
      name: `${name} with gradient`,
      ...{ bytes: 20 * M, elements: M, inputs: () => [square()] },
      run: either(withGradient(stock), withGradient(ours)),
    }
  }),
  {
    ...{ name: 'erf with gradient', bytes: 20 * M, elements: M, inputs: () => [square()] },
    run: withGradient((x) => tf.erf(x)),
  },
  clipping('clip by global norm, 1 M parameters', 1, 12 * M),
  clipping('clip by global norm, nothing to clip', 1e-5, 4 * M),
  random(
    'random uniform',
    () => tf.randomUniform([M]),
    () => randomUniform([M]),
  ),
  random(
    'random normal',
    () => tf.randomNormal([M]),
    () => randomNormal([M]),
  ),
  random(
    'truncated normal',
    () => tf.truncatedNormal([M]),
    () => truncatedNormal([M]),
  ),
  {
    ...{ name: 'dropout layer with gradient', bytes: 16 * M, elements: M, inputs: () => [square()] },
    run: (x) =>
      tf.grad((x) => layers.dropout({ rate: 0.1 }).apply(x, { training: true }) as tf.Tensor)(x!, x),
  },
  {
    ...{ name: 'Cholesky, 256 x 256 (composition)', bytes: 8 * 256 ** 2, inputs: () => [definite()] },
    run: either(
      (a) => tf.tidy(() => choleskyOp.reference({ a: a! }, undefined)),
      (a) => cholesky(a!),
    ),
  },
  {
    name: 'triangular solve, 256 x 256 for 128 right-hand sides (composition)',
    bytes: 4 * 256 * (256 + 2 * 128),
    inputs: () => [definite(), tf.randomNormal([256, 128])],
    run: either(
      (l, b) => tf.tidy(() => triangularSolveOp.reference({ l: l!, b: b! }, { transpose: false })),
      (l, b) => triangularSolve(l!, b!),
    ),
  },
  ...(['filter', 'input'] as const).flatMap((of) => [
    ...[depthwise(of, 1, 1), depthwise(of, 2, 1), depthwise(of, 1, 2)],
  ]),
]
