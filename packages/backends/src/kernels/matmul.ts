/**
 * BatchMatMul and _FusedMatMul on `assembly/sgemm.ts`: all transpositions, broadcast batches, bias and activation.
 *
 * Stock wasm computes transposed and batched products element by element (1 to 2 GFLOP/s), and its fused product adds the
 * bias once per 48 columns of the inner dimension when an operand is transposed or batched.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { KernelExports } from '../generated/kernels'
import type { HeapTensor, WasmHeap } from '../heap/wasm-heap'
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

/** Codes in `assembly/activation.ts`. */
const activationCodes: Record<string, number> = {
  linear: 0,
  relu: 1,
  relu6: 2,
  prelu: 3,
  leakyrelu: 4,
  sigmoid: 5,
  elu: 6,
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
  const rows = single ? m * tf.util.sizeFromShape(batch) : m
  const indicesA = single ? [0] : batchIndices(batchA, batch)
  const indicesB = single ? [0] : batchIndices(batchB, batch)
  heap.scratch(wasm.sgemmScratch(rows, n, k), (scratch) => {
    for (let i = 0; i < indicesA.length; i++)
      wasm.sgemm(
        transposeA,
        transposeB,
        rows,
        n,
        k,
        1,
        pa + indicesA[i]! * m * k * 4,
        aColumns,
        pb + indicesB[i]! * k * n * 4,
        bColumns,
        out.pointer + i * m * n * 4,
        n,
        false,
        scratch,
      )
  })
  return out
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
