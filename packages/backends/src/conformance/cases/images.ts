/** Convolutions, pooling, resizing, spectra. */
import * as tf from '@tensorflow/tfjs-core'
import type { Input, OpCase } from '../op-case'

const mat = (...shape: number[]): Input => ({ shape })

const convolutions: OpCase[] = [
  {
    name: 'conv1d',
    run: (x, w) => tf.conv1d(x as tf.Tensor3D, w as tf.Tensor3D, 2, 'same'),
    inputs: [mat(2, 7, 3), mat(3, 3, 4)],
  },
  {
    name: 'conv1d, dilated',
    run: (x, w) => tf.conv1d(x as tf.Tensor3D, w as tf.Tensor3D, 1, 'same', 'NWC', 2),
    inputs: [mat(2, 7, 3), mat(3, 3, 4)],
  },
  {
    name: 'conv2d',
    run: (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same'),
    inputs: [mat(2, 5, 6, 3), mat(3, 3, 3, 4)],
  },
  {
    name: 'conv2d, 1x1',
    run: (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'valid'),
    inputs: [mat(2, 5, 6, 3), mat(1, 1, 3, 4)],
  },
  {
    name: 'conv2d, stride 2',
    run: (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, 'valid'),
    inputs: [mat(2, 6, 7, 3), mat(3, 3, 3, 4)],
  },
  {
    name: 'conv2d, dilated',
    run: (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same', 'NHWC', [2, 1]),
    inputs: [mat(2, 6, 5, 3), mat(3, 2, 3, 4)],
  },
  {
    name: 'conv2d, numeric padding and a wide kernel',
    run: (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, [2, 1], 1),
    inputs: [mat(1, 5, 6, 2), mat(1, 3, 2, 3)],
    corruptsStock: ['wasm'],
  },
  {
    name: 'conv2dTranspose',
    run: (x, w) => tf.conv2dTranspose(x as tf.Tensor4D, w as tf.Tensor4D, [2, 6, 8, 4], 2, 'same'),
    inputs: [mat(2, 3, 4, 3), mat(3, 3, 4, 3)],
  },
  {
    name: 'depthwiseConv2d',
    run: (x, w) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same'),
    inputs: [mat(2, 5, 6, 3), mat(3, 3, 3, 2)],
  },
  {
    name: 'depthwiseConv2d, stride 2',
    run: (x, w) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, 'valid'),
    inputs: [mat(2, 6, 7, 3), mat(3, 3, 3, 1)],
  },
  {
    name: 'depthwiseConv2d, dilated',
    run: (x, w) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same', 'NHWC', 2),
    inputs: [mat(1, 7, 6, 3), mat(3, 3, 3, 2)],
  },
  {
    name: 'separableConv2d',
    run: (x, d, p) => tf.separableConv2d(x as tf.Tensor4D, d as tf.Tensor4D, p as tf.Tensor4D, 1, 'same'),
    inputs: [mat(1, 5, 4, 2), mat(3, 3, 2, 2), mat(1, 1, 4, 3)],
  },
  {
    name: 'conv3d',
    run: (x, w) => tf.conv3d(x as tf.Tensor5D, w as tf.Tensor5D, 1, 'same'),
    inputs: [mat(1, 4, 4, 3, 2), mat(2, 3, 2, 2, 3)],
  },
  {
    name: 'conv3d, stride 2',
    run: (x, w) => tf.conv3d(x as tf.Tensor5D, w as tf.Tensor5D, 2, 'valid'),
    inputs: [mat(2, 5, 5, 4, 2), mat(2, 3, 2, 2, 2)],
  },
  {
    name: 'conv3dTranspose',
    run: (x, w) => tf.conv3dTranspose(x as tf.Tensor5D, w as tf.Tensor5D, [1, 4, 4, 6, 2], 2, 'same'),
    inputs: [mat(1, 2, 2, 3, 2), mat(2, 3, 2, 2, 2)],
  },
  {
    name: 'fused conv2d',
    run: (x, filter, bias) =>
      tf.fused.conv2d({
        x: x as tf.Tensor4D,
        filter: filter as tf.Tensor4D,
        strides: 1,
        pad: 'same',
        bias,
        activation: 'relu',
      }),
    inputs: [mat(1, 5, 6, 3), mat(3, 3, 3, 4), mat(4)],
    gradient: false,
  },
]

/** Negative everywhere: a running maximum that starts at the smallest positive float is wrong. */
const negative: Input = {
  shape: [2, 4, 5, 2],
  values: Array.from({ length: 80 }, (_, i) => -((i * 37) % 80) * 0.1 - 0.5),
}
const negative3d: Input = {
  shape: [1, 4, 4, 4, 2],
  values: Array.from({ length: 128 }, (_, i) => -((i * 37) % 128) * 0.1 - 0.5),
}

const pooling: OpCase[] = [
  {
    name: 'maxPool',
    run: (x) => tf.maxPool(x as tf.Tensor4D, 2, 2, 'valid'),
    inputs: [{ shape: [2, 4, 5, 2], distinct: true }],
  },
  {
    name: 'maxPool, overlapping, negative',
    run: (x) => tf.maxPool(x as tf.Tensor4D, 3, 1, 'same'),
    inputs: [negative],
  },
  { name: 'avgPool', run: (x) => tf.avgPool(x as tf.Tensor4D, 2, 2, 'valid'), inputs: [mat(2, 4, 6, 2)] },
  {
    name: 'avgPool, same',
    run: (x) => tf.avgPool(x as tf.Tensor4D, 3, 2, 'same'),
    inputs: [mat(2, 5, 6, 2)],
  },
  {
    name: 'maxPoolWithArgmax',
    run: (x) => Object.values(tf.maxPoolWithArgmax(x as tf.Tensor4D, 2, 2, 'same')),
    inputs: [negative],
    gradient: false,
  },
  {
    name: 'maxPool3d, negative',
    run: (x) => tf.maxPool3d(x as tf.Tensor5D, 2, 2, 'valid'),
    inputs: [negative3d],
  },
  {
    name: 'maxPool3d, overlapping',
    only: ['cpu', 'wasm'],
    run: (x) => tf.maxPool3d(x as tf.Tensor5D, [2, 3, 2], 1, 'same'),
    inputs: [negative3d],
  },
  {
    name: 'avgPool3d',
    run: (x) => tf.avgPool3d(x as tf.Tensor5D, 2, 2, 'valid'),
    inputs: [mat(1, 4, 4, 4, 2)],
  },
  {
    name: 'avgPool3d, same',
    run: (x) => tf.avgPool3d(x as tf.Tensor5D, 2, 2, 'same'),
    inputs: [mat(1, 3, 5, 3, 2)],
  },
  {
    name: 'dilation2d',
    run: (x, w) => tf.dilation2d(x as tf.Tensor4D, w as tf.Tensor3D, 1, 'valid'),
    inputs: [
      { shape: [1, 4, 5, 2], values: Array.from({ length: 40 }, (_, i) => -((i * 23) % 40) * 0.1 - 4) },
      { shape: [2, 2, 2], values: [0.03, 0.06, 0.01, 0.02, 0.04, 0.05, 0.07, 0.08].map((v) => v / 8) },
    ],
  },
]

const resizes: OpCase[] = [
  ...[
    [5, 7],
    [2, 3],
  ].flatMap((size) =>
    (
      [
        ['', false, false],
        [', aligned corners', true, false],
        [', half-pixel centres', false, true],
      ] as const
    ).flatMap(([label, alignCorners, halfPixelCenters]): OpCase[] => [
      {
        name: `resizeBilinear to ${size}${label}`,
        run: (x) =>
          tf.image.resizeBilinear(x as tf.Tensor4D, size as [number, number], alignCorners, halfPixelCenters),
        inputs: [mat(2, 4, 3, 2)],
      },
      {
        name: `resizeNearestNeighbor to ${size}${label}`,
        run: (x) =>
          tf.image.resizeNearestNeighbor(
            x as tf.Tensor4D,
            size as [number, number],
            alignCorners,
            halfPixelCenters,
          ),
        inputs: [mat(2, 4, 3, 2)],
      },
    ]),
  ),
  ...(['bilinear', 'nearest'] as const).map(
    (method): OpCase => ({
      name: `cropAndResize, ${method}`,
      run: (x, boxes, of) =>
        tf.image.cropAndResize(x as tf.Tensor4D, boxes as tf.Tensor2D, of as tf.Tensor1D, [3, 2], method),
      inputs: [
        mat(2, 4, 5, 2),
        { shape: [3, 4], values: [0.15, 0, 0.9, 0.7, 0.3, 0.2, 1.2, 0.9, 0, 0, 0.8, 1], constant: true },
        { shape: [3], values: [0, 1, 1], dtype: 'int32' },
      ],
    }),
  ),
]

const spectra: OpCase[] = [8, 6, 7]
  .flatMap((n): OpCase[] => [
    {
      name: `fft, length ${n}`,
      run: (re, im) => {
        const y = tf.spectral.fft(tf.complex(re, im))
        return [tf.real(y), tf.imag(y)]
      },
      inputs: [mat(2, n), mat(2, n)],
      gradient: false,
    },
    {
      name: `ifft, length ${n}`,
      run: (re, im) => {
        const y = tf.spectral.ifft(tf.complex(re, im))
        return [tf.real(y), tf.imag(y)]
      },
      inputs: [mat(2, n), mat(2, n)],
      gradient: false,
    },
    {
      name: `rfft, length ${n}`,
      run: (x) => {
        const y = tf.spectral.rfft(x)
        return [tf.real(y), tf.imag(y)]
      },
      inputs: [mat(2, n)],
      gradient: false,
    },
    {
      name: `irfft of ${n} bins`,
      run: (re, im) => tf.spectral.irfft(tf.complex(re, im)),
      inputs: [mat(2, n), mat(2, n)],
      gradient: false,
    },
  ])
  .concat([
    {
      name: 'abs of complex',
      run: (re, im) => tf.abs(tf.complex(re, im)),
      inputs: [mat(5), mat(5)],
      gradient: false,
    },
    {
      name: 'complex data',
      run: (re, im) => tf.real(tf.reshape(tf.complex(re, im), [3, 2])),
      inputs: [mat(6), mat(6)],
      gradient: false,
    },
    {
      name: 'stft',
      run: (x) => {
        const y = tf.signal.stft(x as tf.Tensor1D, 8, 4, 8)
        return [tf.real(y), tf.imag(y)]
      },
      inputs: [mat(20)],
      gradient: false,
    },
  ])

export const imageCases: OpCase[] = [...convolutions, ...pooling, ...resizes, ...spectra]
