/**
 * ProxProp inside PPO: the hidden layers of the agent's network take proximal steps. The policy's and the values' own layer stays plain,
 * as the paper's output layers do; Adam sees W - W+ where it would see a gradient.
 */
import type * as tf from '@tensorflow/tfjs-core'
import { initializers, layers } from '@tensorflow/tfjs-layers'
import type { Method } from '@tfgraft/core'
import { proxDense, proxprop } from '@tfgraft/proxprop'
import type { AgentSetup } from '@tfgraft/rl-exploration'

export interface ProximalPolicyOptions {
  /** Step size of the proximal steps. */
  tau: number
  /** Widths of the hidden layers, those of PPO's default network. @default [64, 64] */
  hidden?: readonly number[]
}

/** The method: PPO with a network of proximal layers. */
export function proximalPolicy({ tau, hidden = [64, 64] }: ProximalPolicyOptions): Method<AgentSetup> {
  return {
    name: 'proxprop-policy',
    paper: proxprop().paper,
    apply: (setup) => ({
      ...setup,
      network: ({ observationSize, policySize, numStreams, random }) => {
        const seed = () => random.integer(2 ** 31)
        const stack = [
          ...hidden.map((units) =>
            proxDense({
              units,
              activation: 'relu',
              tau,
              kernelInitializer: initializers.heNormal({ seed: seed() }),
            }),
          ),
          // The first policy is nearly uniform, as that of the default network.
          layers.dense({
            units: policySize + numStreams,
            kernelInitializer: initializers.randomNormal({ stddev: 0.01, seed: seed() }),
          }),
        ]
        for (const [index, size] of [observationSize, ...hidden].entries()) stack[index]!.build([null, size])
        const variables = stack.flatMap((layer) =>
          layer.trainableWeights.map((weight) => weight.read() as tf.Variable),
        )
        return {
          variables,
          apply: (x) => stack.reduce((h, layer) => layer.apply(h) as tf.Tensor, x) as tf.Tensor2D,
          dispose: () => {
            for (const variable of variables) variable.dispose()
          },
        }
      },
    }),
  }
}
