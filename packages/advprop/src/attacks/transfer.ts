import type { Attack, AttackTarget } from './target'

/**
 * An attack made on another model: gradients come from `surrogate`, whatever target it is then used against.
 *
 * @param surrogate - the model to attack instead.
 * @param attack - what to run on it, such as `(target, x, y) => pgd(target, x, y, { epsilon })`.
 * @returns an attack that ignores its own target.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { fgsm, transfer } from '@tfgraft/advprop'
 *
 * const surrogate = (images: tf.Tensor) => tf.reshape(images, [-1, 4])
 * const attack = transfer(surrogate, (target, x, y) => fgsm(target, x, y, { epsilon: 0.1 }))
 * const target = (images: tf.Tensor) => tf.neg(surrogate(images))
 * const adversarial = attack(target, tf.fill([1, 2, 2, 1], 0.5), tf.tensor1d([0], 'int32'))
 * ```
 */
export function transfer(surrogate: AttackTarget, attack: Attack): Attack {
  return (_target, images, labels) => attack(surrogate, images, labels)
}
