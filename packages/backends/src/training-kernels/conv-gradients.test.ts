import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { type ConvCase, convCases, describeConvCase } from './cases'
import { onBackend } from './on-backend'
import { withStock } from './register'

/** The reduction runs over as many products as the output has positions, in another order than on cpu. */
const tolerance = { rtol: 1e-4, atol: 2e-5 }

const run = (kernelName: string, inputs: tf.NamedTensorMap, attrs: object) =>
  tf.engine().runKernel(kernelName, inputs, attrs as tf.NamedAttrMap) as tf.Tensor

/** tfjs accepts a rounding mode beside numeric padding only. */
const roundingOf = (pad: ConvCase['pad']) => (typeof pad === 'string' ? undefined : 'floor')

const depthwise = ['DepthwiseConv2dNativeBackpropInput', 'DepthwiseConv2dNativeBackpropFilter']

const depthwiseOutput = ({ x, kernel, outputs, strides, dilations, pad }: ConvCase) =>
  tf.backend_util.computeConv2DInfo(
    x,
    [...kernel, x[3], outputs],
    strides,
    dilations,
    pad as 'same',
    roundingOf(pad),
    true,
  ).outShape

describeBackends('convolution gradients', (backend) => {
  for (const { x, kernel, outputs, strides, pad, ...rest } of convCases.filter((c) => c.dilations[0] === 1)) {
    it(`conv2d filter gradient equals tfjs-cpu: ${describeConvCase({ x, kernel, outputs, strides, pad, ...rest })}`, () => {
      const filterShape: [number, number, number, number] = [...kernel, x[3], outputs]
      const compute = () => {
        const images = tf.randomUniform(x, -1, 1, 'float32', 1) as tf.Tensor4D
        const filter = tf.randomUniform(filterShape, -1, 1, 'float32', 2) as tf.Tensor4D
        return tf.grad((w) => {
          const y = tf.conv2d(images, w as tf.Tensor4D, strides, pad as 'same', 'NHWC', 1, roundingOf(pad))
          return tf.sum(tf.mul(y, tf.randomUniform(y.shape, -1, 1, 'float32', 3)))
        })(filter)
      }
      const [expected] = onBackend('cpu', compute)
      expectClose(onBackend(backend, compute)[0]!, expected!, tolerance)
    })
  }

  for (const c of convCases) {
    const { x, kernel, outputs, strides, dilations, pad } = c
    const filterShape: [number, number, number, number] = [...kernel, x[3], outputs]
    const attrs = { strides, pad, dilations, dimRoundingMode: roundingOf(pad) }
    const images = () => tf.randomUniform(x, -1, 1, 'float32', 1) as tf.Tensor4D
    const filter = () => tf.randomUniform(filterShape, -1, 1, 'float32', 2) as tf.Tensor4D
    const dy = () => tf.randomUniform(depthwiseOutput(c), -1, 1, 'float32', 3) as tf.Tensor4D
    const gradients = () => [
      run('DepthwiseConv2dNativeBackpropInput', { dy: dy(), filter: filter() }, { ...attrs, inputShape: x }),
      run('DepthwiseConv2dNativeBackpropFilter', { x: images(), dy: dy() }, { ...attrs, filterShape }),
    ]

    // Stock tfjs-cpu ignores dilations in both, so there the truth is that each is the adjoint of a linear map.
    it(`depthwise gradients are the adjoints of the convolution: ${describeConvCase(c)}`, () => {
      tf.tidy(() => {
        const rounding = roundingOf(pad)
        const y = tf.depthwiseConv2d(images(), filter(), strides, pad as 'same', 'NHWC', dilations, rounding)
        const dot = (a: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(a, b))
        const [inputGradient, filterGradient] = gradients() as [tf.Tensor, tf.Tensor]
        expectClose(dot(images(), inputGradient), dot(y, dy()), { rtol: 1e-4, atol: 1e-4 })
        expectClose(dot(filter(), filterGradient), dot(y, dy()), { rtol: 1e-4, atol: 1e-4 })
      })
    })

    if (dilations[0] === 1)
      it(`depthwise gradients equal stock tfjs-cpu: ${describeConvCase(c)}`, () => {
        const stock = onBackend('cpu', () => withStock(gradients, depthwise))
        onBackend(backend, gradients).forEach((actual, i) => {
          expectClose(actual, stock[i]!, tolerance)
        })
      })
  }

  it('stock tfjs-cpu ignores dilations in the depthwise gradients', () => {
    const attrs = { strides: 1, pad: 'valid', dilations: [2, 2], inputShape: [1, 5, 5, 1] }
    const inputs = { dy: tf.ones([1, 1, 1, 1]), filter: tf.ones([3, 3, 1, 1]) }
    const compute = () => run(depthwise[0]!, inputs, attrs)
    const corner = 4 * 5 + 4
    expect(onBackend('cpu', () => withStock(compute, depthwise))[0]!.data[corner]).toBe(0)
    expect(onBackend('cpu', compute)[0]!.data[corner]).toBe(1)
    tf.dispose(inputs)
  })

  it('a convolution whose rounding mode reads beyond the padded image has the right filter gradient', () => {
    const compute = () => {
      const image = tf.randomUniform([1, 6, 6, 2], -1, 1, 'float32', 1) as tf.Tensor4D
      const dy = tf.randomUniform([1, 3, 3, 3], -1, 1, 'float32', 2) as tf.Tensor4D
      const attrs = {
        strides: [2, 2],
        pad: 0,
        dataFormat: 'NHWC',
        dimRoundingMode: 'ceil',
        filterShape: [3, 3, 2, 3],
      }
      return run('Conv2DBackpropFilter', { x: image, dy }, attrs)
    }
    const [expected] = onBackend('cpu', compute)
    expectClose(onBackend(backend, compute)[0]!, expected!, tolerance)
  })

  it('a kernel leaves nothing behind but its result', async () => {
    const image = tf.ones([1, 6, 6, 2]) as tf.Tensor4D
    const dy = tf.ones([1, 6, 6, 3]) as tf.Tensor4D
    await expectNoTensorLeak(() =>
      tf.tidy(() => {
        const attrs = { strides: 1, pad: 'same', dataFormat: 'NHWC', filterShape: [3, 3, 2, 3] }
        run('Conv2DBackpropFilter', { x: image, dy }, attrs)
      }),
    )
    tf.dispose([image, dy])
  })
})

describeBackends('stock tfjs-wasm', () => {
  it.each([
    'Conv2DBackpropFilter',
    'DepthwiseConv2dNativeBackpropInput',
    'DepthwiseConv2dNativeBackpropFilter',
    'Einsum',
    'UnsortedSegmentSum',
  ])('has no %s', (kernelName) => {
    const get = () => tf.getKernel(kernelName, 'wasm') as tf.KernelConfig | undefined
    expect(get()).toBeDefined()
    expect(withStock(get, [kernelName])).toBeUndefined()
    expect(get()).toBeDefined()
  })
}, ['wasm'])
