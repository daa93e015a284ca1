/** Rotary position embedding as an op. The equation and the two arrangements are in `../rotary-embedding.ts`. */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp, type Op } from '@tfgraft/backends'
import { kernels } from '../generated/kernels'

/** Which features form a pair: (2i, 2i + 1), or (i, i + width / 2). */
export type RotaryStyle = 'interleaved' | 'half-split'

export interface RotaryAttributes {
  style: RotaryStyle
  base: number
  /** Position of the first element of the sequence. */
  offset: number
  /** -1 turns back. */
  direction: 1 | -1
}

interface Table {
  length: number
  cos: Float32Array
  sin: Float32Array
}

/** Angles are the same for every layer and step of a model: kept by width and base, grown by length. */
const tables = new Map<string, Table>()

function table(length: number, width: number, base: number): Table {
  const key = `${width}:${base}`
  const known = tables.get(key)
  if (known && known.length >= length) return known
  const half = width / 2
  const size = Math.max(length, 2 * (known?.length ?? 0))
  const grown = { length: size, cos: new Float32Array(size * half), sin: new Float32Array(size * half) }
  for (let i = 0; i < half; i++) {
    const frequency = base ** ((-2 * i) / width)
    for (let position = 0; position < size; position++) {
      grown.cos[position * half + i] = Math.cos(position * frequency)
      grown.sin[position * half + i] = Math.sin(position * frequency)
    }
  }
  tables.set(key, grown)
  return grown
}

/** cos and sin of the angles of a sequence, `[length, width / 2]` each. */
function angles(
  length: number,
  width: number,
  { base, offset }: RotaryAttributes,
): [Float32Array, Float32Array] {
  const { cos, sin } = table(offset + length, width, base)
  const [from, to] = [(offset * width) / 2, ((offset + length) * width) / 2]
  return [cos.subarray(from, to), sin.subarray(from, to)]
}

function reference({ x }: { x: tf.Tensor }, attrs: RotaryAttributes): tf.Tensor {
  const [batch, length, heads, width] = x.shape as [number, number, number, number]
  const interleaved = attrs.style === 'interleaved'
  const half = [batch, length, heads, width / 2]
  const [cosines, sines] = angles(length, width, attrs)
  const cos = tf.tensor(cosines, [1, length, 1, width / 2])
  const sin = tf.mul(tf.tensor(sines, [1, length, 1, width / 2]), attrs.direction)
  const pairs = tf.reshape(x, [batch * length * heads, ...(interleaved ? [width / 2, 2] : [2, width / 2])])
  const [a, b] = tf.split(pairs, 2, interleaved ? 2 : 1).map((part) => tf.reshape(part, half)) as [
    tf.Tensor,
    tf.Tensor,
  ]
  const turned = [tf.sub(tf.mul(a, cos), tf.mul(b, sin)), tf.add(tf.mul(a, sin), tf.mul(b, cos))]
  const joined = interleaved
    ? tf.concat(
        turned.map((part) => tf.reshape(part, [-1, 1])),
        1,
      )
    : tf.concat(turned, 3)
  return tf.reshape(joined, x.shape)
}

/** Turns the feature pairs of `x` `[batch, length, heads, width]`. The gradient turns back. */
export const rotaryOp: Op<{ x: tf.Tensor }, RotaryAttributes, tf.Tensor> = defineOp({
  name: 'diff-attention/Rotary',
  reference,
  gradient: ({ dy, attrs }) => ({
    x: rotaryOp({ x: dy }, { ...attrs, direction: attrs.direction === 1 ? -1 : 1 }),
  }),
  kernels: {
    wasm: ({ heap, inputs: { x }, attrs }) => {
      const [batch, length, heads, width] = x.shape as [number, number, number, number]
      const [cos, sin] = angles(length, width, attrs)
      const y = heap.output(x.shape)
      heap.scratch(2 * cos.byteLength, (scratch) => {
        heap.floats(scratch, cos.length).set(cos)
        heap.floats(scratch + cos.byteLength, sin.length).set(sin)
        heap
          .kernels(kernels)
          .rotate(
            heap.pointer(x),
            y.pointer,
            batch * length,
            length,
            heads,
            width / 2,
            scratch,
            scratch + cos.byteLength,
            attrs.style === 'interleaved',
            attrs.direction,
          )
      })
      return y
    },
  },
})
