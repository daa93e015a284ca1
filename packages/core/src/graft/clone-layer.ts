/** A second layer of the same configuration. Weights follow when the copy is built. */
import type * as tf from '@tensorflow/tfjs-core'
import type { layers } from '@tensorflow/tfjs-layers'

type Layer = layers.Layer
type LayerClass = tf.serialization.SerializableConstructor<Layer> & {
  fromConfig(cls: unknown, config: tf.serialization.ConfigDict): Layer
}

const describe = (layer: Layer) => `layer "${layer.name}" (${layer.getClassName()})`

/** Copies a layer by its config. What the config does not carry is an error, not a silent difference. */
export function cloneLayer(layer: Layer): Layer {
  const Class = layer.constructor as unknown as LayerClass
  let copy: Layer
  try {
    copy = Class.fromConfig(Class, layer.getConfig())
  } catch (error) {
    throw new Error(
      `graft: ${describe(layer)} cannot be rebuilt from its config: ${(error as Error).message}`,
      { cause: error },
    )
  }
  const [before, after] = [layer.getConfig(), copy.getConfig()]
  for (const key of Object.keys(before)) {
    const [wanted, received] = [JSON.stringify(before[key]), JSON.stringify(after[key])]
    if (wanted !== received)
      throw new Error(
        `graft: ${describe(layer)} does not survive its own config: \`${key}\` is ${wanted}. ` +
          `Received ${received} after fromConfig.`,
      )
  }
  // Weights are overwritten anyway: zeros spare slow initializers, such as the orthogonal one.
  copy.setFastWeightInitDuringBuild(true)
  return copy
}

/** Throws when a built copy lacks losses that were added to the original by hand. */
export function checkLosses(original: Layer, copy: Layer): void {
  if (original.losses.length !== copy.losses.length)
    throw new Error(
      `graft: ${describe(original)} has ${original.losses.length} losses, of which its config carries ` +
        `${copy.losses.length}. Losses added by \`addLoss\` outside of \`build\` cannot be carried.`,
    )
}
