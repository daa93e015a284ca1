import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose, expectLayerContract } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import type { LinearLayer } from './linear-layer'
import type { ProximalOptions } from './options'
import { proxConv2d } from './prox-conv2d'
import { type ProximalLayerClass, proximalLayer } from './proximal-layer'

const { layers } = tfl
const stride = 2

/** A stock tfjs has no einsum layer: z[b, t, h, e] = sum_d x[b, t, d] W[d, h, e] + b[h, e]. */
class EinsumDense extends layers.Layer {
  static className = 'EinsumDenseForTest'
  constructor(private readonly config: { heads: number; size: number; name?: string }) {
    super(config as object)
  }
  override build(shape: tfl.Shape): void {
    const { heads, size } = this.config
    const initializer = tfl.initializers.glorotNormal({ seed: 1 })
    this.addWeight('kernel', [shape.at(-1)!, heads, size], 'float32', initializer)
    this.addWeight('bias', [heads, size], 'float32', tfl.initializers.zeros())
    this.built = true
  }
  override computeOutputShape(shape: tfl.Shape): tfl.Shape {
    return [...shape.slice(0, -1), this.config.heads, this.config.size]
  }
  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), heads: this.config.heads, size: this.config.size }
  }
}

type Any = Record<string, unknown>
const make = (
  description: Omit<LinearLayer<Any>, 'layer'> & { layer: (config: never) => tfl.layers.Layer },
) => {
  const made = proximalLayer<Any>(description as LinearLayer<Any>)
  tf.serialization.registerClass(made, '@tfgraft/proxprop')
  return made
}

interface Row {
  Class: ProximalLayerClass<Any>
  config: Any
  inputShape: number[]
  outputShape: number[]
}

/** Layers described by nothing but their forward map. */
const rows: Row[] = [
  {
    Class: make({
      className: 'ProxConv1DForTest',
      layer: layers.conv1d,
      map: (x, [kernel, bias]) =>
        tf.add(tf.conv1d(x as tf.Tensor3D, kernel as tf.Tensor3D, stride, 'same'), bias!),
    }),
    config: { filters: 3, kernelSize: 3, strides: stride, padding: 'same' },
    inputShape: [2, 7, 2],
    outputShape: [2, 4, 3],
  },
  {
    Class: make({
      className: 'ProxConv3DForTest',
      layer: layers.conv3d,
      map: (x, [kernel, bias]) =>
        tf.add(tf.conv3d(x as tf.Tensor5D, kernel as tf.Tensor5D, 1, 'valid'), bias!),
    }),
    config: { filters: 2, kernelSize: 2 },
    inputShape: [2, 3, 4, 3, 2],
    outputShape: [2, 2, 3, 2, 2],
  },
  {
    Class: make({
      className: 'ProxDepthwiseForTest',
      layer: layers.depthwiseConv2d,
      map: (x, [kernel, bias]) =>
        tf.add(tf.depthwiseConv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, 1, 'same'), bias!),
    }),
    config: { kernelSize: 3, padding: 'same', depthMultiplier: 2 },
    inputShape: [2, 5, 4, 2],
    outputShape: [2, 5, 4, 4],
  },
  {
    Class: make({
      className: 'ProxEinsumDenseForTest',
      layer: (config: ConstructorParameters<typeof EinsumDense>[0]) => new EinsumDense(config),
      map: (x, [kernel, bias]) => {
        const [d, heads, size] = kernel!.shape as [number, number, number]
        const flat = tf.matMul(tf.reshape(x, [-1, d]), tf.reshape(kernel!, [d, heads * size]))
        return tf.add(tf.reshape(flat, [...x.shape.slice(0, -1), heads, size]), bias!)
      },
    }),
    config: { heads: 2, size: 3 },
    inputShape: [3, 4, 5],
    outputShape: [3, 4, 2, 3],
  },
]

/** (A'A + I/tau)^-1 A'G in double precision, from A's columns: the map of unit weights. */
function dense(map: (weights: Float32Array) => Float32Array, size: number, g: Float32Array, tau: number) {
  const columns = Array.from({ length: size }, (_, i) => {
    const unit = new Float32Array(size)
    unit[i] = 1
    return map(unit)
  })
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)
  const system = columns.map((column, i) => [
    ...columns.map((other, j) => dot(column, other) + (i === j ? 1 / tau : 0)),
    dot(column, g),
  ])
  for (let p = 0; p < size; p++)
    for (let r = 0; r < size; r++) {
      if (r === p) continue
      const factor = system[r]![p]! / system[p]![p]!
      for (let c = p; c <= size; c++) system[r]![c]! -= factor * system[p]![c]!
    }
  return system.map((row, i) => row[size]! / row[i]!)
}

describeBackends('proximalLayer', () => {
  it.each(rows)('solves the proximal problem of $Class.className', ({ Class, config, inputShape }) => {
    tf.tidy(() => {
      const tau = 0.3
      const layer = new Class({ ...config, tau, solver: { cg: 80, tolerance: 1e-12 } })
      const x = tf.randomNormal(inputShape, 0, 1, 'float32', 2)
      const z = layer.apply(x) as tf.Tensor
      const g = tf.randomNormal(z.shape, 0, 1, 'float32', 3)
      const variables = layer.trainableWeights.map((weight) => weight.read() as tf.Variable)
      const { grads } = tf.variableGrads(
        () => tf.sum(tf.mul(layer.apply(x) as tf.Tensor, g)) as tf.Scalar,
        variables,
      )
      const step = variables.flatMap(({ name }) => [...grads[name]!.dataSync()])
      const map = (weights: Float32Array) => {
        let from = 0
        for (const variable of variables) {
          variable.assign(tf.tensor(weights.slice(from, from + variable.size), variable.shape))
          from += variable.size
        }
        return (layer.apply(x) as tf.Tensor).dataSync() as Float32Array
      }
      const expected = dense(map, step.length, g.dataSync() as Float32Array, tau)
      expectClose(step, expected, { rtol: 1e-3, atol: 1e-4 })
      layer.dispose()
    })
  })

  it.each(rows)('keeps the layer contract: $Class.className', ({ Class, config, inputShape, outputShape }) =>
    expectLayerContract({
      create: () => new Class({ ...config, activation: 'tanh' }),
      inputShape,
      outputShape,
      trainableWeights: 2,
      supportsMasking: false,
    }),
  )

  it('makes a separable convolution of two proximal layers, since it is linear in each kernel but not in both', () => {
    tf.tidy(() => {
      const separable = layers.separableConv2d({
        filters: 3,
        kernelSize: 3,
        padding: 'same',
        depthMultiplier: 2,
      })
      const x = tf.randomNormal([2, 5, 4, 2], 0, 1, 'float32', 4)
      const expected = separable.apply(x) as tf.Tensor
      const [depthKernel, pointKernel, bias] = separable.getWeights()
      const depthwise = new rows[2]!.Class(rows[2]!.config)
      const pointwise = proxConv2d({ filters: 3, kernelSize: 1 })
      const apply = () => pointwise.apply(depthwise.apply(x)) as tf.Tensor
      apply()
      depthwise.setWeights([depthKernel!, tf.zeros([4])])
      pointwise.setWeights([pointKernel!, bias!])
      expectClose(apply(), expected)
      const { grads } = tf.variableGrads(() => tf.sum(tf.square(apply())) as tf.Scalar)
      expect(Object.values(grads).map(({ shape }) => shape)).toEqual([[3, 3, 2, 2], [4], [1, 1, 4, 3], [3]])
      for (const made of [separable, depthwise, pointwise]) made.dispose()
    })
  })

  it('rejects the exact solver for a layer described by its map alone', () => {
    const options: ProximalOptions = { solver: 'exact' }
    expect(() => new rows[0]!.Class({ ...rows[0]!.config, ...options })).toThrow(
      "ProxConv1DForTest: `solver` must be 'gradient' or { cg: steps } for a layer described without `rows`. " +
        'Received solver=exact.',
    )
  })

  it('leaves the bias to its plain gradient when asked to', () => {
    tf.tidy(() => {
      const { Class, config, inputShape } = rows[2]!
      const layer = new Class({ ...config, bias: 'gradient', solver: { cg: 3 } })
      const x = tf.randomNormal(inputShape, 0, 1, 'float32', 2)
      layer.apply(x)
      const { grads } = tf.variableGrads(() => tf.sum(layer.apply(x) as tf.Tensor) as tf.Scalar)
      const bias = layer.trainableWeights[1]!.read() as tf.Variable
      expectClose(grads[bias.name]!, tf.fill([4], 2 * 5 * 4))
      layer.dispose()
    })
  })

  it('takes over weights by name, as copies, and frozen flags', () => {
    tf.tidy(() => {
      const { Class, config, inputShape } = rows[2]!
      const old = layers.depthwiseConv2d({ ...config, useBias: true } as never)
      const layer = new Class(config)
      const x = tf.randomNormal(inputShape, 0, 1, 'float32', 2)
      const before = old.apply(x) as tf.Tensor
      layer.apply(x)
      old.trainableWeights[0]!.trainable = false
      layer.adoptWeights(old)
      expectClose(layer.apply(x) as tf.Tensor, before)
      expect(layer.trainableWeights.map(({ originalName }) => originalName)).toHaveLength(1)
      const other = layers.depthwiseConv2d({ ...config, depthMultiplier: 1 } as never)
      other.apply(x)
      expect(() => layer.adoptWeights(other)).toThrow(
        'ProxDepthwiseForTest: the adopted layer must have a weight',
      )
      for (const made of [old, layer, other]) made.dispose()
    })
  })
})
