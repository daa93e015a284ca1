import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, describeOp, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { defineOp } from './define-op'

interface Affine {
  x: tf.Tensor
  bias?: tf.Tensor
}

/** Optional input, no gradient: tfjs differentiates the reference. The kernel stands in for a fast one. */
const affine = defineOp<Affine, { scale: number }, tf.Tensor>({
  name: 'backends-test/Affine',
  reference: ({ x, bias }, { scale }) => {
    const scaled = tf.mul(x, scale)
    return bias ? tf.add(scaled, bias) : scaled
  },
  kernels: {
    wasm: {
      when: ({ x }) => x.size > 1,
      run: ({ heap, inputs: { x, bias }, attrs: { scale } }) => {
        const y = heap.output(x.shape)
        const xs = heap.floats(heap.pointer(x), x.size)
        const bs = bias && heap.floats(heap.pointer(bias), x.size)
        heap.floats(y.pointer, x.size).set(xs.map((v, i) => v * scale + (bs?.[i] ?? 0)))
        return y
      },
    },
    webgpu: {
      when: ({ x }) => x.size > 1,
      run: ({ run, inputs: { x, bias }, attrs: { scale } }) =>
        run(
          {
            name: 'backends-test/Affine',
            inputs: bias ? ['x', 'bias'] : ['x'],
            outputShape: x.shape,
            uniforms: 'scale : f32,',
            wgsl: `fn main(index : i32) {
              if (index < uniforms.size) {
                result[index] = x[index] * uniforms.scale ${bias ? '+ bias[index]' : ''};
              }
            }`,
          },
          bias ? [x, bias] : [x],
          { uniforms: [{ type: 'float32', data: [scale] }] },
        ),
    },
  },
})

/** Two outputs, both differentiable, and a gradient that is only computed when needed. */
let lateGradients = 0
const sumAndProduct = defineOp<{ a: tf.Tensor; b: tf.Tensor }, void, [tf.Tensor, tf.Tensor]>({
  name: 'backends-test/SumAndProduct',
  reference: ({ a, b }) => [tf.add(a, b), tf.mul(a, b)],
  gradient: ({ dys: [sum, product], inputs: { a, b } }) => ({
    a: tf.add(sum!, tf.mul(product!, b)),
    b: () => {
      lateGradients++
      return tf.add(sum!, tf.mul(product!, a))
    },
  }),
})

const row = (...values: number[]) => tf.tensor1d(values)

describeOp(affine, [
  { title: 'with bias', inputs: () => ({ x: row(1, -2, 3), bias: row(4, 5, 6) }), attrs: { scale: 2 } },
  { title: 'without bias', inputs: () => ({ x: row(1, -2, 3) }), attrs: { scale: -1 } },
  { title: 'too small for the kernel', inputs: () => ({ x: row(7), bias: row(1) }), attrs: { scale: 2 } },
  { title: 'NaN', inputs: () => ({ x: row(Number.NaN, 1) }), attrs: { scale: 2 } },
])

describeOp(sumAndProduct, [
  { title: 'pairs', inputs: () => ({ a: row(1, -2), b: row(3, 4) }), attrs: undefined },
  { title: 'one tensor twice', inputs: () => twice(row(5, 6)), attrs: undefined },
])

const twice = (a: tf.Tensor) => ({ a, b: a })

describeBackends('defineOp', (backend) => {
  it('computes a lazy gradient only when it is needed', () => {
    tf.tidy(() => {
      const b = row(3, 4)
      lateGradients = 0
      const dx = tf.grad((a) => tf.sum(sumAndProduct({ a, b })[1]))(row(1, 2))
      expectClose(dx, { shape: [2], data: [3, 4] })
      expect(lateGradients).toBe(0)
    })
  })

  it('shows by name in profiles where a kernel runs', async () => {
    const x = row(1, 2)
    const { kernelNames } = await tf.profile(() => affine({ x }, { scale: 2 }))
    expect(kernelNames.includes(affine.opName)).toBe(affine.backends.includes(backend))
  })

  it('gives zeros for an input that the reference does not depend on', () => {
    const first = defineOp<{ a: tf.Tensor; unused: tf.Tensor }, void, tf.Tensor>({
      name: 'backends-test/First',
      reference: ({ a }) => tf.square(a),
      kernels: { wasm: ({ heap, inputs: { a } }) => heap.output(a.shape) },
    })
    tf.tidy(() => {
      const run = () => tf.grads((a, unused) => first({ a: a!, unused: unused! }))([row(3), row(1)])
      if (backend !== 'wasm')
        expect(run).toThrow('Cannot compute gradient') // as with the plain ops
      else expectClose(run()[1]!, { shape: [1], data: [0] })
    })
  })

  it('gives the caller a tensor of its own when the reference returns its input', () =>
    expectNoTensorLeak(() => {
      const same = defineOp<{ x: tf.Tensor }, void, tf.Tensor>({
        name: 'backends-test/Same',
        reference: ({ x }) => x,
        gradient: ({ dy }) => ({ x: tf.mul(dy, 2) }),
      })
      tf.tidy(() => {
        const x = row(1, 2)
        same({ x }).dispose()
        expectClose(tf.grad((v) => same({ x: v }))(x), { shape: [2], data: [2, 2] })
      })
    }))

  it('names the gradient that a definition forgot', () => {
    const half = defineOp<{ a: tf.Tensor; b: tf.Tensor }, void, tf.Tensor>({
      name: 'backends-test/Half',
      reference: ({ a, b }) => tf.mul(a, b),
      gradient: ({ dy, inputs: { b } }) => ({ a: tf.mul(dy, b) }),
    })
    tf.tidy(() => {
      expect(() => tf.grads((a, b) => half({ a: a!, b: b! }))([row(1), row(2)])).toThrow(
        "backends-test/Half: `gradient` must return the gradient of 'b'.",
      )
    })
  })

  if (backend === 'webgpu')
    it('compiles extensions of WGSL that the device has', () => {
      const rotated = defineOp<{ x: tf.Tensor }, void, tf.Tensor>({
        name: 'backends-test/Rotated',
        reference: ({ x }) => tf.concat([tf.slice(x, 1), tf.slice(x, 0, 1)]),
        kernels: {
          webgpu: {
            when: () => true,
            run: ({ run, features, inputs: { x } }) => {
              expect(features.has('subgroups')).toBe(true) // SwiftShader's has
              const wgsl = `fn main(index : i32) {
                let next = subgroupShuffle(x[min(index, uniforms.size - 1)], u32(index + 1) % 4);
                if (index < uniforms.size) { result[index] = next; }
              }`
              const program = { name: 'backends-test/Rotated', inputs: ['x'], outputShape: x.shape, wgsl }
              return run({ ...program, enable: ['subgroups'] }, [x])
            },
          },
        },
      })
      tf.tidy(() => expectClose(rotated({ x: row(1, 2, 3, 4) }), { shape: [4], data: [2, 3, 4, 1] }))
    })

  it('works in an optimizer step', () => {
    const weight = tf.variable(row(1, 1))
    const optimizer = tf.train.sgd(0.1)
    const cost = optimizer.minimize(
      () => tf.sum(affine({ x: weight, bias: row(1, 2) }, { scale: 3 })) as tf.Scalar,
      true,
    )
    expectClose(cost!, { shape: [], data: [9] })
    expectClose(weight, { shape: [2], data: [0.7, 0.7] })
    tf.dispose([weight, cost!])
    optimizer.dispose()
  })
})
