/**
 * A reversed running sum or product in tfjs-webgpu holds the row's length in its program but not in the program's cache key:
 * the second length runs the first one's program. Reversing before and after needs no reversed program.
 */
import * as tf from '@tensorflow/tfjs-core'
import { composedKernel } from '../training-kernels/composed-kernel'

export const reverseScanAround =
  (kernelName: 'Cumsum' | 'Cumprod') =>
  (present: tf.KernelFunc): tf.KernelFunc => {
    const flipped = composedKernel(({ x }: { x: tf.Tensor }, attrs: { axis: number; exclusive: boolean }) => {
      const [axis] = tf.util.parseAxisParam(attrs.axis, x.shape) as [number]
      const forward = { ...attrs, reverse: false } as unknown as tf.NamedAttrMap
      const scanned = tf.engine().runKernel(kernelName, { x: tf.reverse(x, axis) }, forward) as tf.Tensor
      return tf.reverse(scanned, axis)
    })
    return (params) => (params.attrs!.reverse ? flipped(params) : present(params))
  }
