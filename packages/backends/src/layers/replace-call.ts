/** How layers of tfjs get a `call` of ours. Weights, configuration, saving and loading stay as they are. */
import * as tf from '@tensorflow/tfjs-core'

/** What tfjs passes to `call`, as far as it concerns us. */
export interface CallOptions {
  training?: boolean
}

interface Replacement<Layer, Options> {
  /** Whether ours is to run; stock does otherwise. */
  isCovered: (layer: Layer, x: tf.Tensor, options: Options) => boolean
  call: (layer: Layer, x: tf.Tensor, options: Options) => tf.Tensor | tf.Tensor[]
}

const replaced = new WeakSet<object>()

/** The prototype of the tfjs layer that is registered as `className`. */
export const prototypeOf = (className: string): object =>
  tf.serialization.SerializationMap.getMap().classNameMap[className]![0].prototype

/** Replaces `call` of a layer's prototype, once, for calls with a single input. */
export function replaceCall<Layer, Options extends CallOptions = CallOptions>(
  prototype: object,
  { isCovered, call }: Replacement<Layer, Options>,
): void {
  if (replaced.has(prototype)) return
  replaced.add(prototype)
  const target = prototype as {
    call(this: Layer, inputs: tf.Tensor | tf.Tensor[], options?: Options): unknown
  }
  const stock = target.call
  target.call = function (inputs, options = {} as Options) {
    const [x, ...others] = Array.isArray(inputs) ? inputs : [inputs]
    if (!x || others.length || !isCovered(this, x, options)) return stock.call(this, inputs, options)
    return tf.tidy(() => call(this, x, options))
  }
}
