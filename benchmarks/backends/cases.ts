/** Shapes that training uses. */
import * as tf from '@tensorflow/tfjs-core'
import { layers } from '@tensorflow/tfjs-layers'
import { fusedCases } from './fused-cases'

export interface ProductCase {
  name: string
  batch: number[]
  m: number
  k: number
  n: number
  transposeA: boolean
  transposeB: boolean
}

const product = (
  name: string,
  m: number,
  k: number,
  n: number,
  transposition = 'NN',
  batch: number[] = [],
) => ({
  ...{ name, batch, m, k, n },
  transposeA: transposition[0] === 'T',
  transposeB: transposition[1] === 'T',
})

export const products: ProductCase[] = [
  ...['NN', 'NT', 'TN'].map((t) => product('large', 1024, 1024, 1024, t)),
  product('dense forward', 128, 784, 512),
  product('dense input gradient', 128, 512, 784, 'NT'),
  product('dense weight gradient', 784, 128, 512, 'TN'),
  product('last layer forward', 128, 512, 10),
  product('last layer input gradient', 128, 10, 512, 'NT'),
  product('last layer weight gradient', 512, 128, 10, 'TN'),
  product('one example', 1, 512, 512),
  ...['NN', 'NT', 'TN', 'TT'].map((t) => product('8 batches', 512, 64, 512, t, [8])),
  product('attention scores', 128, 32, 128, 'NT', [8, 4]),
  product('attention values', 128, 128, 32, 'NN', [8, 4]),
]

export interface MemoryCase {
  name: string
  /** Bytes read and written by an ideal kernel. */
  bytes: number
  inputs: () => tf.Tensor[]
  run: (...inputs: tf.Tensor[]) => tf.TensorContainer
  /** Bound by arithmetic rather than memory: elements, for the time per element. */
  elements?: number
}

const M = 2 ** 20
const square = () => [tf.randomNormal([1024, 1024])]
const image = () => [tf.randomNormal([32, 32, 32, 32])]

type Layer = { apply(x: tf.Tensor, options: { training: boolean }): unknown }

/** Forward and backward of a layer while training. An ideal pair of kernels reads x twice and dy, and writes y and dx. */
function trainingLayer(name: string, make: () => Layer, inputs: () => tf.Tensor[]): MemoryCase {
  let layer: Layer | undefined
  return {
    name,
    bytes: 20 * M,
    inputs,
    run: (x) => {
      layer ??= make()
      return tf.grad((x) => layer!.apply(x, { training: true }) as tf.Tensor)(x!, x)
    },
  }
}

export const memoryBound: MemoryCase[] = [
  { name: 'sum over axis 0', bytes: 4 * M, inputs: square, run: (x) => tf.sum(x!, 0) },
  { name: 'sum over the last axis', bytes: 4 * M, inputs: square, run: (x) => tf.sum(x!, -1) },
  { name: 'mean over batch, height, width', bytes: 4 * M, inputs: image, run: (x) => tf.mean(x!, [0, 1, 2]) },
  { name: 'transpose', bytes: 8 * M, inputs: square, run: (x) => tf.transpose(x!) },
  {
    name: 'reverse the axes',
    bytes: 8 * M,
    inputs: () => [tf.randomNormal([128, 64, 128])],
    run: (x) => tf.transpose(x!, [2, 1, 0]),
  },
  {
    name: 'swap heads and length',
    bytes: 8 * M,
    inputs: () => [tf.randomNormal([8, 128, 16, 64])],
    run: (x) => tf.transpose(x!, [0, 2, 1, 3]),
  },
  {
    name: 'maximum',
    bytes: 12 * M,
    inputs: () => [...square(), ...square()],
    run: (x, y) => tf.maximum(x!, y!),
  },
  {
    name: 'greater',
    bytes: 9 * M,
    inputs: () => [...square(), ...square()],
    run: (x, y) => tf.greater(x!, y!),
  },
  {
    name: 'greater, by column',
    bytes: 5 * M,
    inputs: () => [...square(), tf.zeros([1024, 1])],
    run: (x, c) => tf.greater(x!, c!),
  },
  {
    name: 'where',
    bytes: 13 * M,
    inputs: () => [tf.greater(square()[0]!, 0), ...square(), ...square()],
    run: (c, x, y) => tf.where(c!, x!, y!),
  },
  {
    name: 'tile a row',
    bytes: 4 * M,
    inputs: () => [tf.ones([1, 1024])],
    run: (x) => tf.tile(x!, [1024, 1]),
  },
  {
    name: 'tile a column',
    bytes: 4 * M,
    inputs: () => [tf.ones([1024, 1])],
    run: (x) => tf.tile(x!, [1, 1024]),
  },
  {
    name: 'gather rows',
    bytes: 8 * M,
    inputs: () => [tf.randomNormal([4096, 256]), tf.randomUniform([4096], 0, 4096, 'int32')],
    run: (x, i) => tf.gather(x!, i!),
  },
  {
    name: 'batch norm',
    bytes: 8 * M,
    inputs: () => [...image(), tf.zeros([32]), tf.ones([32])],
    run: (x, mean, variance) => tf.batchNorm(x!, mean as tf.Tensor1D, variance as tf.Tensor1D),
  },
  {
    name: 'batch norm with gradients',
    bytes: 24 * M,
    inputs: () => [...image(), tf.zeros([32]), tf.ones([32]), tf.zeros([32]), tf.ones([32])],
    run: (...inputs) =>
      tf.grads((x, mean, variance, offset, scale) =>
        tf.batchNorm(
          x!,
          mean as tf.Tensor1D,
          variance as tf.Tensor1D,
          offset as tf.Tensor1D,
          scale as tf.Tensor1D,
        ),
      )(inputs, inputs[0]),
  },
  trainingLayer('batch norm layer with gradients', () => layers.batchNormalization(), image),
  trainingLayer(
    'layer norm layer with gradients',
    () => layers.layerNormalization(),
    () => [tf.randomNormal([8192, 128])],
  ),
  {
    name: 'max pooling gradient',
    bytes: 9 * M,
    inputs: () => {
      const [input] = image() as [tf.Tensor4D]
      return [input, tf.maxPool(input, 2, 2, 'valid'), tf.randomNormal([32, 16, 16, 32])]
    },
    run: (input, output, dy) =>
      tf
        .engine()
        .runKernel(
          'MaxPoolGrad',
          { input: input!, output: output!, dy: dy! },
          { filterSize: 2, strides: 2, pad: 'valid' },
        ),
  },
  { name: 'clip by value', bytes: 8 * M, inputs: square, run: (x) => tf.clipByValue(x!, -1, 1) },
  { name: 'exp', bytes: 8 * M, elements: M, inputs: square, run: (x) => tf.exp(x!) },
  { name: 'tanh', bytes: 8 * M, elements: M, inputs: square, run: (x) => tf.tanh(x!) },
  { name: 'erf', bytes: 8 * M, elements: M, inputs: square, run: (x) => tf.erf(x!) },
  ...(
    [
      ['Adam step', 28 * M, () => tf.train.adam(0.01)],
      ['SGD step', 12 * M, () => tf.train.sgd(0.01)],
      ['momentum step', 20 * M, () => tf.train.momentum(0.01, 0.9)],
    ] as const
  ).map(([name, bytes, make]) => ({
    name,
    bytes,
    inputs: () => square(),
    run: optimizerStep(make),
  })),
  ...fusedCases,
]

/** One step of a million parameters. The optimizer and its variable are made on the first call. */
function optimizerStep(make: () => tf.Optimizer) {
  let state: { optimizer: tf.Optimizer; variable: tf.Variable } | undefined
  return (gradient: tf.Tensor) => {
    state ??= { optimizer: make(), variable: tf.variable(tf.zerosLike(gradient)) }
    state.optimizer.applyGradients({ [state.variable.name]: gradient })
    return []
  }
}
