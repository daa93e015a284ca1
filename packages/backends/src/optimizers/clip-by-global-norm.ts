/**
 * Clipping by the norm of all gradients together, as one op: one pass that reads, and one that scales only where that is needed.
 *
 * Paper: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013, https://arxiv.org/abs/1211.5063,
 * algorithm 1, with the scale of `torch.nn.utils.clip_grad_norm_`.
 */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '../define-op/define-op'
import { kernels } from '../generated/kernels'
import type { WasmHeap } from '../heap/wasm-heap'
import { identityKernel } from '../kernels/identity'

/** Any number of tensors, by position. */
type Inputs = Record<string, tf.Tensor>

interface Attributes {
  maxNorm: number
}

const reference = (inputs: Inputs, { maxNorm }: Attributes): tf.Tensor[] => {
  const tensors = Object.values(inputs)
  // Not tf.addN: on WebGPU it binds one buffer per term, and fails above the limit of the device (8 by default).
  const squares = tensors.map((x) => tf.sum(tf.square(x)))
  const norm = tf.sqrt(squares.reduce((sum, square) => tf.add(sum, square)))
  const scale = tf.minimum(1, tf.div(maxNorm, tf.add(norm, 1e-6)))
  return tensors.map((x) => tf.mul(x, scale))
}

/** Nanoseconds of an element. */
const costs = { square: 0.1, scale: 0.2 }

/** Blocks are added in order whoever sums them, so any number of threads gives the same norm. */
function normOf(heap: WasmHeap, tensors: tf.Tensor[]): number {
  const { squareBlocks, rootOfSum } = heap.kernels(kernels)
  const blocks = tensors.map(({ size }) => squareBlocks(size))
  const all = blocks.reduce((sum, count) => sum + count, 0)
  return heap.scratch(8 * all, (sums) => {
    let own = sums
    tensors.forEach((x, i) => {
      const [p, to] = [x.size ? heap.pointer(x) : 0, own]
      heap.parallelFor(kernels, 'sumSquares', {
        ...{ length: blocks[i]!, cost: costs.square * 4096 },
        parameters: (first, count) => [p, x.size, to, first, count],
      })
      own += 8 * blocks[i]!
    })
    return rootOfSum(sums, all)
  })
}

function scaled(heap: WasmHeap, x: tf.Tensor, factor: number): tf.TensorInfo {
  const y = heap.output(x.shape)
  const p = x.size ? heap.pointer(x) : 0
  heap.parallelFor(kernels, 'scaleFloats', {
    ...{ length: x.size, cost: costs.scale, multiple: 16 },
    parameters: (start, count) => [p + start * 4, y.pointer + start * 4, count, factor],
  })
  return y
}

/** A tensor of its own on the same data, as `tf.clone` makes. */
const another = (x: tf.Tensor) =>
  identityKernel({ inputs: { x }, attrs: {}, backend: tf.backend() }) as tf.TensorInfo

/** The op behind {@link clipByGlobalNorm}: `@tfgraft/core` runs it by its name. */
export const clipByGlobalNormOp = defineOp<Inputs, Attributes, tf.Tensor[]>({
  name: 'backends/ClipByGlobalNorm',
  reference,
  kernels: {
    wasm: ({ heap, inputs, attrs: { maxNorm } }) => {
      const tensors = Object.values(inputs)
      const factor = Math.fround(maxNorm / (normOf(heap, tensors) + 1e-6))
      return tensors.map((x) => (factor >= 1 ? another(x) : scaled(heap, x, factor)))
    },
  },
})

/**
 * Tensors scaled by min(1, maxNorm / (norm + 1e-6)), where `norm` is the L2 norm of all of them together.
 *
 * @param tensors float32, of any shapes, at least one.
 * @param maxNorm Above 0.
 * @returns New tensors, in the same order. Where nothing is to be scaled they share the data of the old ones on wasm.
 * @throws when `maxNorm` is not above 0, or there are no tensors.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { clipByGlobalNorm, useBackend } from '@tfgraft/backends'
 *
 * await useBackend('wasm')
 * const [a, b] = clipByGlobalNorm([tf.tensor1d([3]), tf.tensor1d([4])], 1)
 * console.log(a.dataSync()[0], b.dataSync()[0]) // 0.6, 0.8
 * ```
 */
export function clipByGlobalNorm(tensors: readonly tf.Tensor[], maxNorm: number): tf.Tensor[] {
  if (!(maxNorm > 0))
    throw new Error(`clipByGlobalNorm: \`maxNorm\` must be above 0. Received maxNorm=${maxNorm}.`)
  if (!tensors.length) throw new Error('clipByGlobalNorm: `tensors` must not be empty. Received tensors=[].')
  return tf.tidy(() => clipByGlobalNormOp(Object.fromEntries(tensors.entries()), { maxNorm }))
}
