/** Every op and layer that is measured: what an ideal kernel computes and moves, and who does it. */
import * as tf from '@tensorflow/tfjs-core'
import { layers } from '@tensorflow/tfjs-layers'
import { type SparseTopK, sparseTopKLayer, splitBatchNormalization } from '@tfgraft/advprop'
import {
  diffAttention,
  rmsNormalization,
  rotaryEmbedding,
  scaledDotProductAttention,
  swiGLU,
} from '@tfgraft/diff-attention'
import { proximalStep, solveSpd } from '@tfgraft/proxprop'
import { memoryBound, products } from '../backends/cases'

export interface OpCase {
  /** Unique within its group. */
  name: string
  group: 'products' | 'memory-bound' | 'tfjs layers' | 'proxprop' | 'advprop' | 'attention'
  /** Of an ideal kernel: operations, and bytes of inputs and outputs once each. */
  flops: number
  bytes: number
  /** Makes inputs and contenders, anew for each case. `ours`: the fused op or layer; `composed`: the same of tf ops. */
  make(): { inputs: tf.Tensor[]; ours: Body; composed?: Body }
}

/** What it returns is disposed by whoever measures. */
export type Body = () => tf.TensorContainer

const random = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, 'float32', seed)
const sizeOf = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1)

const productCases = products.map(({ name, batch, m, k, n, transposeA, transposeB }): OpCase => {
  const batches = sizeOf(batch)
  return {
    name: `${name} ${transposeA ? 'T' : 'N'}${transposeB ? 'T' : 'N'}`,
    group: 'products',
    flops: 2 * batches * m * k * n,
    bytes: 4 * batches * (m * k + k * n + m * n),
    make() {
      const a = random([...batch, ...(transposeA ? [k, m] : [m, k])], 1)
      const b = random([...batch, ...(transposeB ? [n, k] : [k, n])], 2)
      return { inputs: [a, b], ours: () => tf.matMul(a, b, transposeA, transposeB) }
    },
  }
})

const memoryCases = memoryBound.map(
  ({ name, bytes, elements, inputs, run }): OpCase => ({
    name,
    group: 'memory-bound',
    flops: elements ?? bytes / 8,
    bytes,
    make() {
      const given = inputs()
      return { inputs: given, ours: () => run(...given) }
    },
  }),
)

/** Forward and gradient of a layer with regard to its input and weights. */
function layerCase(name: string, make: () => layers.Layer, shape: number[], flops: number): OpCase {
  return {
    name,
    group: 'tfjs layers',
    flops,
    bytes: 4 * 4 * sizeOf(shape),
    make() {
      const layer = make()
      const x = tf.variable(random(shape, 1))
      layer.apply(x)
      const variables = [x, ...layer.trainableWeights.map((weight) => weight.read() as tf.Variable)]
      const loss = () => tf.sum(layer.apply(x, { training: true }) as tf.Tensor) as tf.Scalar
      return {
        inputs: [x],
        ours: () => {
          const { value, grads } = tf.variableGrads(loss, variables)
          return [value, ...Object.values(grads)]
        },
      }
    },
  }
}

const [length, width, heads] = [512, 64, 4]

/** Differential attention as a tfjs user composes it (Ye et al. 2024, equation 1), with a causal mask. */
function composedAttention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  lambda: tf.Tensor,
  mask: tf.Tensor,
): tf.Tensor {
  return tf.tidy(() => {
    const [q1, q2] = tf.split(q, 2, 1) as [tf.Tensor, tf.Tensor]
    const [k1, k2] = tf.split(k, 2, 1) as [tf.Tensor, tf.Tensor]
    const map = (a: tf.Tensor, b: tf.Tensor) =>
      tf.softmax(tf.add(tf.mul(tf.matMul(a, b, false, true), width ** -0.5), mask))
    return tf.matMul(tf.sub(map(q1, k1), tf.mul(lambda, map(q2, k2))), v)
  })
}

function attentionInputs() {
  const [q, k] = [1, 2].map((seed) => random([1, 2 * heads, length, width], seed)) as [tf.Tensor, tf.Tensor]
  const v = random([1, heads, length, 2 * width], 3)
  const mask = tf.tidy(() => {
    const rows = tf.tile(tf.reshape(tf.range(0, length), [length, 1]), [1, length])
    return tf.mul(tf.cast(tf.less(rows, tf.transpose(rows)), 'float32'), -1e9)
  })
  return { q, k, v, mask, lambda: tf.scalar(0.5) }
}

const attentionFlops = 2 * ((length * (length + 1)) / 2) * heads * (2 * width + 2 * width)
const attentionBytes = 4 * heads * length * (2 * width + 2 * width + 2 * width + 2 * width)

const attention: OpCase[] = [
  {
    name: 'differential attention, forward',
    group: 'attention',
    flops: attentionFlops,
    bytes: attentionBytes,
    make() {
      const { q, k, v, mask, lambda } = attentionInputs()
      return {
        inputs: [q, k, v, mask, lambda],
        ours: () => diffAttention(q, k, v, lambda, { causal: true }),
        composed: () => composedAttention(q, k, v, lambda, mask),
      }
    },
  },
  {
    name: 'differential attention, with gradients',
    group: 'attention',
    flops: 3.5 * attentionFlops,
    bytes: 3 * attentionBytes,
    make() {
      const { q, k, v, mask, lambda } = attentionInputs()
      const inputs = [q, k, v, lambda]
      const dy = random([1, heads, length, 2 * width], 4)
      type Four = [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]
      return {
        inputs: [...inputs, mask, dy],
        ours: () => tf.grads((...xs) => diffAttention(...(xs as Four), { causal: true }))(inputs, dy),
        composed: () => tf.grads((...xs) => composedAttention(...(xs as Four), mask))(inputs, dy),
      }
    },
  },
  {
    name: 'plain attention, forward',
    group: 'attention',
    flops: attentionFlops,
    bytes: attentionBytes,
    make() {
      const [q, k, v] = [1, 2, 3].map((seed) => random([1, 2 * heads, length, width], seed)) as [
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
      ]
      return { inputs: [q, k, v], ours: () => scaledDotProductAttention(q, k, v, { causal: true }) }
    },
  },
  ...(
    [
      ['RMS normalisation', () => rmsNormalization(), [8, length, 256], 4],
      ['SwiGLU', () => swiGLU({ hiddenDim: 512, useBias: false }), [8, 128, 256], 6 * 512],
      ['rotary embedding', () => rotaryEmbedding(), [8, heads, 128, width], 6],
    ] as [string, () => layers.Layer, number[], number][]
  ).map(
    ([name, make, shape, flops]): OpCase => ({
      name: `${name}, forward`,
      group: 'attention',
      flops: flops * sizeOf(shape),
      bytes: 8 * sizeOf(shape),
      make() {
        const layer = make()
        const x = random(shape, 1)
        layer.apply(x)
        return { inputs: [x], ours: () => layer.apply(x) as tf.Tensor }
      },
    }),
  ),
]

/** SparseTopK of tf ops: sort the magnitudes of each plane, compare, multiply. */
function composedTopK(x: tf.Tensor4D, k: number): tf.Tensor {
  return tf.tidy(() => {
    const [n, h, w, c] = x.shape
    const planes = tf.transpose(tf.reshape(tf.abs(x), [n, h * w, c]), [0, 2, 1])
    const { values } = tf.topk(planes, Math.max(1, Math.floor(k * h * w)))
    const threshold = tf.slice(values, [0, 0, values.shape[2]! - 1], [-1, -1, 1])
    const mask = tf.transpose(tf.cast(tf.greaterEqual(planes, threshold), 'float32'), [0, 2, 1])
    return tf.mul(x, tf.reshape(mask, x.shape))
  })
}

const image = [32, 32, 32, 32]
const advprop: OpCase[] = [
  {
    name: 'SparseTopK, k 0.2',
    group: 'advprop',
    flops: 2 * sizeOf(image),
    bytes: 8 * sizeOf(image),
    make() {
      const x = random(image, 1) as tf.Tensor4D
      const layer: SparseTopK = sparseTopKLayer({ k: 0.2 })
      return { inputs: [x], ours: () => layer.apply(x) as tf.Tensor, composed: () => composedTopK(x, 0.2) }
    },
  },
  {
    name: 'split batch normalisation, training',
    group: 'advprop',
    flops: 8 * sizeOf(image),
    bytes: 8 * sizeOf(image),
    make() {
      const x = random(image, 1)
      const split = splitBatchNormalization()
      const plain = [layers.batchNormalization(), layers.batchNormalization()]
      for (const layer of [split, ...plain]) layer.apply(x)
      return {
        inputs: [x],
        ours: () => split.apply(x, { training: true }) as tf.Tensor,
        composed: () =>
          tf.tidy(() =>
            tf.concat(
              tf.split(x, 2).map((half, i) => plain[i]!.apply(half, { training: true }) as tf.Tensor),
            ),
          ),
      }
    },
  },
]

const [rows, inputs, outputs] = [128, 784, 512]
const dual = rows ** 2 * inputs + rows ** 3 / 3 + 2 * rows ** 2 * outputs + 2 * rows * inputs * outputs
const proxprop: OpCase[] = [
  ...(['exact', { cg: 3 }, 'gradient'] as const).map((solver): OpCase => {
    const iterations = typeof solver === 'object' ? solver.cg : 0
    const product = 2 * rows * inputs * outputs
    return {
      name: `proximal step, ${typeof solver === 'object' ? `cg ${solver.cg}` : solver}`,
      group: 'proxprop',
      flops: solver === 'exact' ? dual : product * (1 + 2 * iterations),
      bytes: 4 * (rows * inputs + rows * outputs + inputs * outputs),
      make() {
        const a = random([rows, inputs], 1) as tf.Tensor2D
        const g = random([rows, outputs], 2) as tf.Tensor2D
        return { inputs: [a, g], ours: () => ({ ...proximalStep(a, g, { solver, tau: 0.1 }) }) }
      },
    }
  }),
  {
    name: 'solve 128 x 128 for 512 sides',
    group: 'proxprop',
    flops: rows ** 3 / 3 + 2 * rows ** 2 * outputs,
    bytes: 4 * (rows ** 2 + 2 * rows * outputs),
    make() {
      const matrix = tf.tidy(() => {
        const a = random([rows, 2 * rows], 1)
        return tf.add(tf.matMul(a, a, false, true), tf.eye(rows))
      }) as tf.Tensor2D
      const sides = random([rows, outputs], 2) as tf.Tensor2D
      return { inputs: [matrix, sides], ours: () => solveSpd(matrix, sides) }
    },
  },
]

const conv = (filters: number) => layers.conv2d({ filters, kernelSize: 3, padding: 'same', useBias: false })
const tfjsLayers = [
  layerCase(
    'dense 784 -> 512, batch 128',
    () => layers.dense({ units: 512 }),
    [128, 784],
    6 * 128 * 784 * 512,
  ),
  layerCase('conv2d 3x3 32 -> 32', () => conv(32), [16, 32, 32, 32], 6 * 16 * 32 * 32 * 9 * 32 * 32),
  layerCase(
    'depthwise 3x3',
    () => layers.depthwiseConv2d({ kernelSize: 3, padding: 'same' }),
    [16, 32, 32, 32],
    6 * 9 * 16 * 32 * 32 * 32,
  ),
  layerCase(
    'batch normalisation',
    () => layers.batchNormalization(),
    [16, 32, 32, 32],
    16 * 16 * 32 * 32 * 32,
  ),
  layerCase('layer normalisation', () => layers.layerNormalization(), [512, 512], 16 * 512 * 512),
  layerCase(
    'max pooling',
    () => layers.maxPooling2d({ poolSize: 2 }),
    [16, 32, 32, 32],
    2 * 16 * 32 * 32 * 32,
  ),
]

export const opCases: readonly OpCase[] = [
  ...productCases,
  ...memoryCases,
  ...tfjsLayers,
  ...proxprop,
  ...advprop,
  ...attention,
]
