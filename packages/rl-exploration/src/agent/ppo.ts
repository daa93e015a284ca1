/**
 * Proximal policy optimisation with one value head per stream of rewards.
 *
 * Papers: Schulman et al. 2017, arXiv 1707.06347; two value heads: Burda et al. 2018, arXiv 1810.12894, section 2.3.
 *
 * Differs from the course that the defaults come from: time limits bootstrap from the last observation (its own
 * way is `timeLimit: 'reward'`), and observations are normalised for the agent too.
 */

import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { Paper } from '@tfgraft/core'
import { fromLayersModel, mlp, type Network } from '../networks/network'
import { type RecurrentNetwork, recurrentNetwork } from '../networks/recurrent'
import { rejectUnknown } from '../unknown-options'
import type { VectorEnv } from '../vector-env'
import type { AgentSetup, NetworkSpec, PpoOptions } from './agent-setup'

/** Where PPO was published. */
export const ppoPaper: Paper = {
  title: 'Proximal Policy Optimization Algorithms',
  authors: ['Schulman', 'Wolski', 'Dhariwal', 'Radford', 'Klimov'],
  year: 2017,
  url: 'https://arxiv.org/abs/1707.06347',
}

const defaults: AgentSetup['options'] = {
  learningRate: 2e-4,
  annealLearningRate: true,
  epsilon: 1e-5,
  numSteps: 128,
  numMinibatches: 8,
  updateEpochs: 8,
  gamma: 0.999,
  lambda: 0.95,
  clip: 0.1,
  clipValueLoss: false,
  entropyCoefficient: 0.001,
  valueCoefficient: 0.5,
  extrinsicCoefficient: 1,
  maxGradNorm: 40_000,
  normalizeAdvantages: true,
  normalizeObservations: true,
  normalizeRewards: false,
  warmupRollouts: 50,
  timeLimit: 'final-observation',
}

/** Options of {@link ppo}: hyper-parameters, and the network. */
export interface PpoSetupOptions extends PpoOptions {
  /** Widths of the default network's hidden layers. @default [64, 64] */
  hidden?: readonly number[]
  /** A recurrent cell after the hidden layers, so that the policy remembers its episode. @default none */
  recurrent?: 'lstm' | 'gru'
  /** Width of the recurrent cell. @default 64 */
  recurrentUnits?: number
  /**
   * Your own network. A LayersModel takes `observationShape` and returns `[policySize + numStreams]` columns, in one
   * output or in several that are joined.
   */
  network?: (spec: NetworkSpec) => LayersModel | Network | RecurrentNetwork
}

/**
 * A PPO agent for an environment, to be trained by `trainAgent`, or handed to a bonus first.
 *
 * @throws When a hyper-parameter makes no sense.
 * @example
 * ```ts
 * import { useBackend } from '@tfgraft/backends'
 * import { gridWorld, ppo, rnd, trainAgent } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * const env = gridWorld('Empty-5x5-v0', { numEnvs: 16, seed: 1 })
 * const setup = rnd({ coefficient: 0.1 }).apply(ppo(env, { numSteps: 32, warmupRollouts: 1 }))
 * const { history } = await trainAgent(setup, { totalSteps: 1024, seed: 1 })
 * console.log(history.map((update) => update.meanReturn))
 * ```
 */
export function ppo(env: VectorEnv, options: PpoSetupOptions = {}): AgentSetup {
  const { hidden = [64, 64], recurrent, recurrentUnits = 64, network, ...given } = options
  rejectUnknown('ppo', given, [...Object.keys(defaults), 'targetKl', 'sequenceLength'])
  const all = {
    ...defaults,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  }
  validate(all, env)
  if (![undefined, 'lstm', 'gru'].includes(recurrent))
    throw new Error(`ppo: \`recurrent\` must be 'lstm' or 'gru'. Received recurrent=${recurrent}.`)
  const { numSteps, sequenceLength = numSteps, numMinibatches } = all
  if (recurrent && (numSteps / sequenceLength) * env.numEnvs < numMinibatches)
    throw new Error(
      `ppo: \`numMinibatches\` must not exceed the sequences of a rollout. Received numMinibatches=${numMinibatches}, ` +
        `${(numSteps / sequenceLength) * env.numEnvs} sequences.`,
    )
  return {
    env,
    options: all,
    bonuses: [],
    network: (spec) => {
      if (!network)
        return defaultNetwork(spec, hidden, recurrent && { cell: recurrent, units: recurrentUnits })
      const made = network(spec)
      return 'variables' in made ? made : fromLayersModel(made)
    },
  }
}

function defaultNetwork(
  { observationSize, policySize, numStreams, random }: NetworkSpec,
  hidden: readonly number[],
  recurrent?: { cell: 'lstm' | 'gru'; units: number },
): Network | RecurrentNetwork {
  const [sizes, outputs] = [[observationSize, ...hidden], policySize + numStreams]
  // The first policy is nearly uniform, and values start small but not at 0 (Engstrom et al. 2020).
  const outputGains = [
    [policySize, 0.01],
    [numStreams, 0.1],
  ] as const
  return recurrent
    ? recurrentNetwork({ ...recurrent, sizes, outputs, outputGains, random })
    : mlp({ sizes: [...sizes, outputs], outputGains, random })
}

function validate(o: AgentSetup['options'], env: VectorEnv): void {
  const require = (good: boolean, name: keyof PpoOptions, rule: string) => {
    if (!good) throw new Error(`ppo: \`${name}\` must be ${rule}. Received ${name}=${o[name]}.`)
  }
  for (const name of ['numSteps', 'numMinibatches', 'updateEpochs'] as const)
    require(Number.isInteger(o[name]) && o[name] > 0, name, 'a positive integer')
  for (const name of ['gamma', 'lambda'] as const)
    require(o[name] >= 0 && o[name] <= 1, name, 'within 0 and 1')
  for (const name of ['learningRate', 'clip', 'maxGradNorm', 'epsilon'] as const)
    require(o[name] > 0, name, 'above 0')
  for (const name of ['entropyCoefficient', 'valueCoefficient', 'extrinsicCoefficient'] as const)
    require(o[name] >= 0, name, '0 or more')
  require(['final-observation', 'reward', 'end'].includes(
    o.timeLimit,
  ), 'timeLimit', "'final-observation', 'reward' or 'end'")
  require(o.targetKl === undefined || o.targetKl > 0, 'targetKl', 'above 0')
  require(o.numMinibatches * 2 <=
    o.numSteps *
      env.numEnvs, 'numMinibatches', `such that each of numSteps x numEnvs = ${o.numSteps * env.numEnvs} samples finds a minibatch of two or more`)
  require(o.sequenceLength === undefined ||
    (Number.isInteger(o.sequenceLength) &&
      o.sequenceLength > 0 &&
      o.numSteps % o.sequenceLength === 0), 'sequenceLength', `a divisor of numSteps=${o.numSteps}`)
  if ((env.autoreset ?? 'same-step') !== 'same-step')
    throw new Error(`ppo: the environment must reset in the same step. Received autoreset=${env.autoreset}.`)
}
