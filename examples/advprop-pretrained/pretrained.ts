/** MobileNetV2 with weights that npm carries: the network inside `nsfwjs`, trained on photographs and drawings. */
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { MobileNetV2Model } from 'nsfwjs/models/mobilenet_v2'

interface LayerJson {
  class_name: string
  config: {
    batch_input_shape?: (number | null)[]
    momentum?: number
    pool_size?: number[]
    strides?: number[]
    trainable?: boolean
  }
}

interface ModelJson {
  modelTopology: { model_config: { config: { layers: LayerJson[] } } }
  weightsManifest: { weights: tf.io.WeightsManifestEntry[] }[]
}

/** It halves its input five times, and then averages over what is left. */
export const STRIDE = 32

/**
 * The network for images of `size` x `size` x 3 in 0..1, with a new last layer for `classes` classes. All of its layers
 * learn; half of them come frozen. Statistics of its batch normalisation move by a tenth per step, not by a thousandth as
 * in its own training: fine-tuning is short.
 */
export async function mobileNet(size: number, classes: number, seed: number): Promise<tfl.LayersModel> {
  const json = structuredClone((await MobileNetV2Model.modelJson()).default) as unknown as ModelJson
  for (const { class_name, config } of json.modelTopology.model_config.config.layers) {
    if (class_name === 'InputLayer') config.batch_input_shape = [null, size, size, 3]
    if (class_name === 'BatchNormalization') config.momentum = 0.9
    if (class_name === 'AveragePooling2D') config.pool_size = config.strides = [size / STRIDE, size / STRIDE]
    config.trainable = true
  }
  const bundle = (await MobileNetV2Model.weightBundles[0]!()).default as unknown as string
  const { buffer, byteOffset, byteLength } = Buffer.from(bundle, 'base64')
  const loaded = await tfl.loadLayersModel(
    tf.io.fromMemory({
      modelTopology: json.modelTopology,
      weightSpecs: json.weightsManifest[0]!.weights,
      weightData: buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer,
    }),
  )
  const head = tfl.layers.dense({
    ...{ units: classes, activation: 'softmax', name: 'classes' },
    kernelInitializer: tfl.initializers.glorotUniform({ seed }),
  })
  const features = loaded.layers.at(-2)!.output as tfl.SymbolicTensor
  return tfl.model({ inputs: loaded.inputs, outputs: head.apply(features) as tfl.SymbolicTensor })
}
