/** Two shapes that broadcast, as few merged axes with a stride per operand. */
import * as tf from '@tensorflow/tfjs-core'

export interface BroadcastAxis {
  length: number
  /** Elements between neighbours, 0 where the operand is repeated. */
  a: number
  b: number
}

/** Neighbouring axes that both operands go through alike are one. Axes of length 1 do not count. */
export function broadcastAxes(a: readonly number[], b: readonly number[]): BroadcastAxis[] {
  const shape = tf.broadcast_util.assertAndGetBroadcastShape([...a], [...b])
  const axes: BroadcastAxis[] = []
  const strides = { a: 1, b: 1 }
  for (let i = 1; i <= shape.length; i++) {
    const length = shape[shape.length - i]!
    const own = { a: a[a.length - i] ?? 1, b: b[b.length - i] ?? 1 }
    if (length !== 1) {
      const axis = { length, a: own.a === 1 ? 0 : strides.a, b: own.b === 1 ? 0 : strides.b }
      const inner = axes[0]
      const continues = (key: 'a' | 'b') => axis[key] === inner![key] * inner!.length
      if (inner && continues('a') && continues('b')) inner.length *= length
      else axes.unshift(axis)
    }
    strides.a *= own.a
    strides.b *= own.b
  }
  return axes
}
