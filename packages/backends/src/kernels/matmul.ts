/**
 * BatchMatMul and _FusedMatMul on `assembly/sgemm.ts`: all transpositions, broadcast batches, bias and activation.
 *
 * Stock wasm computes transposed and batched products element by element (1 to 2 GFLOP/s), and its fused product adds the
 * bias once per 48 columns of the inner dimension when an operand is transposed or batched.
 */
import * as tf from '@tensorflow/tfjs-core'
import { type KernelExports, kernels } from '../generated/kernels'
import type { HeapTensor, WasmHeap } from '../heap/wasm-heap'
import { activationCodes } from './activation-codes'
import { wasmKernel } from './wasm-kernel'

interface Transposition {
  transposeA: boolean
  transposeB: boolean
}

interface FusedInputs {
  a: tf.TensorInfo
  b: tf.TensorInfo
  bias?: tf.TensorInfo
  preluActivationWeights?: tf.TensorInfo
}

interface FusedAttributes extends Transposition {
  activation: string
  leakyreluAlpha?: number
}

/** The product of the last two axes; the others are batches, which broadcast. */
export function product(
  heap: WasmHeap,
  wasm: KernelExports,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  { transposeA, transposeB }: Transposition,
): HeapTensor {
  const [aRows, aColumns] = a.shape.slice(-2) as [number, number]
  const [bRows, bColumns] = b.shape.slice(-2) as [number, number]
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns]
  const [n, inner] = transposeB ? [bRows, bColumns] : [bColumns, bRows]
  if (k !== inner)
    throw new Error(
      `matMul: inner lengths must agree. Received a=[${a.shape}], b=[${b.shape}], ` +
        `transposeA=${transposeA}, transposeB=${transposeB}.`,
    )
  const batchA = a.shape.slice(0, -2)
  const batchB = b.shape.slice(0, -2)
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(batchA, batchB)
  const out = heap.output([...batch, m, n])
  if (tf.util.sizeFromShape(out.shape) === 0) return out
  const [pa, pb] = [k === 0 ? 0 : heap.pointer(a), k === 0 ? 0 : heap.pointer(b)]
  // One matrix for all batches of a plain left operand: the batches are rows of a single product.
  const single = tf.util.sizeFromShape(batchB) === 1 && !transposeA
  if (single) {
    const rows = m * tf.util.sizeFromShape(batch)
    multiply(heap, {
      transposeA,
      transposeB,
      m: rows,
      n,
      k,
      a: pa,
      lda: aColumns,
      b: pb,
      ldb: bColumns,
      c: out.pointer,
    })
    return out
  }
  const indicesA = batchIndices(batchA, batch)
  const indicesB = batchIndices(batchB, batch)
  const [sizeA, sizeB] = [m * k * 4, k * n * 4]
  const items = { length: indicesA.length, cost: productCost(m, n, k), scratch: wasm.sgemmScratch(m, n, k) }
  const [stepA, stepB] = [stepOf(indicesA), stepOf(indicesB)]
  if (stepA !== undefined && stepB !== undefined && indicesA.length > 1 && productCost(m, n, k) < longProduct)
    heap.parallelFor(kernels, 'sgemmBatches', {
      ...items,
      parameters: (start, count, scratch) => [
        ...([count, stepA * m * k, stepB * k * n, m * n, transposeA, transposeB, m, n, k, 1] as const),
        ...([pa + start * stepA * sizeA, aColumns, pb + start * stepB * sizeB, bColumns] as const),
        ...([out.pointer + start * m * n * 4, n, false, scratch] as const),
      ],
    })
  else
    for (const [i, indexA] of indicesA.entries())
      multiply(heap, {
        ...{ transposeA, transposeB, m, n, k, a: pa + indexA * sizeA, lda: aColumns },
        ...{ b: pb + indicesB[i]! * sizeB, ldb: bColumns, c: out.pointer + i * m * n * 4 },
      })
  return out
}

/** Nanoseconds, at 40 GFLOP/s. */
export const productCost = (m: number, n: number, k: number) => (2 * m * n * k) / 40

/** Products that take longer are cut themselves, shorter ones by batches. */
const longProduct = 1e6

/** By how much the indices grow, if always by the same. */
function stepOf(indices: number[]): number | undefined {
  const step = (indices[1] ?? 0) - indices[0]!
  return indices.every((index, i) => index === i * step) ? step : undefined
}

export interface Product extends Transposition {
  m: number
  n: number
  k: number
  a: number
  lda: number
  b: number
  ldb: number
  c: number
}

/**
 * c [m, n] = op(a) op(b), by addresses and lengths of stored rows, cut by rows or by columns of the result. Each tile packs all of the operand that is not cut, so the longer side
 * is cut. No tile is a single row or column, whose terms `sgemm` would add in another order.
 */
export function multiply(
  heap: WasmHeap,
  { transposeA, transposeB, m, n, k, a, lda, b, ldb, c }: Product,
): void {
  const { sgemmScratch } = heap.kernels(kernels)
  const byRows = m >= n || n < 16
  if (byRows)
    heap.parallelFor(kernels, 'sgemm', {
      ...{ length: m, cost: productCost(1, n, k), multiple: 4, scratch: sgemmScratch(m, n, k) },
      parameters: (start, count, scratch) => [
        ...([
          transposeA,
          transposeB,
          count,
          n,
          k,
          1,
          a + start * (transposeA ? 1 : lda) * 4,
          lda,
          b,
          ldb,
        ] as const),
        ...([c + start * n * 4, n, false, scratch] as const),
      ],
    })
  else
    heap.parallelFor(kernels, 'sgemm', {
      ...{ length: n, cost: productCost(m, 1, k), multiple: 8, scratch: sgemmScratch(m, n, k) },
      parameters: (start, count, scratch) => [
        ...([
          transposeA,
          transposeB,
          m,
          count,
          k,
          1,
          a,
          lda,
          b + start * (transposeB ? ldb : 1) * 4,
          ldb,
        ] as const),
        ...([c + start * 4, n, false, scratch] as const),
      ],
    })
}

/** For each batch of the output, the index of the operand's batch. */
function batchIndices(operand: number[], batch: number[]): number[] {
  let indices = [0]
  const padded = [...new Array<number>(batch.length - operand.length).fill(1), ...operand]
  batch.forEach((length, axis) => {
    const own = padded[axis]!
    indices = indices.flatMap((index) => Array.from({ length }, (_, i) => index * own + (own === 1 ? 0 : i)))
  })
  return indices
}

const isFloat = (...tensors: tf.TensorInfo[]) => tensors.every(({ dtype }) => dtype === 'float32')

export const batchMatMulKernel = wasmKernel<{ a: tf.TensorInfo; b: tf.TensorInfo }, Transposition>(
  'BatchMatMul',
  ({ heap, wasm, inputs: { a, b }, attrs, stock }) =>
    isFloat(a, b) ? product(heap, wasm, a, b, attrs) : stock(),
)

export const fusedMatMulKernel = wasmKernel<FusedInputs, FusedAttributes>(
  '_FusedMatMul',
  ({ heap, wasm, inputs: { a, b, bias, preluActivationWeights: slopes }, attrs, stock }) => {
    const code = activationCodes[attrs.activation]
    if (!isFloat(a, b) || code === undefined) return stock()
    const y = product(heap, wasm, a, b, attrs)
    const n = y.shape.at(-1)!
    const size = tf.util.sizeFromShape(y.shape)
    const isRow = (info: tf.TensorInfo) => tf.util.sizeFromShape(info.shape) === n && info.shape.at(-1) === n
    if ((bias && !isRow(bias)) || (slopes && !isRow(slopes)))
      return generalBias(y, bias, slopes, attrs.activation, attrs.leakyreluAlpha)
    if (size > 0 && (bias || code))
      wasm.biasActivation(
        code,
        y.pointer,
        size / n,
        n,
        bias ? heap.pointer(bias) : 0,
        slopes ? heap.pointer(slopes) : 0,
        attrs.leakyreluAlpha ?? 0.2,
      )
    return y
  },
)

/** Bias or slopes that are not one row: anything that broadcasts. */
function generalBias(
  product: tf.TensorInfo,
  bias: tf.TensorInfo | undefined,
  slopes: tf.TensorInfo | undefined,
  activation: string,
  leakyreluAlpha = 0.2,
): tf.Tensor {
  return tf.tidy(() => {
    const tensor = (info: tf.TensorInfo) =>
      info instanceof tf.Tensor ? info : tf.engine().makeTensorFromTensorInfo(info)
    let y = tensor(product)
    if (bias) y = tf.add(y, tensor(bias))
    switch (activation) {
      case 'relu':
        return tf.relu(y)
      case 'relu6':
        return tf.relu6(y)
      case 'prelu':
        return tf.prelu(y, tensor(slopes!))
      case 'leakyrelu':
        return tf.leakyRelu(y, leakyreluAlpha)
      case 'sigmoid':
        return tf.sigmoid(y)
      case 'elu':
        return tf.elu(y)
      default:
        return y
    }
  })
}
