/** From the network's policy columns to actions: a distribution on tensors for learning, sampling on the host for acting. */
import * as tf from '@tensorflow/tfjs-core'
import { type ActionDistribution, categorical, diagonalGaussian } from '../functional/distributions'
import type { SavableRandom } from '../networks/random'
import { type Space, spaceSize } from '../vector-env'

/** How a policy acts in a space of actions. */
export interface PolicyHead {
  /** Columns that the network must give. */
  readonly size: number
  /** Numbers per action. */
  readonly actionSize: number
  readonly discrete: boolean
  newActions(count: number): Int32Array | Float32Array
  distribution(columns: tf.Tensor2D): ActionDistribution
  /**
   * Draws an action from the `size` numbers of `outputs` at `from`, writes it to place `row`, and returns its log
   * probability. Without `random`, the most probable action.
   */
  act(
    outputs: Float32Array,
    from: number,
    actions: Int32Array | Float32Array,
    row: number,
    random?: SavableRandom,
  ): number
}

export function policyHead(space: Space): PolicyHead {
  if (space.type === 'discrete') return discreteHead(space.n, space.start ?? 0)
  if (space.type === 'box') return gaussianHead(spaceSize(space))
  throw new Error(`ppo: \`actionSpace\` must be discrete or a box. Received ${space.type}.`)
}

function discreteHead(n: number, start: number): PolicyHead {
  const weights = new Float64Array(n)
  return {
    size: n,
    actionSize: 1,
    discrete: true,
    newActions: (count) => new Int32Array(count),
    distribution: (columns) => {
      const policy = categorical(columns)
      return start === 0
        ? policy
        : { ...policy, logProb: (actions) => policy.logProb(tf.sub(actions, start)) }
    },
    act(outputs, from, actions, row, random) {
      let best = 0
      for (let k = 1; k < n; k++) if (outputs[from + k]! > outputs[from + best]!) best = k
      const top = outputs[from + best]!
      let sum = 0
      for (let k = 0; k < n; k++) {
        weights[k] = Math.exp(outputs[from + k]! - top)
        sum += weights[k]!
      }
      let chosen = best
      if (random) {
        let left = random.uniform() * sum
        for (chosen = 0; chosen < n - 1; chosen++) {
          left -= weights[chosen]!
          if (left < 0) break
        }
      }
      actions[row] = start + chosen
      return outputs[from + chosen]! - top - Math.log(sum)
    },
  }
}

function gaussianHead(dimension: number): PolicyHead {
  const halfLog = 0.5 * Math.log(2 * Math.PI)
  return {
    size: 2 * dimension,
    actionSize: dimension,
    discrete: false,
    newActions: (count) => new Float32Array(count * dimension),
    distribution: (columns) => {
      const [mean, logStd] = tf.split(columns, 2, 1) as [tf.Tensor2D, tf.Tensor2D]
      return diagonalGaussian(mean, logStd)
    },
    act(outputs, from, actions, row, random) {
      let logProb = 0
      for (let k = 0; k < dimension; k++) {
        const logStd = outputs[from + dimension + k]!
        const noise = random ? random.normal() : 0
        actions[row * dimension + k] = outputs[from + k]! + Math.exp(logStd) * noise
        logProb -= 0.5 * noise * noise + logStd + halfLog
      }
      return logProb
    },
  }
}
