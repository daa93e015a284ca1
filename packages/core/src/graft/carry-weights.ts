/** Moves weights and frozen flags from a layer to what replaces it. */
import * as tf from '@tensorflow/tfjs-core'
import type { LayerVariable, layers } from '@tensorflow/tfjs-layers'

/** A layer that knows how to take over the weights of the layer that it replaces. */
export interface AdoptingLayer extends layers.Layer {
  /** Called once, after both layers are built. Throws when the weights do not fit. */
  adoptWeights?(old: layers.Layer): void
}

const shapesOf = (layer: layers.Layer) => layer.weights.map(({ shape }) => `[${shape}]`).join(' ') || 'none'

/**
 * Pairs weights by name where all names agree, else by position: freezing a single weight moves it within
 * `layer.weights`, so that positions alone would mix up weights of equal shape.
 */
function pairs(
  from: readonly LayerVariable[],
  to: readonly LayerVariable[],
): [LayerVariable, LayerVariable][] | null {
  if (from.length !== to.length) return null
  const byName = new Map(to.map((weight) => [weight.originalName, weight]))
  const named = byName.size === to.length && from.every(({ originalName }) => byName.has(originalName))
  const paired = from.map((weight, i): [LayerVariable, LayerVariable] => [
    weight,
    named ? byName.get(weight.originalName)! : to[i]!,
  ])
  return paired.every(([a, b]) => `${a.shape}` === `${b.shape}`) ? paired : null
}

/** Copies values and per-weight flags where all shapes agree; says whether it did. */
function copyWeights(from: layers.Layer, to: layers.Layer): boolean {
  const paired = pairs(from.weights, to.weights)
  if (!paired) return false
  tf.tidy(() => {
    for (const [source, target] of paired) {
      const value = source.read()
      // `assign` would share the buffer, and a fused optimizer that works in place would then train both models.
      target.write(value.dtype === 'float32' ? tf.mul(value, 1) : value)
      target.trainable = source.trainable
    }
  })
  return true
}

/**
 * Gives `chain`, which replaces `old`, its weights: to the copy of `old` in the chain, else to the layers that adopt
 * weights, else to the first layer whose weights have the same shapes. All layers must be built.
 */
export function carryWeights(
  old: layers.Layer,
  chain: readonly AdoptingLayer[],
  copyOfOld?: layers.Layer,
): void {
  const receivers = copyOfOld
    ? [copyOfOld]
    : chain.filter((layer) => typeof layer.adoptWeights === 'function')
  if (copyOfOld) {
    if (!copyWeights(old, copyOfOld)) throw cannotCarry(old, [copyOfOld])
  } else if (receivers.length) {
    for (const layer of receivers as AdoptingLayer[]) layer.adoptWeights!(old)
  } else if (old.weights.length || chain.length === 1) {
    const receiver = chain.find((layer) => copyWeights(old, layer))
    if (receiver) receivers.push(receiver)
    else if (old.weights.length) throw cannotCarry(old, chain)
    else receivers.push(chain[0]!) // a layer without weights hands on its frozen flag only
  }
  if (!old.trainable) for (const layer of receivers) layer.trainable = false
}

const cannotCarry = (old: layers.Layer, chain: readonly layers.Layer[]) =>
  new Error(
    `graft: the weights of layer "${old.name}" (${old.getClassName()}, shapes ${shapesOf(old)}) cannot be carried ` +
      `over to ${chain.map((layer) => `${layer.getClassName()} (shapes ${shapesOf(layer)})`).join(', ') || 'nothing'}: ` +
      'the shapes must agree, or the replacement must have `adoptWeights`.',
  )
