import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { expect, it } from 'vitest'
import { describeBackends, expectLayerContract, type LayerContract } from './index'

/** A layer whose faults can be switched on one at a time. */
class Scale extends tfl.layers.Layer {
  static get className() {
    return 'ContractScale'
  }
  private scale!: tfl.LayerVariable
  private readonly fault: string
  constructor(args: { fault?: string; name?: string } = {}) {
    super(args)
    this.fault = args.fault ?? ''
  }
  override build(inputShape: tfl.Shape): void {
    this.scale = this.addWeight('scale', inputShape.slice(-1), 'float32', tfl.initializers.ones())
    this.built = true
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0]! : inputs
    if (this.fault === 'leak') tf.keep(tf.scalar(1))
    if (this.fault === 'config') return tf.add(x, 1)
    if (this.fault === 'random') return tf.mul(x, tf.randomNormal(x.shape))
    const y = tf.mul(x, this.scale.read())
    return this.fault === 'unused weight' ? tf.add(x, tf.mul(y, 0)) : y
  }
  override computeOutputShape(inputShape: tfl.Shape): tfl.Shape {
    return this.fault === 'shape' ? inputShape.slice(0, -1) : inputShape
  }
  override getConfig() {
    return { ...super.getConfig(), ...(this.fault === 'config' ? {} : { fault: this.fault }) }
  }
}
tf.serialization.registerClass(Scale, '@tfgraft/testing')

const scale = (fault?: string): LayerContract => ({
  create: () => new Scale({ fault }),
  inputShape: [2, 3],
  outputShape: [2, 3],
  trainableWeights: 1,
})

describeBackends('layer contract', () => {
  it('passes a right layer', () => expectLayerContract(scale()))

  it.each([
    ['shape', 'computeOutputShape'],
    ['leak', 'tensors left behind'],
    ['random', 'with the same weights, output 0'],
    ['unused weight', 'a training step changes'],
    ['config', 'getConfig of fromConfig'],
  ])('fails a layer with the fault: %s', async (fault, message) => {
    await expect(expectLayerContract(scale(fault))).rejects.toThrow(message)
  })

  it('fails wrong declarations', async () => {
    await expect(expectLayerContract({ ...scale(), trainableWeights: 2 })).rejects.toThrow(
      'trainable weights',
    )
    await expect(expectLayerContract({ ...scale(), supportsMasking: true })).rejects.toThrow(
      'supportsMasking',
    )
    await expect(expectLayerContract({ ...scale(), outputShape: [2, 4] })).rejects.toThrow('output shape')
    await expect(expectLayerContract({ ...scale(), outputDtype: 'int32' })).rejects.toThrow('output dtype')
  })

  it('passes stock layers: dense, batch normalisation, concatenation', async () => {
    await expectLayerContract({
      create: () => tfl.layers.dense({ units: 4, activation: 'tanh' }),
      inputShape: [3, 5],
      outputShape: [3, 4],
      trainableWeights: 2,
      supportsMasking: true,
    })
    await expectLayerContract({
      create: () => tfl.layers.batchNormalization(),
      inputShape: [4, 3],
      outputShape: [4, 3],
      trainableWeights: 2,
      nonTrainableWeights: 2,
      supportsMasking: true,
    })
    await expectLayerContract({
      create: () => tfl.layers.concatenate(),
      inputShape: [
        [2, 3],
        [2, 4],
      ],
      outputShape: [2, 7],
      trainableWeights: 0,
      supportsMasking: true,
    })
  })
})
