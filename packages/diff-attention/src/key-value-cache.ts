/** Keys and values of the positions that a model has seen, per attention layer: what makes generation linear. */
import * as tf from '@tensorflow/tfjs-core'
import type { layers } from '@tensorflow/tfjs-layers'

interface Entry {
  /** `[batch, length, heads, width]` */
  k: tf.Tensor
  v: tf.Tensor
}

/**
 * A cache for one run of a causal model. Pass it as the call option `cache`; each call continues where the last ended.
 * `advance` after each call, `dispose` at the end.
 */
export class KeyValueCache {
  /** Positions seen so far. */
  length = 0
  private readonly entries = new Map<layers.Layer, Entry>()

  /** Appends this call's keys and values, and returns all of them. They belong to the cache. */
  append(layer: layers.Layer, k: tf.Tensor, v: tf.Tensor): [tf.Tensor, tf.Tensor] {
    const old = this.entries.get(layer)
    const grown = old
      ? { k: tf.keep(tf.concat([old.k, k], 1)), v: tf.keep(tf.concat([old.v, v], 1)) }
      : { k: tf.keep(tf.clone(k)), v: tf.keep(tf.clone(v)) }
    if (old) tf.dispose([old.k, old.v])
    this.entries.set(layer, grown)
    return [grown.k, grown.v]
  }

  /** Notes that a call has gone through all layers. */
  advance(positions: number): void {
    this.length += positions
  }

  dispose(): void {
    for (const { k, v } of this.entries.values()) tf.dispose([k, v])
    this.entries.clear()
  }
}
