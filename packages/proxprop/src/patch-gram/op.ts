/**
 * A'A and A'1 for the patch matrix A of a 2-D convolution: all that conjugate gradient, or the exact solver in primal
 * form, needs to know of the input. On wasm at stride 1 the patches are never made, see `assembly/patch-gram.ts`.
 */
import * as tf from '@tensorflow/tfjs-core'
import { defineOp } from '@tfgraft/backends'
import { kernels } from '../generated/kernels'
import { along, type ConvGeometry, patches } from '../patches'

interface Inputs {
  /** NHWC images, [n, h, w, channels]. */
  x: tf.Tensor4D
}

/** Whether the sums can be made without the patches: neighbours of neighbours are neighbours. */
const hasUnitSteps = ({ strides, dilationRate }: ConvGeometry) => Math.max(...strides, ...dilationRate) === 1

export const patchGramOp = defineOp<Inputs, ConvGeometry, [gram: tf.Tensor2D, sums: tf.Tensor1D]>({
  name: 'proxprop/PatchGram',
  reference: ({ x }, geometry) => {
    const a = patches(x, geometry)
    return [tf.matMul(a, a, true) as tf.Tensor2D, tf.sum(a, 0) as tf.Tensor1D]
  },
  kernels: {
    wasm: {
      when: (_inputs, geometry) => hasUnitSteps(geometry),
      run: ({ heap, inputs: { x }, attrs }) => {
        const [n, height, width, channels] = x.shape
        const { kernelSize, padding } = attrs
        const [kh, kw] = kernelSize
        const d = kh * kw * channels
        const y = along(height, kh, 1, 1, padding)
        const z = along(width, kw, 1, 1, padding)
        const [gram, sums] = [heap.output([d, d]), heap.output([d])]
        const { patchGram, patchGramScratch } = heap.kernels(kernels)
        const geometry = [n, height, width, channels, kh, kw, y.before, z.before, y.length, z.length] as const
        heap.scratch(patchGramScratch(...geometry), (work) =>
          patchGram(heap.pointer(x), gram.pointer, sums.pointer, work, ...geometry),
        )
        return [gram, sums]
      },
    },
  },
})

/** Multiplications of `patchGramOp` per output position, about; a product with the patches costs d times filters. */
export function patchGramCost(geometry: ConvGeometry, channels: number): number {
  const [kh, kw] = geometry.kernelSize
  if (tf.getBackend() === 'wasm' && hasUnitSteps(geometry)) return kh * (2 * kw - 1) * channels ** 2
  return 2 * (kh * kw * channels) ** 2 // the patches come on top of the product
}
