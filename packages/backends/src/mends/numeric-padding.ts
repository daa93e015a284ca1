/**
 * `pad: 1` sizes the output of a convolution or pool by the height's kernel, stride and dilation in both directions, so
 * anything not square has the wrong width; tfjs-wasm then writes the right number of columns into a buffer of the wrong size and
 * corrupts its heap. The same padding, written out, is computed per direction.
 */
import type { KernelFunc } from '@tensorflow/tfjs-core'

export const paddedKernels = [
  'AvgPool',
  'AvgPoolGrad',
  'Conv2D',
  'Conv2DBackpropFilter',
  'Conv2DBackpropInput',
  'DepthwiseConv2dNative',
  'DepthwiseConv2dNativeBackpropFilter',
  'DepthwiseConv2dNativeBackpropInput',
  'FusedConv2D',
  'FusedDepthwiseConv2D',
  'MaxPool',
  'MaxPoolGrad',
]

export const numericPaddingAround =
  (present: KernelFunc): KernelFunc =>
  (params) => {
    const pad = params.attrs?.pad
    if (typeof pad !== 'number') return present(params)
    const [none, both] = [
      [0, 0],
      [pad, pad],
    ]
    const explicit = params.attrs!.dataFormat === 'NCHW' ? [none, none, both, both] : [none, both, both, none]
    return present({ ...params, attrs: { ...params.attrs, pad: explicit } })
  }
