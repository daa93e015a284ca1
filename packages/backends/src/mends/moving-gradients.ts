/**
 * Gradients of ops that only move elements: send the elements' own positions through the op, then add each element of
 * the output's gradient at the position that it came from.
 */
import * as tf from '@tensorflow/tfjs-core'

/** Adds `values` at flat `positions` of a tensor of `shape`. */
export function addAt(positions: tf.Tensor, values: tf.Tensor, shape: number[]): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1)
  if (values.size === 0) return tf.zeros(shape)
  const indices = tf.reshape(positions, [-1, 1]) as tf.Tensor2D
  return tf.reshape(tf.scatterND(indices, tf.reshape(values, [-1]), [size]), shape)
}

/** The position of every element, as int32 in the shape of the tensor. */
const positionsIn = (shape: number[]) =>
  tf.reshape(
    tf.range(
      0,
      shape.reduce((a, b) => a * b, 1),
      1,
      'int32',
    ),
    shape,
  )

const movedBy = (
  kernelName: string,
  move: (positions: tf.Tensor, attrs: tf.NamedAttrMap) => tf.Tensor,
): tf.GradConfig => ({
  kernelName,
  inputsToSave: ['x'],
  gradFunc: (dy, saved, attrs) => {
    const shape = saved[0]!.shape
    return { x: () => addAt(move(positionsIn(shape), attrs), dy as tf.Tensor, shape) }
  },
})

export const stridedSliceGradient = movedBy('StridedSlice', (x, attrs) =>
  tf.engine().runKernel('StridedSlice', { x }, attrs),
)

/** tfjs cuts the border off and drops what was mirrored into it. */
export const mirrorPadGradient = movedBy('MirrorPad', (x, attrs) => {
  const { paddings, mode } = attrs as { paddings: [number, number][]; mode: 'reflect' | 'symmetric' }
  return tf.mirrorPad(x, paddings, mode)
})

export const topKGradient: tf.GradConfig = {
  kernelName: 'TopK',
  inputsToSave: ['x'],
  outputsToSave: [false, true],
  gradFunc: (dy, saved) => {
    const [x, indices] = saved as [tf.Tensor, tf.Tensor]
    const [values] = dy as tf.Tensor[]
    return {
      x: () => {
        const width = x.shape.at(-1)!
        const k = indices.shape.at(-1)!
        const rows = tf.range(0, x.size / width, 1, 'int32')
        const starts = tf.reshape(tf.mul(rows, tf.scalar(width, 'int32')), [-1, 1])
        return addAt(tf.add(starts, tf.reshape(indices, [-1, k])), values!, x.shape)
      },
    }
  },
}

export const diagGradient: tf.GradConfig = {
  kernelName: 'Diag',
  inputsToSave: ['x'],
  gradFunc: (dy, saved) => {
    const [x] = saved as [tf.Tensor]
    const diagonal = () => tf.range(0, x.size * x.size, x.size + 1, 'int32')
    return { x: () => tf.reshape(tf.gather(tf.reshape(dy as tf.Tensor, [-1]), diagonal()), x.shape) }
  },
}

/** Any rank: tfjs stops at four, and adds one slice per repetition. */
export const tileGradient: tf.GradConfig = {
  kernelName: 'Tile',
  inputsToSave: ['x'],
  gradFunc: (dy, saved, attrs) => {
    const [x] = saved as [tf.Tensor]
    const { reps } = attrs as { reps: number[] }
    return {
      x: () => {
        // One axis at a time keeps the rank at three: [before, repetitions, size and after].
        let gradient = dy as tf.Tensor
        const shape = gradient.shape.slice()
        for (const [axis, count] of reps.entries()) {
          if (count === 1) continue
          const before = shape.slice(0, axis).reduce((a, b) => a * b, 1)
          gradient = tf.sum(tf.reshape(gradient, [before, count, -1]), 1)
          shape[axis] = x.shape[axis]!
        }
        return tf.reshape(gradient, x.shape)
      },
    }
  },
}

/** Space to depth. */
export const depthToSpaceGradient: tf.GradConfig = {
  kernelName: 'DepthToSpace',
  inputsToSave: ['x'],
  gradFunc: (dy, saved, attrs) => {
    const [x] = saved as [tf.Tensor]
    const { blockSize: block, dataFormat } = attrs as { blockSize: number; dataFormat: 'NHWC' | 'NCHW' }
    const spaceToDepth = (y: tf.Tensor) => {
      const [batch, height, width, depth] = y.shape as [number, number, number, number]
      const rows = tf.reshape(y, [(batch * height) / block, block, width / block, block * depth])
      return tf.reshape(tf.transpose(rows, [0, 2, 1, 3]), [
        batch,
        height / block,
        width / block,
        block * block * depth,
      ])
    }
    return {
      x: () => {
        if (dataFormat !== 'NCHW') return spaceToDepth(dy as tf.Tensor)
        const channelsLast = spaceToDepth(tf.transpose(dy as tf.Tensor, [0, 2, 3, 1]))
        return tf.reshape(tf.transpose(channelsLast, [0, 3, 1, 2]), x.shape)
      },
    }
  },
}

/** With a single part, tfjs passes its gradient alone instead of an array. */
export const unpackGradient: tf.GradConfig = {
  kernelName: 'Unpack',
  gradFunc: (dy, _, attrs) => ({
    value: () => tf.stack(Array.isArray(dy) ? dy : [dy], attrs.axis as number),
  }),
}
