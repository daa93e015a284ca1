/**
 * Einsum as transposes around one batched matrix product. Labels fall into four groups: in both inputs and the output
 * (batch), in both inputs only (contracted), in one input and the output (rows, columns), in one input only (summed first).
 */
import * as tf from '@tensorflow/tfjs-core'
import { composedKernel } from './composed-kernel'

export interface Equation {
  /** One string of labels per input. */
  inputs: string[]
  output: string
}

/** Splits 'ij, jk -> ik'. tfjs has checked the equation's form before a kernel or gradient sees it. */
export function parseEquation(equation: string): Equation {
  const [left, output] = equation.replace(/\s/g, '').split('->') as [string, string]
  return { inputs: left.split(','), output }
}

/** Sums over the labels that `kept` lacks, then orders the rest as in `kept`. */
export function sumAndTranspose(x: tf.Tensor, labels: string, kept: string): tf.Tensor {
  const summed = [...labels].flatMap((label, axis) => (kept.includes(label) ? [] : [axis]))
  const rest = [...labels].filter((label) => kept.includes(label)).join('')
  const reduced = summed.length ? tf.sum(x, summed) : x
  return rest === kept
    ? tf.clone(reduced)
    : tf.transpose(
        reduced,
        [...kept].map((label) => rest.indexOf(label)),
      )
}

const product = (sizes: number[]) => sizes.reduce((a, b) => a * b, 1)

function contract(a: tf.Tensor, b: tf.Tensor, { inputs, output }: Equation): tf.Tensor {
  const [inA, inB] = inputs as [string, string]
  const sizes = new Map<string, number>()
  for (const [labels, tensor] of [
    [inA, a],
    [inB, b],
  ] as const)
    for (const [axis, label] of [...labels].entries()) sizes.set(label, tensor.shape[axis]!)
  const shapeOf = (labels: string) => [...labels].map((label) => sizes.get(label)!)
  const pick = (labels: string, test: (label: string) => boolean) => [...labels].filter(test).join('')

  const batch = pick(output, (l) => inA.includes(l) && inB.includes(l))
  const contracted = pick(inA, (l) => inB.includes(l) && !output.includes(l))
  const rows = pick(output, (l) => inA.includes(l) && !inB.includes(l))
  const columns = pick(output, (l) => inB.includes(l) && !inA.includes(l))
  const result = batch + rows + columns

  if (a.dtype !== 'float32' || b.dtype !== 'float32') {
    // Matrix products of integers are rounded (or missing) on most backends; a broadcast product is exact.
    const all = result + contracted
    const expand = (x: tf.Tensor, labels: string) => {
      const own = pick(all, (l) => labels.includes(l))
      const shape = [...all].map((l) => (labels.includes(l) ? sizes.get(l)! : 1))
      return tf.reshape(sumAndTranspose(x, labels, own), shape)
    }
    const products = tf.mul(expand(a, inA), expand(b, inB))
    return sumAndTranspose(products, all, output)
  }

  const left = sumAndTranspose(a, inA, batch + rows + contracted)
  const right = sumAndTranspose(b, inB, batch + contracted + columns)
  const [nBatch, nRows, nContracted, nColumns] = [batch, rows, contracted, columns].map((labels) =>
    product(shapeOf(labels)),
  ) as [number, number, number, number]
  const multiplied = tf.matMul(
    tf.reshape(left, [nBatch, nRows, nContracted]),
    tf.reshape(right, [nBatch, nContracted, nColumns]),
  )
  return sumAndTranspose(tf.reshape(multiplied, shapeOf(result)), result, output)
}

/** `tf.einsum` with one or two inputs. */
export function einsum(tensors: tf.Tensor[], equation: string): tf.Tensor {
  const parsed = parseEquation(equation)
  // tfjs checks labels, repeated axes, ellipses and the number of inputs here, with its own error texts.
  const { idDims, allDims } = tf.backend_util.decodeEinsumEquation(equation, tensors.length)
  tf.backend_util.checkEinsumDimSizes(allDims.length, idDims, tensors)
  const [a, b] = tensors as [tf.Tensor, tf.Tensor?]
  return b ? contract(a, b, parsed) : sumAndTranspose(a, parsed.inputs[0]!, parsed.output)
}

export const einsumKernel = composedKernel((inputs: Record<string, tf.Tensor>, attrs: { equation: string }) =>
  einsum(Object.values(inputs), attrs.equation),
)
